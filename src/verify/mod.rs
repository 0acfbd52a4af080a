//! Does the token log in?
//!
//! Knows the two ways in which Salesforce takes a token, and what its answers mean. Never asks twice: wrong log-ins are
//! counted, and lock the user out; never follows an answer elsewhere with the password, and keeps no session. Username, password
//! and token are arguments; the answer may be anyone's.
//!
//! ```text
//! username, password + token ─► soap | oauth ─► Http ─► answer ─► Outcome        the session ─► ended
//! ```

mod doubt;
mod oauth;
mod outcome;
mod refusal;
mod soap;
mod xml;

#[cfg(test)]
mod tests;

use std::time::Duration;

use url::Url;

use crate::http::{Clear, Target};
use crate::ingest::policy::Org;
use crate::ingest::secret::Secret;
use crate::ingest::token::Token;

pub use crate::http::Http;
pub use crate::ingest::organization::{OrganizationId, same_org};
pub use doubt::{Cause, Doubt};
pub use outcome::{LoggedIn, Outcome};
pub use refusal::{Refusal, Why};

/// The version of the SOAP API that is asked: the last one that has `login()`. Those before 41.0 leave earlier.
pub const SOAP_VERSION: &str = "64.0";

/// Where users of an org of this kind log in, unless by its own My Domain.
#[must_use]
pub fn default_endpoint(org: Org) -> &'static str {
    match org {
        Org::Production => "https://login.salesforce.com",
        Org::Sandbox => "https://test.salesforce.com",
    }
}

/// How a token is tried.
#[derive(Clone, Debug)]
pub enum Way {
    /// `login()` of the SOAP API, partner WSDL.
    Soap {
        /// The API's version, as [`SOAP_VERSION`].
        version: String,
    },
    /// OAuth's username-password flow.
    OauthPassword {
        /// The consumer key of a connected app.
        client_id: String,
        /// Its consumer secret, if the app demands it.
        client_secret: Option<Secret>,
    },
}

impl Way {
    /// SOAP, in the usual version.
    #[must_use]
    pub fn soap() -> Self {
        Self::Soap {
            version: SOAP_VERSION.to_owned(),
        }
    }
}

/// A place where tokens are tried.
///
/// ```no_run
/// use sftoken::ingest::secret::Secret;
/// use sftoken::verify::{Http, LogIn, Outcome, Way, default_endpoint};
/// use sftoken::{Org, Token};
///
/// let password = Secret::new(std::fs::read_to_string("/run/secrets/password")?);
/// let token = Token::new("AbCdEfGhIjKlMnOpQrStUvWx")?;
/// let log_in = LogIn::new(Way::soap(), default_endpoint(Org::Production), Http::new());
/// match log_in.attempt("integration@acme.example", &password, &token) {
///     Outcome::LoggedIn(about) => println!("{about}"),
///     no => println!("{no}; {}", no.hint()),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct LogIn {
    way: Way,
    endpoint: String,
    http: Http,
    organization: Option<OrganizationId>,
}

/// What a log-in gave, as long as it lives.
struct Session {
    about: LoggedIn,
    /// Its id, or the access token.
    secret: Secret,
    /// Where it is ended.
    url: Option<String>,
    /// It may do nothing but change the password.
    password_expired: bool,
}

/// Why there is none.
enum Failed {
    Refused(Why, Option<String>),
    Unknown(Cause, bool),
}

impl LogIn {
    /// By this way, at an endpoint as `https://login.salesforce.com` or `https://acme.my.salesforce.com`.
    #[must_use]
    pub fn new(way: Way, endpoint: &str, http: Http) -> Self {
        Self {
            way,
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            http,
            organization: None,
        }
    }

    /// Takes a log-in for none that ends in another organization than this one.
    #[must_use]
    pub fn expecting(self, organization: OrganizationId) -> Self {
        Self {
            organization: Some(organization),
            ..self
        }
    }

