//! Keys from the environment: `SFTOKEN_MAILBOX_OPS_URL` is `mailbox.ops.url`.
//!
//! Knows how a key is written as a variable. Never reads the environment: variables are given. A
//! variable that is meant as a key and is none is an error: it would silently do nothing.

use toml::Spanned;
use toml::de::DeValue;

use super::entries::{Entries, Value, twice, wants};
use super::error::{ConfigError, Place};
use super::keys::{self, KEYS, Kind};

/// What every variable begins with.
pub(super) const PREFIX: &str = "SFTOKEN_";

/// Puts the variables over the entries of the file. `exempt` are names that a reference
/// (`env:SFTOKEN_OPS_PASSWORD`) uses.
pub(super) fn apply(
    entries: &mut Entries,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<(), ConfigError> {
    let variables: Vec<(String, String)> = variables
        .into_iter()
        .filter(|(name, _)| name.starts_with(PREFIX))
        .filter(|(name, _)| !keys::OTHER_VARIABLES.contains(&name.as_str()))
        .collect();
    let mut unknown = Vec::new();
    for (name, value) in variables {
        match key_of(&name, entries) {
            Some((path, Kind::Map)) => map(entries, &path, &name, &value)?,
            Some((path, kind)) => {
                let value = read(kind, &value)
                    .map_err(|(problem, hint)| wrong(&name, &path.join("."), &problem, &hint))?;
                entries.insert(path, value, Place::Env(name));
            }
            None => unknown.push(name),
        }
    }
    let referred = |name: &String| {
        let reference = format!("env:{name}");
        // a store's URL has references among its parameters
        let parts = |text: &str| text.split(['?', '&', '=']).any(|part| part == reference);
        entries.texts().any(parts)
    };
    match unknown
        .iter()
        .find(|name| is_meant(name) && !referred(name))
    {
        Some(name) => Err(nothing(name)),
        None => Ok(()),
    }
}

/// Whether a variable is meant as a key: it begins with the name of a table, or nearly is a key.
/// Others that share the prefix are somebody else's: a test harness's, or those that an `exec:` store
/// gives to its program.
fn is_meant(name: &str) -> bool {
    let rest = name.strip_prefix(PREFIX).unwrap_or(name);
    let first = rest.split('_').next().unwrap_or_default();
    let tables = KEYS
        .iter()
        .filter_map(|(pattern, _)| pattern.split('.').next());
    let in_table = tables
        .filter(|table| !table.contains('_'))
        .any(|table| table.eq_ignore_ascii_case(first));
    in_table || nearest(rest).is_some()
}

fn wrong(name: &str, key: &str, problem: &str, hint: &str) -> ConfigError {
    ConfigError::new(Place::Env(name.to_owned()), key, problem, hint)
}

fn nothing(name: &str) -> ConfigError {
    let rest = name.strip_prefix(PREFIX).unwrap_or(name);
    let hint = match nearest(rest) {
        Some(known) => format!("did you mean {PREFIX}{known}?"),
        None => "unset it: a variable named after a table must name one of its keys".to_owned(),
    };
    wrong(name, "", "this variable names no key", &hint)
}

/// The variable of a key without a name of the user's in it, if it is misspelt a little.
fn nearest(rest: &str) -> Option<String> {
    let fixed = KEYS
        .iter()
        .filter(|(pattern, _)| !pattern.contains(['*', '#']));
    fixed
        .map(|(pattern, _)| pattern.replace('.', "_").to_ascii_uppercase())
        .map(|known| (keys::distance(rest, &known), known))
        .min()
        .filter(|(far, _)| *far <= 3)
        .map(|(_, known)| known)
}

/// The key of a variable. The key with the longest fixed end wins: `…_AUTH_PASSWORD` is not a
/// `password` of a table whose name ends in `_AUTH`.
fn key_of(name: &str, entries: &Entries) -> Option<(Vec<String>, Kind)> {
    let rest = name.strip_prefix(PREFIX)?;
    let mut found: Vec<(usize, Vec<String>, Kind)> = KEYS
        .iter()
        .filter_map(|&(pattern, kind)| {
            let path = fill(pattern, rest, entries)?;
            let end = pattern.rsplit(['*', '#']).next().map_or(0, str::len);
            Some((end, path, kind))
        })
        .collect();
    found.sort_by_key(|(end, ..)| *end);
    found.pop().map(|(_, path, kind)| (path, kind))
}

/// Fits `MAILBOX_OPS_CA_FILE` into `mailbox.*.ca_file`.
fn fill(pattern: &str, rest: &str, entries: &Entries) -> Option<Vec<String>> {
    let mut path: Vec<String> = Vec::new();
    let mut rest = rest;
    let segments: Vec<&str> = pattern.split('.').collect();
    for (at, segment) in segments.iter().enumerate() {
        let tail: String = segments[at + 1..]
            .iter()
            .take_while(|segment| !matches!(**segment, "*" | "#"))
            .map(|segment| format!("_{}", segment.to_ascii_uppercase()))
            .collect();
        let taken = match *segment {
            "*" => rest.strip_suffix(tail.as_str())?,
            "#" => rest.split('_').next()?,
            fixed => rest.get(..fixed.len())?,
        };
        path.push(match *segment {
            "*" => named(&path, taken, entries)?,
            "#" => taken.parse::<usize>().ok()?.to_string(),
            fixed => taken
                .eq_ignore_ascii_case(fixed)
                .then(|| fixed.to_owned())?,
        });
        let after = &rest[taken.len()..];
        rest = match segments.len() == at + 1 {
            true => after,
            false => after.strip_prefix('_')?,
        };
    }
    (rest.is_empty()).then_some(path)
}

/// A table's name as the file writes it, if it does (`my-ops`); else in lower case.
fn named(parent: &[String], taken: &str, entries: &Entries) -> Option<String> {
    let parent: Vec<&str> = parent.iter().map(String::as_str).collect();
    let as_variable = |name: &String| name.replace(['-', '.'], "_").eq_ignore_ascii_case(taken);
    let in_file = entries.names(&parent).into_iter().find(as_variable);
    let name = in_file.unwrap_or_else(|| taken.to_ascii_lowercase());
    (!name.is_empty()).then_some(name)
}

fn read(kind: Kind, value: &str) -> Result<Value, (String, String)> {
    match (kind, value) {
        (Kind::Text | Kind::Secret, text) => Ok(Value::Text(text.to_owned())),
        (Kind::Bool, "true") => Ok(Value::Bool(true)),
        (Kind::Bool, "false") => Ok(Value::Bool(false)),
        (Kind::Number, digits) => {
            let number = digits.trim().parse().map(Value::Number);
            number.map_err(|_| wants(kind))
        }
        (Kind::List | Kind::OneOrMore, list) if list.trim_start().starts_with('[') => {
            array(list).map(Value::List).ok_or_else(|| wants(kind))
        }
        (Kind::List | Kind::OneOrMore, list) => Ok(Value::List(
            list.split(',')
                .map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty())
                .collect(),
        )),
        (Kind::Bool | Kind::Map, _) => Err(wants(kind)),
    }
}

