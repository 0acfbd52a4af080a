//! The first time, without a browser on this machine: the device-code flow (RFC 8628).
//!
//! Knows codes, and how often to ask whether a person has entered one. Never shows a code itself. Its data
//! comes from the provider.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout_at};

use super::answer::seconds;
use super::{Client, OauthError, Retry, Tokens};
use crate::ingest::secret::Secret;

/// RFC 8628, 3.2 and 3.5: how often to ask, and how much slower when told so.
const INTERVAL: Duration = Duration::from_secs(5);
/// How long a code lives, at most and when the provider does not say.
const LIFE: Duration = Duration::from_secs(15 * 60);
/// The longest text that is shown to a person.
const MAX_SHOWN: usize = 500;

/// A code that a person enters in a browser anywhere.
#[derive(Clone, Debug)]
pub struct DeviceCode {
    code: Secret,
    /// What to enter.
    pub user_code: String,
    /// Where.
    pub url: String,
    /// How long it lives.
    pub lives: Duration,
    interval: Duration,
}

#[derive(Deserialize)]
struct Body {
    device_code: String,
    user_code: String,
    /// Google's name for it.
    #[serde(alias = "verification_url")]
    verification_uri: String,
    expires_in: Option<Value>,
    interval: Option<Value>,
}

impl Client {
    /// Asks for a code.
    ///
    /// # Errors
    /// When the provider has no device flow, cannot be asked, or refuses.
    pub async fn device_code(self: &Arc<Self>) -> Result<DeviceCode, OauthError> {
        let client = Arc::clone(self);
        blocking(move || client.ask_for_code()).await
    }

    fn ask_for_code(&self) -> Result<DeviceCode, OauthError> {
        let url = self.provider().device_url.as_deref().ok_or_else(|| {
            let hint = "set auth.device_url if it has one; or use the browser";
            let problem = "the provider has no device-code flow for mail";
            OauthError::new("no_device_flow", Retry::Never, problem, hint)
        })?;
        let scope = self.provider().scope.as_deref().unwrap_or_default();
        self.ask(url, vec![("scope", scope)], |asked, response| {
            let body: Body = asked.read(response)?;
            let shown = [&body.user_code, &body.verification_uri];
            if shown.iter().any(|text| !fit(text)) || body.device_code.is_empty() {
                let what = "the answer holds no code that can be shown";
                return Err(OauthError::answer(asked.host, what));
            }
            let lives = body.expires_in.as_ref().and_then(seconds).unwrap_or(LIFE);
            let interval = body.interval.as_ref().and_then(seconds);
            Ok(DeviceCode {
                code: Secret::new(body.device_code),
                user_code: body.user_code,
                url: body.verification_uri,
                lives: lives.min(LIFE),
                interval: interval.unwrap_or(INTERVAL).max(Duration::from_secs(1)),
            })
        })
    }

    /// Waits until a person has entered the code, and allowed it.
    ///
    /// # Errors
    /// `authorization_expired` when nobody did in time, `access_denied` when somebody did not allow it.
    pub async fn await_approval(self: &Arc<Self>, code: &DeviceCode) -> Result<Tokens, OauthError> {
        let end = Instant::now() + code.lives;
        let waiting = self.poll_until_known(code);
        timeout_at(end, waiting).await.unwrap_or_else(|_| {
            let hint = "run `sftoken authorize MAILBOX` again";
            let problem = "nobody entered the code in time";
            Err(OauthError::new(
                "authorization_expired",
                Retry::Never,
                problem,
                hint,
            ))
        })
    }

    async fn poll_until_known(self: &Arc<Self>, code: &DeviceCode) -> Result<Tokens, OauthError> {
        let mut interval = code.interval;
        loop {
            sleep(interval).await;
            let (client, secret) = (Arc::clone(self), code.code.clone());
            match blocking(move || client.poll(&secret)).await {
                Err(error) if error.is_pending() => {}
                // RFC 8628, 3.5: five seconds more for good; a connection that fails slows down as well
                Err(error) if matches!(error.retry, Retry::Slowly | Retry::Soon) => {
                    tracing::debug!("asking more slowly: {error}");
                    interval += INTERVAL;
                }
                answer => return answer,
            }
        }
    }
}

impl OauthError {
    fn is_pending(&self) -> bool {
        self.kind == "authorization_pending"
    }
}

fn fit(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_SHOWN
        && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// Does what blocks, off the async threads.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, OauthError> + Send + 'static,
) -> Result<T, OauthError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| {
        let problem = "the request was called off";
        Err(OauthError::new(
            "oauth_unreachable",
            Retry::Soon,
            problem,
            "try again",
        ))
    })
}
