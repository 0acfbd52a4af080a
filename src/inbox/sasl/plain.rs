//! PLAIN (RFC 4616): user and password, as they are.
//!
//! Knows one message. Never protects it: the connection does. Its data comes from the user.

use zeroize::Zeroizing;

use super::{ASKS_FOR_MORE, Answer, Fault, Mechanism};

/// A log-in by PLAIN.
pub(in crate::inbox) struct Plain(Answer);

impl Plain {
    /// For a user and a password; neither may hold a NUL.
    pub(in crate::inbox) fn new(user: &str, password: &str) -> Self {
        Self(Zeroizing::new(["", user, password].join("\0").into_bytes()))
    }
}

impl Mechanism for Plain {
    fn name(&self) -> &'static str {
        "PLAIN"
    }

    fn begin(&mut self) -> Answer {
        self.0.clone()
    }

    fn answer(&mut self, _: &[u8]) -> Result<Answer, Fault> {
        Err(ASKS_FOR_MORE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4616, 4.
    #[test]
    fn one_message_and_no_more() {
        let mut plain = Plain::new("tim", "tanstaaftanstaaf");
        assert_eq!(*plain.begin(), b"\0tim\0tanstaaftanstaaf");
        assert_eq!(plain.answer(b""), Err(ASKS_FOR_MORE));
    }
}
