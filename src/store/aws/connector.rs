//! The HTTP that Amazon's SDK is given.
//!
//! Knows requests of the SDK and answers for it, and remembers how the last one ended. Never speaks in the clear but with this
//! machine and its own link. Its data comes from whoever gives credentials: STS, SSO, a container's or an instance's service.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use url::Url;

use crate::http::{Fault, Http, HttpError, Request, Response};
use crate::store::remote::MAX_ANSWER;

/// Clones remember together.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    http: Http,
    last: Arc<Mutex<Option<Ended>>>,
}

/// How a request ended.
#[derive(Clone, Debug)]
pub(super) enum Ended {
    Answered { host: String, status: u16 },
    Unanswered(HttpError),
}

impl Connector {
    pub(super) fn new(http: &Http) -> Self {
        Self {
            http: http.on_the_link(),
            last: Arc::default(),
        }
    }

    /// How the last request ended, if there was one.
    pub(super) fn last(&self) -> Option<Ended> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.clone()
    }

    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let sent = self.exchange(request);
        let ended = match &sent {
            Ok(answer) => Ended::Answered {
                host: host_of(request.uri()),
                status: answer.status,
            },
            Err(error) => Ended::Unanswered(error.clone()),
        };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(ended);
        response(sent.map_err(refused)?)
    }

    fn exchange(&self, request: &HttpRequest) -> Result<Response, HttpError> {
        let is_kind = |name: &str| name.eq_ignore_ascii_case("content-type");
        // The HTTP library says these itself.
        let is_told = |name: &str| {
            let own = ["content-length", "host", "transfer-encoding"];
            !is_kind(name) && !own.iter().any(|own| name.eq_ignore_ascii_case(own))
        };
        let headers: Vec<_> = request
            .headers()
            .iter()
            .filter(|(name, _)| is_told(name))
            .collect();
        let kind = request.headers().get("content-type").unwrap_or_default();
        let bytes = request.body().bytes().unwrap_or_default();
        let has_body = !bytes.is_empty() || matches!(request.method(), "POST" | "PUT");
        self.http.send(&Request {
            method: request.method(),
            url: request.uri(),
            headers: &headers,
            body: has_body.then_some((kind, bytes)),
            limit: MAX_ANSWER,
        })
    }
}

impl HttpClient for Connector {
    /// An instance's service has a second: where there is none, nothing answers at all.
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let patience = settings
            .read_timeout()
            .map(|read| read + settings.connect_timeout().unwrap_or(Duration::ZERO));
        let http = match patience {
            Some(patience) if patience < self.http.deadline() => self.http.within(patience),
            _ => self.http.clone(),
        };
        SharedHttpConnector::new(Self {
            http,
            last: Arc::clone(&self.last),
        })
    }
}

impl HttpConnector for Connector {
    /// NOTE: it blocks, for a bounded time: the runtime that waits for it has nothing else to do.
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(self.send(&request))
    }
}

fn response(answer: Response) -> Result<HttpResponse, ConnectorError> {
    let odd = || ConnectorError::other(io::Error::from(io::ErrorKind::InvalidData).into(), None);
    let status = StatusCode::try_from(answer.status).map_err(|_| odd())?;
    let mut response = HttpResponse::new(status, SdkBody::from(answer.body.to_vec()));
    for (name, value) in &answer.headers {
        let value = value.to_str().unwrap_or_default().to_owned();
        let added = response
            .headers_mut()
            .try_append(name.as_str().to_owned(), value);
        added.map_err(|_| odd())?;
    }
    Ok(response)
}

/// NOTE: by kind only: no error of ours holds a part of an answer.
fn refused(error: HttpError) -> ConnectorError {
    match error.fault {
        Fault::Timeout => ConnectorError::timeout(io::Error::from(io::ErrorKind::TimedOut).into()),
        Fault::NotHttps | Fault::Authorities(..) | Fault::Untrusted => {
            ConnectorError::user(io::Error::from(io::ErrorKind::Unsupported).into())
        }
        _ => ConnectorError::io(io::Error::from(io::ErrorKind::ConnectionAborted).into()),
    }
}

fn host_of(url: &str) -> String {
    let host = Url::parse(url).ok();
    let host = host.as_ref().and_then(Url::host_str);
    host.unwrap_or("a host").to_owned()
}
