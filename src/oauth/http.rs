//! One form, one answer: what a provider's endpoint is asked.
//!
//! Knows how a form travels, and what to say when there is no answer. Never keeps a connection. Its data comes
//! from [`Http`].

use super::{OauthError, Retry};
use crate::http::{Fault, HttpError, Request};

pub use crate::http::Http;
pub(super) use crate::http::{Clear, Response, Target};

/// Access tokens of Microsoft have 3 KB, with an id token beside them.
const MAX_ANSWER: u64 = 128 * 1024;

/// Sends a form. Blocks, no longer than the deadline.
pub(super) fn post(
    http: &Http,
    url: &str,
    form: &str,
    authorization: Option<&str>,
) -> Result<Response, OauthError> {
    let mut headers = vec![("Accept", "application/json")];
    headers.extend(authorization.map(|value| ("Authorization", value)));
    let request = Request {
        method: "POST",
        url,
        headers: &headers,
        body: Some(("application/x-www-form-urlencoded", form.as_bytes())),
        limit: MAX_ANSWER,
    };
    Ok(http.send(&request)?)
}

impl From<HttpError> for OauthError {
    fn from(HttpError { host, fault }: HttpError) -> Self {
        let network =
            "check the network between here and the provider, and HTTPS_PROXY if there is one";
        let (kind, what, hint) = match fault {
            Fault::NotHttps => {
                let hint = "write the provider's endpoint, as in https://login.example.com/token";
                let problem = "an endpoint's URL is not https://";
                return Self::new("oauth_url", Retry::Never, problem, hint);
            }
            Fault::Authorities(path, what) => {
                let problem = format!("auth.ca_file: {} {what}", path.display());
                return Self::new("ca_file", Retry::Never, problem, "give a readable PEM file");
            }
            Fault::TooLarge => return Self::answer(&host, "the answer is too large"),
            Fault::NoHttp => return Self::answer(&host, "the answer is no HTTP"),
            Fault::Timeout => ("oauth_timeout", "no answer in time", network),
            Fault::NoAddress => (
                "oauth_unreachable",
                "the host name has no address",
                "check the endpoint's URL, and this machine's DNS",
            ),
            Fault::ConnectionRefused => {
                ("oauth_unreachable", "the connection was refused", network)
            }
            Fault::ConnectionFailed => ("oauth_unreachable", "the connection failed", network),
            Fault::NoWay => ("oauth_unreachable", "there is no way to connect", network),
            Fault::Untrusted => (
                "oauth_tls",
                "the certificate is not trusted",
                "if the provider has a private certificate authority, give its certificate with auth.ca_file; check this machine's clock",
            ),
            Fault::Handshake => (
                "oauth_tls",
                "the TLS handshake failed",
                "check the endpoint's URL, and whether a proxy changes the connection",
            ),
        };
        Self::new(kind, Retry::Soon, format!("{host}: {what}"), hint)
    }
}