/// `NAME=text,NAME=text`, or an inline table of TOML: in the place of the whole table.
fn map(
    entries: &mut Entries,
    path: &[String],
    variable: &str,
    value: &str,
) -> Result<(), ConfigError> {
    let pairs = match value.trim_start().starts_with('{') {
        true => inline_table(value),
        false => pairs(value),
    };
    let pairs = pairs.ok_or_else(|| {
        let (problem, hint) = wants(Kind::Map);
        let hint = format!("{hint}, or as NAME=text,NAME=text");
        wrong(variable, &path.join("."), &problem, &hint)
    })?;
    let place = Place::Env(variable.to_owned());
    entries.empty(path);
    entries.insert(path.to_vec(), Value::Table, place.clone());
    for (name, text) in pairs {
        let path = [path, &[name]].concat();
        if entries.holds(&path) {
            let (problem, hint) = twice();
            return Err(wrong(variable, &path.join("."), &problem, &hint));
        }
        entries.insert(path, Value::Text(text), place.clone());
    }
    Ok(())
}

fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let pairs = text.split(',').filter(|pair| !pair.trim().is_empty());
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        Some((name.trim().to_owned(), value.trim().to_owned()))
    };
    pairs.map(pair).collect()
}

fn inline_table(text: &str) -> Option<Vec<(String, String)>> {
    let value: Spanned<DeValue<'_>> = DeValue::parse(text.trim()).ok()?;
    let table = value.get_ref().as_table()?.iter();
    table
        .map(|(name, text)| {
            let text = text.get_ref().as_str()?;
            Some((name.get_ref().to_string(), text.to_owned()))
        })
        .collect()
}

fn array(text: &str) -> Option<Vec<String>> {
    let value: Spanned<DeValue<'_>> = DeValue::parse(text.trim()).ok()?;
    let texts = value.get_ref().as_array()?.iter();
    texts
        .map(|text| text.get_ref().as_str().map(str::to_owned))
        .collect()
}
