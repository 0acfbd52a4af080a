//! The one address in From.
//!
//! Knows a narrow grammar: one address, alone or in angle brackets behind a name. Never looks at
//! the name. Groups, source routes, comments, quoted local parts and lists are how one program is
//! shown another author than the next (USENIX Security 2020, *Composition Kills*): all refused.

use super::mail::Field;
use super::refusal::Refusal;

/// `local@domain`, the domain in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    local: String,
    domain: String,
}

impl Address {
    /// Reads a plain address: atext and dots, letters, digits and hyphens.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (local, domain) = text.split_once('@')?;
        let atom = |atom: &str| !atom.is_empty() && atom.bytes().all(is_atext);
        let label = |label: &str| {
            !label.is_empty()
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        let fits =
            local.split('.').all(atom) && domain.contains('.') && domain.split('.').all(label);
        fits.then(|| Self {
            local: local.to_owned(),
            domain: domain.to_ascii_lowercase(),
        })
    }

    /// Whether it is this address: the local part octet for octet.
    #[must_use]
    pub fn is(&self, address: &str) -> bool {
        Self::parse(address).is_some_and(|other| other == *self)
    }

    /// The domain, in lower case.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Whether its domain is `domain` or lies below it.
    #[must_use]
    pub fn is_within(&self, domain: &str) -> bool {
        let rest = self.domain.strip_suffix(domain);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }
}

/// The address of a From field.
///
/// # Errors
/// When it is not exactly one plain address.
pub fn sender(from: &Field<'_>) -> Result<Address, Refusal> {
    let text = from.text().ok_or(Refusal::FromInvalid)?;
    if !text
        .bytes()
        .all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte))
    {
        return Err(Refusal::FromInvalid);
    }
    let bare = match text.strip_suffix('>') {
        None => Some(text.as_str()),
        Some(front) => front
            .rsplit_once('<')
            .filter(|(name, _)| is_name(name))
            .map(|(_, address)| address),
    };
    bare.and_then(Address::parse).ok_or(Refusal::FromInvalid)
}

/// A display name: words or one quoted string. The `@` of a name that repeats the address, as
/// Salesforce writes it (seen 2020), is let through.
fn is_name(name: &str) -> bool {
    let name = name.trim();
    match name.strip_prefix('"') {
        Some(rest) => rest
            .strip_suffix('"')
            .is_some_and(|text| !text.contains(['"', '\\'])),
        None => !name.contains(['<', '>', '(', ')', '[', ']', ':', ';', ',', '"', '\\']),
    }
}

fn is_atext(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

#[cfg(test)]
#[path = "sender_tests.rs"]
mod tests;
