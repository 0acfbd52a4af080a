//! SASL mechanisms (RFC 4422): what a client says, and what it answers to each challenge.
//!
//! Knows bytes before base64. Never reads, writes or waits: each mechanism is a small machine without a
//! connection. Its data comes from [`authenticate`](super::authenticate).

mod bearer;
mod plain;
mod scram;

use zeroize::Zeroizing;

pub(super) use bearer::{Bearer, Form};
pub(super) use plain::Plain;
pub(super) use scram::ScramSha256;

/// What a client says; it may hold a secret.
pub(super) type Answer = Zeroizing<Vec<u8>>;

/// One log-in by one mechanism.
pub(super) trait Mechanism: Send {
    /// The name, as `AUTHENTICATE` wants it.
    fn name(&self) -> &'static str;

    /// What goes first.
    fn begin(&mut self) -> Answer;

    /// The answer to a challenge after it.
    ///
    /// # Errors
    /// When the server asks what it must not, or more than there is.
    fn answer(&mut self, challenge: &[u8]) -> Result<Answer, Fault>;

    /// Whether the server has seen what proves the user; until then another mechanism may be tried.
    fn is_proven(&self) -> bool {
        true
    }

    /// Whether the server's OK may be believed.
    fn finish(&self) -> Result<(), Fault> {
        Ok(())
    }

    /// Whether the next answer takes long enough to keep other connections waiting.
    fn is_slow(&self) -> bool {
        false
    }

    /// What the server said of a refusal, beside the text of its NO.
    fn detail(&self) -> Option<String> {
        None
    }
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The challenge makes no sense: a clause about it.
    Challenge(&'static str),
    /// The server does not prove that it knows the user.
    Unproven,
}

/// An answer without anything in it.
fn empty() -> Answer {
    Zeroizing::default()
}

/// The fault of a server that goes on asking.
const ASKS_FOR_MORE: Fault = Fault::Challenge("the server asks for more than the command has");
