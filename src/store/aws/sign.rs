//! A request's signature, version 4.
//!
//! Knows which headers are signed: all that we set. Never sends anything. Credentials come from the session.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use zeroize::Zeroizing;

/// Headers, some of which hold secrets.
pub(super) type Headers = Vec<(String, Zeroizing<String>)>;

/// What a signature is for.
pub(super) struct Scope<'s> {
    pub(super) region: &'s str,
    pub(super) service: &'s str,
    pub(super) now: SystemTime,
}

/// The headers that a POST of `body` to `url` needs more. `None`: there is no signing that.
pub(super) fn signed(
    credentials: &Credentials,
    scope: &Scope<'_>,
    url: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Option<Headers> {
    let identity = Identity::from(credentials.clone());
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(scope.region)
        .name(scope.service)
        .time(scope.now)
        .settings(SigningSettings::default())
        .build()
        .ok()?
        .into();
    let body = SignableBody::Bytes(body);
    let request = SignableRequest::new("POST", url, headers.iter().copied(), body).ok()?;
    let (instructions, _) = sign(request, &params).ok()?.into_parts();
    let (more, _) = instructions.into_parts();
    let text = |value: &str| Zeroizing::new(value.to_owned());
    Some(
        more.iter()
            .map(|header| (header.name().to_owned(), text(header.value())))
            .collect(),
    )
}
