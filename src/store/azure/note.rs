//! The note of a token, as tags.
//!
//! Knows Key Vault's limits: 15 tags, 256 letters in each. Never touches the tags of others. Notes come from the
//! driver, tags from the vault.

use std::collections::BTreeMap;

use crate::store::conditional::Note;

/// A secret's tags.
pub(super) type Tags = BTreeMap<String, String>;

/// The note's first tag; what does not fit follows in `sftoken-2`, `sftoken-3`, …
const NOTE: &str = "sftoken";
/// 256 letters, as UTF-16 counts them at worst: one of ours has at most two.
const LONGEST: usize = 120;
const MOST: usize = 15;

fn name(part: usize) -> String {
    match part {
        0 => NOTE.to_owned(),
        part => format!("{NOTE}-{}", part + 1),
    }
}

/// The tags of others, and the note. `None`: they are too many.
pub(super) fn write(note: &Note, others: &Tags) -> Option<Tags> {
    let mut tags = others.clone();
    tags.retain(|name, _| !is_ours(name));
    let text: Vec<char> = serde_json::to_string(note).ok()?.chars().collect();
    for (part, letters) in text.chunks(LONGEST).enumerate() {
        tags.insert(name(part), letters.iter().collect());
    }
    (tags.len() <= MOST).then_some(tags)
}

fn is_ours(tag: &str) -> bool {
    let rest = tag.strip_prefix(NOTE);
    rest.is_some_and(|rest| {
        rest.is_empty()
            || rest
                .strip_prefix('-')
                .is_some_and(|number| number.parse::<usize>().is_ok())
    })
}

/// The note, if there is one. `Err`: there is one, and it is not understood.
pub(super) fn read(tags: &Tags) -> Result<Option<Note>, ()> {
    let parts: Vec<&str> = (0..MOST)
        .map_while(|part| tags.get(&name(part)).map(String::as_str))
        .collect();
    if parts.is_empty() {
        return Ok(None);
    }
    serde_json::from_str(&parts.concat())
        .map(Some)
        .map_err(drop)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::ingest::order::{Arrival, Rank};
    use crate::ingest::policy::Org;
    use crate::ingest::token::Token;
    use crate::store::{Key, Meta};

    fn note(message_id: &str) -> Note {
        let key = Key {
            username: "ann@acme.example".to_owned(),
            org: Org::Sandbox,
        };
        let meta = Meta {
            fingerprint: Token::new("TokenTokenTokenToken").unwrap().fingerprint(),
            rank: Rank {
                date: Timestamp::UNIX_EPOCH,
                arrival: Arrival::default(),
            },
            message_id: Some(message_id.to_owned()),
            org: Org::Sandbox,
        };
        Note::new(&key, &meta)
    }

    #[test]
    fn a_note_comes_back_beside_the_tags_of_others() {
        let mut others = Tags::from([("team".to_owned(), "jobs".to_owned())]);
        // of a longer note that stood there before
        others.insert("sftoken-9".to_owned(), "left over".to_owned());
        for id in ["a@b.example".to_owned(), "ä€😀".repeat(100)] {
            let tags = write(&note(&id), &others).unwrap();
            assert_eq!(tags["team"], "jobs");
            assert!(!tags.contains_key("sftoken-9"));
            let fits = |text: &String| text.encode_utf16().count() <= 256;
            assert!(tags.values().all(fits), "{tags:?}");
            assert_eq!(read(&tags), Ok(Some(note(&id))));
        }
        assert_eq!(read(&others), Ok(None));
    }

    #[test]
    fn what_does_not_fit_or_is_not_understood_is_told() {
        let many = (0..14).map(|number| (format!("t{number}"), String::new()));
        assert_eq!(write(&note("a@b.example"), &many.collect()), None);
        let newer = Tags::from([("sftoken".to_owned(), "{\"schema\":9}".to_owned())]);
        assert_eq!(read(&newer), Err(()));
        let mut cut = write(&note("a@b.example"), &Tags::new()).unwrap();
        cut.remove("sftoken-2");
        assert_eq!(read(&cut), Err(()));
    }
}
