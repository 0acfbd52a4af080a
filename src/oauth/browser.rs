//! The first time, with a browser on this machine: a code that comes back over loopback (RFC 8252).
//!
//! Knows the URL to open, PKCE (RFC 7636), and the one request that brings the code. Never opens a browser,
//! never believes a code that answers another request, and listens on this machine only. Its data comes from
//! the browser.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout, timeout_at};
use url::Url;

use super::device::blocking;
use super::error::{Refusal, refused};
use super::{Brand, Client, OauthError, Retry, Tokens};
use crate::ingest::secret::Secret;

/// How long a person may take to log in and allow it.
const PATIENCE: Duration = Duration::from_secs(10 * 60);
/// A browser sends its request at once, and a page's cookies are not large on loopback.
const REQUEST: Duration = Duration::from_secs(5);
const MAX_REQUEST: usize = 16 * 1024;

/// A request for consent that a browser can be sent with.
#[derive(Debug)]
pub struct Browser {
    /// What to open.
    pub url: String,
    /// The port on which the answer is awaited, for whoever forwards it from another machine.
    pub port: u16,
    listener: TcpListener,
    redirect: String,
    state: String,
    verifier: Secret,
}

impl Browser {
    /// Begins to listen, for consent of `user`.
    ///
    /// # Errors
    /// When the provider has no such flow, or the system gives no port or no randomness.
    pub async fn begin(client: &Client, user: &str) -> Result<Self, OauthError> {
        let provider = client.provider();
        let page = provider.authorize_url.as_deref().ok_or_else(|| {
            let problem = "the provider's page for consent is not known";
            OauthError::new(
                "no_browser_flow",
                Retry::Never,
                problem,
                "set auth.authorize_url",
            )
        })?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.map_err(|_| system())?;
        let port = listener.local_addr().map_err(|_| system())?.port();
        // RFC 8252, 7.3; Microsoft's "Mobile and desktop applications" know the name only
        let redirect = match provider.brand {
            Brand::Microsoft => format!("http://localhost:{port}"),
            _ => format!("http://127.0.0.1:{port}"),
        };
        let (state, verifier) = (random()?, Secret::new(random()?));
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.expose().as_bytes()));
        let mut url = Url::parse(page).map_err(|_| system())?;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", client.id())
            .append_pair("redirect_uri", &redirect)
            .append_pair("scope", provider.scope.as_deref().unwrap_or_default())
            .append_pair("state", &state)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .append_pair("login_hint", user);
        if provider.brand == Brand::Google {
            // without both, a second consent brings no refresh token (facts, 3.6)
            url.query_pairs_mut()
                .append_pair("access_type", "offline")
                .append_pair("prompt", "consent");
        }
        Ok(Self {
            url: url.into(),
            port,
            listener,
            redirect,
            state,
            verifier,
        })
    }

    /// Waits until the browser comes back with consent, and gets the tokens.
    ///
    /// # Errors
    /// `authorization_expired` when nobody allowed it in time, `access_denied` when somebody did not.
    pub async fn await_consent(self, client: &Arc<Client>) -> Result<Tokens, OauthError> {
        let end = Instant::now() + PATIENCE;
        let code = timeout_at(end, self.code(client))
            .await
            .unwrap_or_else(|_| {
                let hint = "run `sftoken authorize MAILBOX` again";
                let problem = "nobody allowed it in the browser in time";
                Err(OauthError::new(
                    "authorization_expired",
                    Retry::Never,
                    problem,
                    hint,
                ))
            })?;
        let client = Arc::clone(client);
        blocking(move || client.exchange(&code, &self.redirect, &self.verifier)).await
    }

    /// The first request that answers ours. Others (a favicon, another page's script) are turned away.
    async fn code(&self, client: &Client) -> Result<Secret, OauthError> {
        loop {
            let Ok((mut stream, _)) = self.listener.accept().await else {
                return Err(system());
            };
            let request = timeout(REQUEST, request(&mut stream)).await;
            let Some(answer) = request.ok().flatten().and_then(|url| self.answer(&url)) else {
                reply(&mut stream, "404 Not Found", "Not here.").await;
                continue;
            };
            match answer {
                Ok(code) => {
                    let text = "Done: you can close this page and go back to sftoken.";
                    reply(&mut stream, "200 OK", text).await;
                    return Ok(code);
                }
                Err(error) => {
                    let text = "It was not allowed: see what sftoken says.";
                    reply(&mut stream, "200 OK", text).await;
                    let refusal = Refusal {
                        error: &error,
                        ..Refusal::default()
                    };
                    let page = client.provider().authorize_url.as_deref();
                    let host = page.and_then(|page| Url::parse(page).ok());
                    let host = host.as_ref().and_then(Url::host_str).unwrap_or_default();
                    return Err(refused(host, client.provider().brand, refusal));
                }
            }
        }
    }

    /// A code, or an error's word; `None` when it does not answer our request.
    fn answer(&self, url: &Url) -> Option<Result<Secret, String>> {
        let value = |name: &str| {
            let mut pairs = url.query_pairs();
            pairs.find(|(key, _)| key == name).map(|(_, value)| value)
        };
        if value("state")? != self.state.as_str() {
            return None;
        }
        if let Some(error) = value("error") {
            let plain = |letter: &char| letter.is_ascii_alphanumeric() || *letter == '_';
            return Some(Err(error.chars().filter(plain).take(60).collect()));
        }
        let code = value("code").filter(|code| !code.is_empty())?;
        Some(Ok(Secret::new(code.into_owned())))
    }
}

/// The URL of a GET; the head alone is read.
async fn request(stream: &mut TcpStream) -> Option<Url> {
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let count = stream.read(&mut buffer).await.ok().filter(|&n| n > 0)?;
        head.extend_from_slice(buffer.get(..count)?);
        if head.len() > MAX_REQUEST {
            return None;
        }
    }
    let line = head.split(|&byte| byte == b'\r').next()?;
    let target = str::from_utf8(line).ok()?.strip_prefix("GET ")?;
    let path = target.strip_suffix(" HTTP/1.1")?;
    Url::parse("http://127.0.0.1").ok()?.join(path).ok()
}

/// A page of one sentence. A browser that has gone does not matter any more.
async fn reply(stream: &mut TcpStream, status: &str, text: &str) {
    let page = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n{text}",
        text.len()
    );
    let _ = timeout(REQUEST, stream.write_all(page.as_bytes())).await;
    let _ = timeout(REQUEST, stream.shutdown()).await;
}

/// 43 characters of 32 random octets, as RFC 7636, 4.1, recommends.
fn random() -> Result<String, OauthError> {
    let mut octets = [0; 32];
    SystemRandom::new()
        .fill(&mut octets)
        .map_err(|_| system())?;
    Ok(URL_SAFE_NO_PAD.encode(octets))
}

fn system() -> OauthError {
    let problem = "this machine gives no port or no randomness to wait for the browser with";
    OauthError::new(
        "no_browser_flow",
        Retry::Never,
        problem,
        "check the limits on open files, and that loopback works",
    )
}
