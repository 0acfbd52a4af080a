//! Which mechanism, and its conversation with the server.
//!
//! Knows the order of preference and what AUTHENTICATE and LOGIN look like. Never lets a secret into an
//! error, nor sends it twice. Its data comes from a [`Proof`] and from what the server says that it can do.
//!
//! ```text
//! password: SCRAM-SHA-256 -(no keys for this user)-> PLAIN -(not offered)-> LOGIN
//! token:    OAUTHBEARER -(not offered)-> XOAUTH2
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::credential::{BearerSource, Proof};
use super::login::Capabilities;
use super::sasl::{Bearer, Fault, Form, Mechanism, Plain, ScramSha256};
use super::wire::{Done, Heard, Wire};
use super::{Class, InboxError, Phase};
use crate::ingest::secret::Secret;

/// The longest challenge: SCRAM's have 200 bytes, a refused token's JSON a few hundred.
const MAX_CHALLENGE: usize = 16 * 1024;

/// Logs in.
pub(super) async fn authenticate(
    wire: &mut Wire,
    known: Capabilities,
    user: &str,
    proof: &Proof,
) -> Result<Done, InboxError> {
    let secret = match proof {
        Proof::Password(secret) | Proof::Bearer(secret, _) => secret,
    };
    // \x01 ends a field of the messages that carry a token
    let by_token = matches!(proof, Proof::Bearer(..));
    let unfit = |text: &str| text.contains(['\r', '\n', '\0']) || by_token && text.contains('\x01');
    if unfit(user) || unfit(secret.expose()) {
        return Err(InboxError::BadCredential {
            at: wire.at.clone(),
        });
    }
    match proof {
        Proof::Password(password) => with_password(wire, known, user, password).await,
        Proof::Bearer(token, source) => with_token(wire, known, user, token, source.as_ref()).await,
    }
}

/// SCRAM first, because the server then proves itself too and never sees the password; PLAIN before LOGIN,
/// because it carries any character.
async fn with_password(
    wire: &mut Wire,
    known: Capabilities,
    user: &str,
    password: &Secret,
) -> Result<Done, InboxError> {
    let at_once = known.has("SASL-IR");
    let mut disabled = InboxError::LoginDisabled {
        at: wire.at.clone(),
    };
    if known.has("AUTH=SCRAM-SHA-256")
        && let Some(scram) = scram(user, password)
    {
        let outcome = converse(wire, Box::new(scram), at_once, password).await;
        let for_another = outcome.is_for_another_mechanism();
        match outcome.result {
            Err(error) if for_another => disabled = error,
            result => return result,
        }
        tracing::debug!(at = %wire.at, "no SCRAM for this user: trying without");
    }
    if known.has("AUTH=PLAIN") {
        let plain = Plain::new(user, password.expose());
        return converse(wire, Box::new(plain), at_once, password)
            .await
            .result;
    }
    if known.has("LOGINDISABLED") {
        return Err(disabled);
    }
    login(wire, user, password)
        .await
        .map_err(|error| refused(error, &[password.expose()]))
}

/// `None` when the password cannot be prepared, or the system gives no randomness.
fn scram(user: &str, password: &Secret) -> Option<ScramSha256> {
    let mut nonce = [0; 18];
    SystemRandom::new().fill(&mut nonce).ok()?;
    ScramSha256::new(user, password.expose(), STANDARD.encode(nonce))
}

/// With an access token; one that the server refuses is not used again.
async fn with_token(
    wire: &mut Wire,
    known: Capabilities,
    user: &str,
    token: &Secret,
    source: &dyn BearerSource,
) -> Result<Done, InboxError> {
    let form = if known.has("AUTH=OAUTHBEARER") {
        Form::OAuthBearer
    } else if known.has("AUTH=XOAUTH2") {
        Form::XOAuth2
    } else {
        return Err(InboxError::TokenNotOffered {
            at: wire.at.clone(),
        });
    };
    let bearer = Bearer::new(form, user, token.expose(), &wire.at);
    let outcome = converse(wire, Box::new(bearer), known.has("SASL-IR"), token).await;
    let error = match outcome.result {
        Err(InboxError::LoginRefused { at, code, text }) => InboxError::TokenRefused {
            at,
            code,
            text,
            detail: outcome.detail,
        },
        other => return other,
    };
    if error.class() == Class::Auth {
        source.refused(token);
    }
    Err(error)
}

