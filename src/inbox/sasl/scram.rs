//! SCRAM-SHA-256 (RFC 5802, RFC 7677): both sides prove that they know the password, and neither says it.
//!
//! Knows the four messages. Never accepts a server that does not prove itself, nor works longer than
//! [`MAX_ITERATIONS`] for one. Its data comes from the user, and a nonce from the caller.

use std::num::NonZeroU32;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use ring::{hmac, pbkdf2};
use zeroize::Zeroizing;

use super::{ASKS_FOR_MORE, Answer, Fault, Mechanism, empty};

/// RFC 7677, 4, asks for as many at least: fewer, and whoever sees the messages can guess the password.
const MIN_ITERATIONS: u32 = 4096;
/// About half a second of work; servers take 4,096 to 600,000.
const MAX_ITERATIONS: u32 = 1_000_000;

/// A log-in by SCRAM-SHA-256, without channel binding.
pub(in crate::inbox) struct ScramSha256 {
    password: Zeroizing<String>,
    nonce: String,
    /// `client-first-message-bare`
    bare: String,
    state: State,
}

enum State {
    Begun,
    /// Our proof is out; this must come back.
    Sent(hmac::Tag),
    /// The server has proven itself.
    Proven,
    /// The server says that we have not proven ourselves.
    Refused,
}

impl ScramSha256 {
    /// For a user and a password, `None` when SASLprep (RFC 4013) forbids one of them. The nonce is
    /// printable ASCII without a comma, and never used twice.
    pub(in crate::inbox) fn new(user: &str, password: &str, nonce: String) -> Option<Self> {
        let user = stringprep::saslprep(user).ok()?;
        let user = user.replace('=', "=3D").replace(',', "=2C");
        let password = stringprep::saslprep(password).ok()?.into_owned();
        let bare = format!("n={user},r={nonce}");
        Some(Self {
            password: Zeroizing::new(password),
            nonce,
            bare,
            state: State::Begun,
        })
    }

    /// The answer to `server-first-message`: our proof.
    fn prove(&mut self, challenge: &str) -> Result<Answer, Fault> {
        let first = First::parse(challenge, &self.nonce).ok_or(ODD)?;
        let salted = self.salted(&first)?;
        let without_proof = format!("c=biws,r={}", first.nonce);
        let message = format!("{},{challenge},{without_proof}", self.bare);
        let client_key = Zeroizing::new(sign(salted.as_ref(), b"Client Key").as_ref().to_vec());
        let stored_key = digest(&SHA256, &client_key);
        let signature = sign(stored_key.as_ref(), message.as_bytes());
        let proof: Vec<u8> = client_key
            .iter()
            .zip(signature.as_ref())
            .map(|(key, signature)| key ^ signature)
            .collect();
        let server_key = sign(salted.as_ref(), b"Server Key");
        self.state = State::Sent(sign(server_key.as_ref(), message.as_bytes()));
        let said = format!("{without_proof},p={}", STANDARD.encode(proof));
        Ok(Zeroizing::new(said.into_bytes()))
    }

    fn salted(&self, first: &First<'_>) -> Result<Zeroizing<[u8; 32]>, Fault> {
        let allowed = MIN_ITERATIONS..=MAX_ITERATIONS;
        let iterations = Some(first.iterations)
            .filter(|iterations| allowed.contains(iterations))
            .and_then(NonZeroU32::new)
            .ok_or(Fault::Challenge(
                "the server asks for too few or too many rounds of SCRAM",
            ))?;
        let mut salted = Zeroizing::new([0; 32]);
        pbkdf2::derive(
            pbkdf2::PBKDF2_HMAC_SHA256,
            iterations,
            &first.salt,
            self.password.as_bytes(),
            salted.as_mut(),
        );
        Ok(salted)
    }
}

const ODD: Fault = Fault::Challenge("the server's SCRAM message makes no sense");

fn sign(key: &[u8], message: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message)
}

/// `server-first-message`
struct First<'c> {
    nonce: &'c str,
    salt: Vec<u8>,
    iterations: u32,
}

impl<'c> First<'c> {
    /// `None` when it is not well formed, demands an extension (`m=`), or does not go on from our nonce.
    fn parse(challenge: &'c str, ours: &str) -> Option<Self> {
        let mut parts = challenge.split(',');
        let nonce = parts.next()?.strip_prefix("r=")?;
        let theirs = nonce.strip_prefix(ours)?;
        let salt = STANDARD.decode(parts.next()?.strip_prefix("s=")?).ok()?;
        let iterations = parts.next()?.strip_prefix("i=")?.parse().ok()?;
        (!theirs.is_empty() && !salt.is_empty()).then_some(Self {
            nonce,
            salt,
            iterations,
        })
    }
}

impl Mechanism for ScramSha256 {
    fn name(&self) -> &'static str {
        "SCRAM-SHA-256"
    }

    fn begin(&mut self) -> Answer {
        Zeroizing::new(format!("n,,{}", self.bare).into_bytes())
    }

    fn answer(&mut self, challenge: &[u8]) -> Result<Answer, Fault> {
        let challenge = str::from_utf8(challenge).map_err(|_| ODD)?;
        let expected = match &self.state {
            State::Begun => return self.prove(challenge),
            State::Sent(expected) => expected.as_ref(),
            State::Proven | State::Refused => return Err(ASKS_FOR_MORE),
        };
        if challenge.starts_with("e=") {
            self.state = State::Refused;
            return Ok(empty());
        }
        let value = challenge.split(',').next().unwrap_or_default();
        let signature = value.strip_prefix("v=").map(|text| STANDARD.decode(text));
        let Some(Ok(signature)) = signature else {
            return Err(ODD);
        };
        // nothing secret is compared: the expected value has been told by the server by now
        if signature != expected {
            return Err(Fault::Unproven);
        }
        self.state = State::Proven;
        Ok(empty())
    }

    fn is_proven(&self) -> bool {
        !matches!(self.state, State::Begun)
    }

    fn finish(&self) -> Result<(), Fault> {
        match self.state {
            State::Proven => Ok(()),
            _ => Err(Fault::Unproven),
        }
    }

    fn is_slow(&self) -> bool {
        matches!(self.state, State::Begun)
    }
}

#[cfg(test)]
#[path = "scram_tests.rs"]
mod tests;
