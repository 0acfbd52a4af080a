//! A client of a provider: requests for tokens.
//!
//! Knows the forms of each grant, and the two ways to prove a client. Never keeps a secret: its places are read
//! for each request. Its data comes from the configuration.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded::{Serializer, byte_serialize};
use zeroize::Zeroizing;

use super::answer::Asked;
use super::http::{Clear, Response, Target, post};
use super::{Brand, Http, OauthError, Place, Provider, Tokens};
use crate::ingest::secret::{Secret, joined};

/// A client of a provider.
#[derive(Debug)]
pub struct Client {
    provider: Provider,
    id: String,
    secret: Option<Arc<dyn Place>>,
    http: Http,
    /// The provider takes the secret in a header only (RFC 6749, 2.3.1: it must; in the form, it may).
    by_header: AtomicBool,
}

/// One request's parts.
pub(super) type Form<'f> = Vec<(&'static str, &'f str)>;

impl Client {
    /// A client by its id, and where its secret stands if it has one.
    #[must_use]
    pub fn new(provider: Provider, id: &str, secret: Option<Arc<dyn Place>>, http: Http) -> Self {
        Self {
            provider,
            id: id.to_owned(),
            secret,
            http,
            by_header: AtomicBool::new(false),
        }
    }

    /// Its provider.
    #[must_use]
    pub fn provider(&self) -> &Provider {
        &self.provider
    }

    /// A refresh token for an access token (RFC 6749, 6). Blocks.
    ///
    /// # Errors
    /// When the provider cannot be asked, or refuses.
    pub fn refresh(&self, refresh: &Secret) -> Result<Tokens, OauthError> {
        let mut form = vec![
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh.expose()),
        ];
        // Microsoft's tokens are for one resource each; elsewhere "as before" is the safest scope
        if let (Brand::Microsoft, Some(scope)) = (self.provider.brand, &self.provider.scope) {
            form.push(("scope", scope));
        }
        self.tokens(form)
    }

    /// An access token for the app itself (RFC 6749, 4.4). Blocks.
    ///
    /// # Errors
    /// When the provider cannot be asked, or refuses.
    pub fn for_itself(&self) -> Result<Tokens, OauthError> {
        let mut form = vec![("grant_type", "client_credentials")];
        if let Some(scope) = &self.provider.app_scope {
            form.push(("scope", scope));
        }
        self.tokens(form)
    }

    /// A code from the browser for tokens (RFC 6749, 4.1.3; RFC 7636). Blocks.
    pub(super) fn exchange(
        &self,
        code: &Secret,
        redirect: &str,
        verifier: &Secret,
    ) -> Result<Tokens, OauthError> {
        self.tokens(vec![
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("redirect_uri", redirect),
            ("code_verifier", verifier.expose()),
        ])
    }

    /// A device's code for tokens (RFC 8628, 3.4). Blocks.
    pub(super) fn poll(&self, code: &Secret) -> Result<Tokens, OauthError> {
        self.tokens(vec![
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("device_code", code.expose()),
        ])
    }

    fn tokens(&self, form: Form<'_>) -> Result<Tokens, OauthError> {
        self.ask(&self.provider.token_url, form, |asked, response| {
            asked.tokens(response)
        })
    }

    /// Sends a form to an endpoint and reads its answer.
    pub(super) fn ask<T>(
        &self,
        url: &str,
        form: Form<'_>,
        read: impl Fn(Asked<'_>, &Response) -> Result<T, OauthError>,
    ) -> Result<T, OauthError> {
        let target = Target::parse(url, Clear::default())?;
        let secret = match &self.secret {
            Some(place) => Some(place.load()?),
            None => None,
        };
        let mut secrets: Vec<&str> = form
            .iter()
            .filter(|(name, _)| SECRET_FIELDS.contains(name))
            .map(|&(_, value)| value)
            .collect();
        secrets.extend(secret.as_ref().map(Secret::expose));
        let asked = Asked {
            host: &target.host,
            brand: self.provider.brand,
            secrets: &secrets,
        };
        let by_header = self.by_header.load(Ordering::Relaxed);
        let response = self.send(url, &form, secret.as_ref(), by_header)?;
        let answer = read(asked, &response);
        let other_way = secret.is_some() && response.status == 401;
        if !other_way || !matches!(&answer, Err(error) if error.kind == "invalid_client") {
            return answer;
        }
        let response = self.send(url, &form, secret.as_ref(), !by_header)?;
        let answer = read(asked, &response);
        if answer.is_ok() {
            self.by_header.store(!by_header, Ordering::Relaxed);
        }
        answer
    }

    fn send(
        &self,
        url: &str,
        form: &Form<'_>,
        secret: Option<&Secret>,
        by_header: bool,
    ) -> Result<Response, OauthError> {
        let mut body = Serializer::new(String::with_capacity(room(form, &self.id, secret)));
        body.extend_pairs(form.iter().filter(|(_, value)| !value.is_empty()));
        let Some(secret) = secret.filter(|_| by_header) else {
            body.append_pair("client_id", &self.id);
            if let Some(secret) = secret {
                body.append_pair("client_secret", secret.expose());
            }
            return post(&self.http, url, &Zeroizing::new(body.finish()), None);
        };
        let encoded = |text: &str| {
            let mut whole = String::with_capacity(3 * text.len());
            whole.extend(byte_serialize(text.as_bytes()));
            whole
        };
        let secret = Zeroizing::new(encoded(secret.expose()));
        let pair = joined(&[&encoded(&self.id), ":", &secret]);
        let pair = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
        let header = joined(&["Basic ", &pair]);
        post(
            &self.http,
            url,
            &Zeroizing::new(body.finish()),
            Some(&header),
        )
    }

    /// The client's id, for a browser's URL.
    pub(super) fn id(&self) -> &str {
        &self.id
    }
}

/// As much as the form can take: a text that grows leaves copies behind, which nobody wipes.
fn room(form: &Form<'_>, id: &str, secret: Option<&Secret>) -> usize {
    let own = [
        ("client_id", id),
        ("client_secret", secret.map_or("", Secret::expose)),
    ];
    let pairs = form.iter().copied().chain(own);
    // each octet as %XX, a `=` and a `&`
    pairs
        .map(|(name, value)| 3 * (name.len() + value.len()) + 2)
        .sum()
}

/// Fields whose values must not come back in a text.
const SECRET_FIELDS: [&str; 4] = ["refresh_token", "code", "code_verifier", "device_code"];