/// How a conversation ended.
struct Outcome {
    result: Result<Done, InboxError>,
    /// The server has seen what proves the user.
    proven: bool,
    detail: Option<String>,
}

impl Outcome {
    /// A server that offers SCRAM may have no SCRAM keys of this user: it then refuses before it has seen a
    /// proof. One that refuses the proof has refused the password, and is not given it twice.
    fn is_for_another_mechanism(&self) -> bool {
        let refused = matches!(&self.result, Err(error @ InboxError::LoginRefused { .. }) if error.class() == Class::Auth);
        refused && !self.proven
    }
}

async fn converse(
    wire: &mut Wire,
    mechanism: Box<dyn Mechanism>,
    at_once: bool,
    secret: &Secret,
) -> Outcome {
    let mut talk = Talk {
        mechanism: Some(mechanism),
        said: Vec::new(),
    };
    let result = talk.run(wire, at_once).await;
    let said = talk.said.iter().map(|line| line.as_str());
    let secrets: Vec<&str> = said.chain([secret.expose()]).collect();
    let mechanism = talk.mechanism.as_deref();
    Outcome {
        result: result.map_err(|error| refused(error, &secrets)),
        proven: mechanism.is_none_or(Mechanism::is_proven),
        detail: mechanism.and_then(Mechanism::detail),
    }
}

/// A conversation. The mechanism is away while a slow answer of it is worked out.
struct Talk {
    mechanism: Option<Box<dyn Mechanism>>,
    /// Everything that was sent, in base64.
    said: Vec<Zeroizing<String>>,
}

/// Where the conversation stands.
struct Turn {
    tag: String,
    /// The first message, until the server asks for it.
    waiting: Option<Zeroizing<String>>,
    /// The log-in is called off; the server has not said so yet.
    cancelled: bool,
}

impl Talk {
    /// AUTHENTICATE to its tagged OK.
    async fn run(&mut self, wire: &mut Wire, at_once: bool) -> Result<Done, InboxError> {
        let deadline = wire.deadline(wire.limits.login);
        let mut turn = self.begin(wire, at_once, deadline).await?;
        loop {
            let heard = wire.hear("AUTHENTICATE", &turn.tag, deadline, Phase::Login, |_| ());
            let challenge = match heard.await? {
                Heard::Untagged => continue,
                Heard::Tagged(result) => return self.ended(wire, result, turn.cancelled),
                Heard::Continue(challenge) => challenge,
            };
            let line = self.reply(wire, &mut turn, &challenge).await?;
            wire.send(&[&line, "\r\n"], deadline, Phase::Login).await?;
        }
    }

    /// Sends the command; at once with the first message where the server takes it (RFC 4959).
    async fn begin(
        &mut self,
        wire: &mut Wire,
        at_once: bool,
        deadline: Instant,
    ) -> Result<Turn, InboxError> {
        let mechanism = self.mechanism.as_mut();
        let Some((name, first)) = mechanism.map(|m| (m.name(), m.begin())) else {
            return Err(wire.disconnected(None));
        };
        let first = self.encoded(&first);
        let mut line = Zeroizing::new(format!("AUTHENTICATE {name}"));
        if at_once {
            line = Zeroizing::new(format!("{} {}", line.as_str(), first.as_str()));
        }
        Ok(Turn {
            tag: wire.start(&line, deadline, Phase::Login).await?,
            waiting: (!at_once).then_some(first),
            cancelled: false,
        })
    }

