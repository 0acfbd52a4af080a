//! The list of the rules: for each its check, and the check switched off.
//!
//! Knows the form of `rules/*.toml`. Never touches the source.
//!
//! ```toml
//! file = "sender.rs"                  # below src/ingest
//!
//! [[rule]]
//! name = "one-address"
//! within = "a longer text"            # stands once in the file; needed where `check` stands more often
//! check = "is_name(name)"             # stands once, in `within` or in the file
//! off = "true"                        # an expression of the same type, used when the rule is off
//!
//! [[rule]]                            # where the check is no expression
//! name = "pictures"
//! check = "if depth > 0 =>"
//! put = "if depth > 0 || OFF =>"      # OFF: whether the rule is off
//!
//! [[rule]]                            # no fixture can show it alone, by design
//! name = "…"
//! with = ["other-rule"]               # with these off too, one must
//! why = "the reason"
//! ```

use std::fs;
use std::path::Path;

/// The rules of one source file.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rules {
    pub(crate) file: String,
    #[serde(rename = "rule")]
    pub(crate) rules: Vec<Rule>,
}

/// One check.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    pub(crate) name: String,
    within: Option<String>,
    check: String,
    off: Option<String>,
    put: Option<String>,
    /// Rules that catch what this one would, so that only all of them off make a difference.
    #[serde(default)]
    pub(crate) with: Vec<String>,
    why: Option<String>,
}

impl Rule {
    /// Where the check stands in a source, as a range of bytes.
    pub(crate) fn place(&self, source: &str) -> Result<std::ops::Range<usize>, String> {
        let around = self.within.as_ref().unwrap_or(&self.check);
        let outer = once(source, around).map_err(|count| self.rotten(around, count))?;
        let inner = once(around, &self.check).map_err(|count| self.rotten(&self.check, count))?;
        let begin = outer + inner;
        Ok(begin..begin + self.check.len())
    }

    fn rotten(&self, text: &str, count: usize) -> String {
        format!("{}: stands {count} times, not once: {text:?}", self.name)
    }

    /// The check with a switch; `number` tells which.
    pub(crate) fn switched(&self, number: usize) -> Result<String, String> {
        let off = format!("crate::rule_is_off({number})");
        match (&self.off, &self.put) {
            (Some(expression), None) => Ok(format!(
                "(if {off} {{ {expression} }} else {{ {} }})",
                self.check
            )),
            (None, Some(text)) if text.contains("OFF") => Ok(text.replace("OFF", &off)),
            _ => Err(format!(
                "{}: wants `off`, or `put` with OFF in it",
                self.name
            )),
        }
    }
}

/// Where a text stands, if it stands once; else how often.
fn once(text: &str, wanted: &str) -> Result<usize, usize> {
    let mut found = text.match_indices(wanted).map(|(at, _)| at);
    match (found.next(), found.next()) {
        (Some(at), None) => Ok(at),
        _ => Err(text.matches(wanted).count()),
    }
}

/// All lists of a folder. Names are given once, and exceptions have a reason.
pub(crate) fn read(folder: &Path) -> Vec<Rules> {
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let parse = |path| toml::from_str(&fs::read_to_string(path).unwrap());
    let lists: Vec<Rules> = paths
        .iter()
        .map(|path| parse(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
        .collect();
    let rules: Vec<&Rule> = lists.iter().flat_map(|list| &list.rules).collect();
    for rule in &rules {
        let same = rules.iter().filter(|other| other.name == rule.name);
        assert_eq!(same.count(), 1, "{} stands more than once", rule.name);
        assert_eq!(
            rule.with.is_empty(),
            rule.why.is_none(),
            "{}: `with` and `why` go together",
            rule.name
        );
    }
    lists
}
