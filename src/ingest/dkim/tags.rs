//! Tag lists: `a=b; c=d` (RFC 6376, 3.2).
//!
//! Knows the syntax, strictly. Never knows what a tag means. Fed with the value of a signature
//! field, or with a key record.

/// More tags than any list has: each is compared with those before it.
const MAX_TAGS: usize = 64;

/// The tags of a list, in order, values with their folding white space inside.
#[derive(Debug)]
pub(super) struct Tags<'t>(Vec<(&'t str, &'t str)>);

impl<'t> Tags<'t> {
    /// Reads a tag list; `None` when it is not one, or when a tag stands twice.
    pub(super) fn parse(text: &'t str) -> Option<Self> {
        let mut tags: Vec<(&str, &str)> = Vec::new();
        let list = text.trim_matches(is_space);
        let list = list.strip_suffix(';').unwrap_or(list);
        for tag in list.split(';') {
            let (name, value) = tag.split_once('=')?;
            let (name, value) = (name.trim_matches(is_space), value.trim_matches(is_space));
            let twice = tags.iter().any(|(other, _)| *other == name);
            if twice || tags.len() == MAX_TAGS || !is_name(name) || !value.chars().all(is_value) {
                return None;
            }
            tags.push((name, value));
        }
        Some(Self(tags))
    }

    /// The value of a tag.
    pub(super) fn get(&self, name: &str) -> Option<&'t str> {
        let found = self.0.iter().find(|(other, _)| *other == name)?;
        Some(found.1)
    }

    /// The name of the first tag.
    pub(super) fn first(&self) -> Option<&'t str> {
        self.0.first().map(|(name, _)| *name)
    }
}

/// The members of a colon-separated value.
pub(super) fn members(value: &str) -> impl Iterator<Item = &str> {
    value.split(':').map(|member| member.trim_matches(is_space))
}

/// FWS: the line ends of folding are CR LF, checked before.
fn is_space(ch: char) -> bool {
    matches!(ch, ' ' | '\t' | '\r' | '\n')
}

/// tag-name = ALPHA *ALNUMPUNC
fn is_name(name: &str) -> bool {
    name.starts_with(|ch: char| ch.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// tval characters and the white space between them.
fn is_value(ch: char) -> bool {
    ch.is_ascii_graphic() || is_space(ch)
}