    /// Where it asks.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Tries to log in, once. Blocks, no longer than twice the deadline of its [`Http`].
    ///
    /// NOTE: whoever calls this for one token twice, burns the user's attempts: after a few that fail, Salesforce locks the user
    /// out, also for those who have the right token.
    #[must_use]
    pub fn attempt(&self, username: &str, password: &Secret, token: &Token) -> Outcome {
        let target = match Target::parse(&self.endpoint, Clear::default()) {
            Ok(target) => target,
            Err(error) => return Outcome::Unknown(Doubt::unanswered(error)),
        };
        let asked = match &self.way {
            Way::Soap { version } => soap::log_in(self, version, username, password, token),
            Way::OauthPassword {
                client_id,
                client_secret,
            } => oauth::log_in(
                self,
                client_id,
                client_secret.as_ref(),
                username,
                password,
                token,
            ),
        };
        let outcome = self.judged(&target.host, asked);
        tracing::debug!(username, kind = outcome.kind(), "tried to log in");
        outcome
    }

    fn judged(&self, host: &str, asked: Result<Session, Failed>) -> Outcome {
        let refused = |why, code| {
            Outcome::Refused(Refusal {
                host: host.to_owned(),
                why,
                code,
            })
        };
        let session = match asked {
            Ok(session) => session,
            Err(Failed::Refused(why, code)) => return refused(why, code),
            Err(Failed::Unknown(cause, sent)) => {
                let host = host.to_owned();
                return Outcome::Unknown(Doubt { host, cause, sent });
            }
        };
        self.end(&session);
        if session.password_expired {
            return refused(Why::PasswordExpired, None);
        }
        match self.is_elsewhere(&session.about) {
            true => refused(Why::OtherOrganization, session.about.organization_id),
            false => Outcome::LoggedIn(session.about),
        }
    }

    fn is_elsewhere(&self, about: &LoggedIn) -> bool {
        let (Some(wanted), Some(got)) = (&self.organization, &about.organization_id) else {
            return false;
        };
        !same_org(wanted.as_str(), got)
    }

    /// Ends a session, if that can be done: otherwise it ends by itself, after the hours that the org's settings say.
    fn end(&self, session: &Session) {
        let url = session.url.as_deref().filter(|url| self.is_of_ours(url));
        let ended = match (url, &self.way) {
            (None, _) => Err("its address is not Salesforce's".to_owned()),
            (Some(url), Way::Soap { .. }) => soap::log_out(&self.http, url, &session.secret),
            (Some(url), Way::OauthPassword { .. }) => {
                oauth::revoke(&self.http, url, &session.secret)
            }
        };
        if let Err(why) = ended {
            tracing::debug!(why, "the session of the trial log-in could not be ended");
        }
    }

    /// Whether a session may be sent there: to the endpoint itself, or to a server of Salesforce's.
    fn is_of_ours(&self, url: &str) -> bool {
        let (Ok(url), Ok(endpoint)) = (Url::parse(url), Url::parse(&self.endpoint)) else {
            return false;
        };
        let host = url.host_str().unwrap_or_default();
        let salesforces = DOMAINS.iter().any(|domain| host.ends_with(domain));
        url.origin() == endpoint.origin() || url.scheme() == "https" && salesforces
    }
}

/// How long the end of a session may take: nobody waits for it.
const TIME_TO_END: Duration = Duration::from_secs(5);

/// Where instances are: the answer to a log-in names one.
const DOMAINS: [&str; 4] = [
    ".salesforce.com",
    ".force.com",
    ".salesforce.mil",
    ".cloudforce.com",
];

/// A code that Salesforce gives, if it is a word and nothing that we sent: it is shown.
fn plain_code(code: &str, secrets: [&str; 2]) -> String {
    let word = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    let plain = !code.is_empty() && code.len() <= 60 && code.bytes().all(word);
    let echoed =
        |secret: &str| !secret.is_empty() && (secret.contains(code) || code.contains(secret));
    match plain && !secrets.into_iter().any(echoed) {
        true => code.to_owned(),
        false => "a code that is not shown".to_owned(),
    }
}

/// An id, if it is one.
fn id(text: &str) -> Option<String> {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (plain && matches!(text.len(), 15 | 18)).then(|| text.to_owned())
}

/// `host` or `host:port` of a URL.
fn host(url: &str) -> Option<String> {
    Target::parse(url, Clear::default())
        .ok()
        .map(|target| target.host)
}