    /// What is said to a challenge: the first message, the mechanism's answer, or that the log-in is called
    /// off.
    async fn reply(
        &mut self,
        wire: &mut Wire,
        turn: &mut Turn,
        challenge: &str,
    ) -> Result<Zeroizing<String>, InboxError> {
        if let Some(first) = turn.waiting.take() {
            return Ok(first);
        }
        if turn.cancelled {
            return Err(wire.protocol(GOES_ON));
        }
        match self.answer(challenge).await {
            Ok(line) => Ok(line),
            // RFC 9051, 6.2.2: the command ends with BAD, and another one may follow
            Err(Fault::Challenge(what)) if !self.is_proven() => {
                tracing::debug!(at = %wire.at, "{what}");
                turn.cancelled = true;
                Ok(Zeroizing::new("*".to_owned()))
            }
            Err(fault) => Err(told(wire, fault)),
        }
    }

    fn ended(
        &self,
        wire: &Wire,
        result: Result<Done, InboxError>,
        cancelled: bool,
    ) -> Result<Done, InboxError> {
        let done = result?;
        if cancelled {
            return Err(wire.protocol(GOES_ON));
        }
        let finished = self.mechanism.as_ref().map_or(Ok(()), |m| m.finish());
        finished.map(|()| done).map_err(|fault| told(wire, fault))
    }

    async fn answer(&mut self, challenge: &str) -> Result<Zeroizing<String>, Fault> {
        const ODD: Fault = Fault::Challenge("the server's challenge is not base64");
        if challenge.len() > MAX_CHALLENGE {
            return Err(ODD);
        }
        let challenge = STANDARD.decode(challenge.trim()).map_err(|_| ODD)?;
        let Some(mut mechanism) = self.mechanism.take() else {
            return Err(ODD);
        };
        let answer = if mechanism.is_slow() {
            // other connections live on this thread
            let work = move || {
                let answer = mechanism.answer(&challenge);
                (mechanism, answer)
            };
            let (mechanism, answer) = tokio::task::spawn_blocking(work).await.map_err(|_| ODD)?;
            self.mechanism = Some(mechanism);
            answer
        } else {
            let answer = mechanism.answer(&challenge);
            self.mechanism = Some(mechanism);
            answer
        };
        answer.map(|answer| self.encoded(&answer))
    }

    fn is_proven(&self) -> bool {
        self.mechanism.as_ref().is_none_or(|m| m.is_proven())
    }

    fn encoded(&mut self, message: &[u8]) -> Zeroizing<String> {
        let line = Zeroizing::new(STANDARD.encode(message));
        self.said.push(line.clone());
        line
    }
}

const GOES_ON: &str = "the server goes on with a log-in that was called off";

fn told(wire: &Wire, fault: Fault) -> InboxError {
    match fault {
        Fault::Challenge(what) => wire.protocol(what),
        Fault::Unproven => InboxError::ServerUnproven {
            at: wire.at.clone(),
        },
    }
}

/// LOGIN, with quoted strings; what a quoted string cannot hold (RFC 9051: anything beyond ASCII) goes as
/// a literal, for which the server is asked.
async fn login(wire: &mut Wire, user: &str, password: &Secret) -> Result<Done, InboxError> {
    let mut parts = vec![Zeroizing::new("LOGIN".to_owned())];
    for text in [user, password.expose()] {
        let literal = !text.is_ascii() || text.bytes().any(|b| b.is_ascii_control());
        let Some(line) = parts.last_mut() else { break };
        if literal {
            line.push_str(&format!(" {{{}}}", text.len()));
            parts.push(Zeroizing::new(text.to_owned()));
        } else {
            let quoted = Zeroizing::new(super::folder::quoted(text));
            *line = Zeroizing::new(format!("{} {}", line.as_str(), quoted.as_str()));
        }
    }
    let parts: Vec<&str> = parts.iter().map(|part| part.as_str()).collect();
    wire.command("LOGIN", &parts, |_| ()).await
}

/// A refusal in the log-in is a refusal of the log-in. Servers have been seen to echo the command
/// line: a text with a secret in it is dropped.
fn refused(error: InboxError, secrets: &[&str]) -> InboxError {
    let InboxError::Refused { at, code, text, .. } = error else {
        return error;
    };
    // a short answer (`AQ==`) is no secret, and may be part of any text
    let echoes = secrets
        .iter()
        .any(|secret| secret.len() > 4 && text.contains(secret));
    let text = if echoes { String::new() } else { text };
    InboxError::LoginRefused { at, code, text }
}
