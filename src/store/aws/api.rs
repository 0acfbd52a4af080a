//! One request to a service, and its answer.
//!
//! Knows signatures, new credentials where old ones are refused, and patience where the service has too much to do. Never
//! shows what the service says: some of it repeats what it was sent. Its data comes from the service.

use std::time::SystemTime;

use serde_json::Value;
use zeroize::Zeroizing;

use super::Service;
use super::quiet::quietly;
use super::session::{Login, Session};
use super::sign::{Headers, Scope, signed};
use super::trouble::{Trouble, unreached, wrong};
use super::wipe::text_of;
use crate::http::{Fault, Http, Request, Response};
use crate::store::conditional::jitter;
use crate::store::remote::MAX_ANSWER;
use crate::store::{StoreError, StoreErrorKind as Kind};

/// How often a request is sent that the service has no time for. The loop above tries again after longer pauses.
const TRIES: u32 = 3;
const KIND: &str = "application/x-amz-json-1.1";

/// A service, and who we are to it.
#[derive(Debug)]
pub(super) struct Api {
    pub(super) session: Session,
    pub(super) http: Http,
}

/// A refusal: its word, and what may be looked for in its sentence, which is not shown.
pub(super) struct Refusal {
    pub(super) status: u16,
    /// As `ResourceNotFoundException`.
    pub(super) code: String,
    pub(super) sentence: Zeroizing<String>,
}

impl Api {
    pub(super) fn shown(&self) -> &str {
        &self.session.shown
    }

    pub(super) fn service(&self) -> Service {
        self.session.service
    }

    /// Asks, and reads the answer.
    pub(super) fn ask<T: serde::de::DeserializeOwned>(
        &self,
        action: &str,
        asked: Value,
    ) -> Result<Result<T, Refusal>, StoreError> {
        let body = text_of(asked);
        let answer = match self.insist(action, &body)? {
            Ok(answer) => answer,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let read = serde_json::from_slice(&answer.body);
        read.map(Ok)
            .map_err(|_| self.odd("the answer is not understood"))
    }

    /// Asks again where that may help: with new credentials, or a little later.
    fn insist(&self, action: &str, body: &[u8]) -> Result<Result<Response, Refusal>, StoreError> {
        let mut left = TRIES;
        loop {
            let login = self.session.login()?;
            let answer = self.send(&login, action, body)?;
            let Some(refusal) = refusal(&answer) else {
                return Ok(Ok(answer));
            };
            left -= 1;
            match refusal.trouble() {
                Trouble::Credentials if !login.is_fresh && left > 0 => self.session.forget(),
                Trouble::Credentials => {
                    self.session.forget();
                    return Ok(Err(refusal));
                }
                Trouble::Busy if left > 0 => jitter((TRIES - left) * 4),
                _ => return Ok(Err(refusal)),
            }
        }
    }

    fn send(&self, login: &Login, action: &str, body: &[u8]) -> Result<Response, StoreError> {
        let url = format!("{}/", login.endpoint);
        let target = format!("{}.{action}", self.service().target());
        let mut headers = vec![("x-amz-target", target.as_str())];
        let more = self.signatures(login, &url, &headers, body)?;
        headers.extend(
            more.iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
        );
        let answer = self.http.send(&Request {
            method: "POST",
            url: &url,
            headers: &headers,
            body: Some((KIND, body)),
            limit: MAX_ANSWER,
        });
        answer.map_err(|error| match self.session.endpoint {
            None if error.fault == Fault::NotHttps => wrong(
                &self.session,
                "the endpoint that the environment or the profile names is none, or is not one of HTTPS",
                "check AWS_ENDPOINT_URL and endpoint_url; one without TLS is given in the store's URL: endpoint=http://HOST",
            ),
            _ => unreached(self.shown(), error),
        })
    }

    fn signatures(
        &self,
        login: &Login,
        url: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Headers, StoreError> {
        let scope = Scope {
            region: &login.region,
            service: self.service().word(),
            now: SystemTime::now(),
        };
        let headers = [headers, &[("content-type", KIND)]].concat();
        let made = quietly(|| signed(&login.credentials, &scope, url, &headers, body));
        made.ok().flatten().ok_or_else(|| {
            let hint = "check the endpoint, and that the access key has no odd letters";
            wrong(&self.session, "the request cannot be signed", hint)
        })
    }

    /// An answer that makes no sense.
    pub(super) fn odd(&self, what: &str) -> StoreError {
        let hint = "check the region and the endpoint, and that no proxy answers in their place";
        StoreError::new(self.shown(), Kind::Corrupt, what, hint)
    }
}

/// `None`: it is what was asked for.
fn refusal(answer: &Response) -> Option<Refusal> {
    if answer.status == 200 {
        return None;
    }
    // NOTE: some answers have both `message` and `Message`, so no struct fits.
    let told: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let text = |name: &str| told.get(name).and_then(Value::as_str);
    let header = answer.headers.get("x-amzn-errortype");
    let header = header.and_then(|value| value.to_str().ok());
    let code = text("__type").or(text("code")).or(header);
    let sentence = text("message").or(text("Message")).unwrap_or_default();
    // com.amazonaws.secretsmanager#ResourceNotFoundException:http://…
    let code = code.and_then(|code| code.rsplit('#').next());
    let code = code.unwrap_or_default();
    let code = code.split(':').next().unwrap_or_default();
    Some(Refusal {
        status: answer.status,
        code: code.to_owned(),
        sentence: Zeroizing::new(sentence.to_owned()),
    })
}
