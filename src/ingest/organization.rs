//! Which Salesforce organization.
//!
//! Knows the two forms of an id: 15 letters and digits whose case counts, and 18, whose last three say the case of
//! the others. Never guesses: what is no id equals nothing. Ids come from log-ins, configurations and headers.

use std::fmt;

/// What ids of organizations begin with.
const PREFIX: &str = "00D";
/// The letters of a check: five bits each.
const CHECK: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/// The id of an organization, in its form of 15 letters and digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OrganizationId(String);

impl OrganizationId {
    /// Reads an id of 15 or 18 letters and digits. Of the long form any letter may have lost its case: that is what the
    /// check is for.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let id = match text.len() {
            15 => plain(text)?.to_owned(),
            18 => {
                let (id, check) = plain(text)?.split_at(15);
                restored(id, check)?
            }
            _ => return None,
        };
        id.starts_with(PREFIX).then_some(Self(id))
    }

    /// The 15 letters and digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OrganizationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether two ids, each of 15 or 18 letters and digits, are of one organization. What is no id equals nothing.
#[must_use]
pub fn same_org(one: &str, other: &str) -> bool {
    let one = OrganizationId::parse(one);
    one.is_some() && one == OrganizationId::parse(other)
}

fn plain(text: &str) -> Option<&str> {
    let good = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    good.then_some(text)
}

/// Each letter of the check tells of five others which are capitals.
fn restored(id: &str, check: &str) -> Option<String> {
    let mut whole = String::with_capacity(15);
    for (five, check) in id.as_bytes().chunks(5).zip(check.bytes()) {
        let check = check.to_ascii_uppercase();
        let bits = CHECK.iter().position(|letter| *letter == check)?;
        for (at, byte) in five.iter().enumerate() {
            let capital = bits >> at & 1 == 1;
            if capital && !byte.is_ascii_alphabetic() {
                return None;
            }
            whole.push(char::from(match capital {
                true => byte.to_ascii_uppercase(),
                false => byte.to_ascii_lowercase(),
            }));
        }
    }
    Some(whole)
}

#[cfg(test)]
mod tests {
    use super::{OrganizationId, same_org};

    /// The check of `00D2w000000Ab9X`: capitals are D, A and X.
    const SHORT: &str = "00D2w000000Ab9X";
    const LONG: &str = "00D2w000000Ab9XEAS";

    #[test]
    fn the_long_form_is_the_short_one_with_a_check() {
        assert!(same_org(SHORT, SHORT));
        assert!(same_org(SHORT, LONG));
        assert!(same_org(LONG, SHORT));
        assert!(same_org(LONG, &LONG.to_lowercase()));
        assert!(same_org(SHORT, &LONG.to_uppercase()));
        assert_eq!(
            OrganizationId::parse(LONG).map(|id| id.to_string()),
            Some(SHORT.to_owned())
        );
    }

    #[test]
    fn the_case_of_the_short_form_counts() {
        assert!(!same_org(SHORT, "00D2w000000aB9X"));
        assert!(!same_org(LONG, "00D2w000000ab9X"));
    }

    #[test]
    fn what_is_no_id_equals_nothing() {
        for odd in [
            "",
            "00D2w000000Ab9",
            "00D2w000000Ab9XE",
            "0052w000000Ab9X",
            "00d2w000000Ab9X",
            "00D2w000000Ab9_",
            "00D2w000000Ab9é",
            // a digit has no case, and 9 is no letter of a check
            "00D2w000000Ab9X5AS",
            "00D2w000000Ab9XE9S",
        ] {
            assert!(!same_org(odd, odd), "{odd}");
            assert!(!same_org(SHORT, odd), "{odd}");
        }
    }
}
