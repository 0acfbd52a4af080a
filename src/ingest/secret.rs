//! Secrets other than tokens: a mailbox password, for one.
//!
//! Knows a value. Never prints or serialises it. Comes from a secret reference or a prompt.

use std::fmt;

use zeroize::Zeroizing;

/// A secret text, wiped from memory when dropped; `Debug` is redacted in every build profile.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a secret text.
    #[must_use]
    pub fn new(value: String) -> Self {
        Self(Zeroizing::new(value))
    }

    /// The value. Every call is a place where the secret leaves.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Texts of which one is a secret, joined: in one piece of memory that never grows, and is wiped when it is dropped.
/// NOTE: `format!` guesses how long its text will be, and leaves a copy behind whenever it grows.
#[must_use]
pub fn joined(parts: &[&str]) -> Zeroizing<String> {
    Zeroizing::new(parts.concat())
}

/// Adds to a text that may hold a secret; where it has to grow, its old place is wiped.
pub(crate) fn append(text: &mut Zeroizing<String>, more: &str) {
    let needed = text.len() + more.len();
    if needed > text.capacity() {
        let mut roomier = Zeroizing::new(String::with_capacity(needed.max(2 * text.capacity())));
        roomier.push_str(text);
        *text = roomier;
    }
    text.push_str(more);
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}
