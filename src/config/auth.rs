//! `mailbox.NAME.auth`: what proves the user to the mailbox.
//!
//! Knows which keys go together, and says what to write where they do not. Never asks a provider, and holds
//! references only. Values come from the configuration.

use std::path::PathBuf;

use url::{Host, Url};

use super::error::ConfigError;
use super::reader::Reader;
use crate::secret::SecretRef;

/// Log-in by OAuth 2.0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oauth {
    /// Who gives the tokens.
    pub provider: OauthProvider,
    /// The client's id.
    pub client_id: String,
    /// Where its secret stands, if it has one.
    pub client_secret: Option<SecretRef>,
    /// What gives a right to tokens.
    pub grant: OauthGrant,
    /// Endpoints in the place of the provider's own.
    pub token_url: Option<String>,
    /// Likewise: the device-code flow.
    pub device_url: Option<String>,
    /// Likewise: the page for a browser.
    pub authorize_url: Option<String>,
    /// A scope in the place of the provider's own.
    pub scope: Option<String>,
    /// Authorities of the endpoints, instead of the system's, PEM.
    pub ca_file: Option<PathBuf>,
}

/// Who gives the tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OauthProvider {
    /// Gmail, Workspace.
    Google,
    /// Exchange Online, Outlook.com.
    Microsoft {
        /// A directory's id or domain, `organizations`, `common` or `consumers`.
        tenant: String,
    },
    /// Anyone, by URLs.
    Generic,
}

/// What gives a right to tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OauthGrant {
    /// A user's consent: where the refresh token stands.
    RefreshToken(SecretRef),
    /// The client's own right.
    ClientCredentials,
}

/// The keys of OAuth, beside `oauth2` itself.
const KEYS: [&str; 10] = [
    "client_id",
    "client_secret",
    "refresh_token",
    "grant",
    "tenant",
    "token_url",
    "device_url",
    "authorize_url",
    "scope",
    "ca_file",
];

/// The tenants of a user; an app of its own right belongs to one.
const ANY_TENANT: [&str; 3] = ["common", "organizations", "consumers"];

/// Reads `auth` as far as it is about OAuth.
pub(super) fn read(reader: &Reader<'_>, name: &str) -> Result<Option<Oauth>, ConfigError> {
    let auth = Auth { reader, name };
    if auth.text("oauth2").is_none() {
        return match KEYS.into_iter().find(|key| auth.text(key).is_some()) {
            Some(stray) => Err(auth.wrong(
                stray,
                "the key belongs to a log-in by OAuth, which auth.oauth2 begins",
                "add oauth2 = \"google\", \"microsoft\" or \"generic\", or remove the key",
            )),
            None => Ok(None),
        };
    }
    if auth.text("password").is_some() {
        let problem = "a log-in is by password or by OAuth, and both are given";
        return Err(auth.wrong("password", problem, "remove one of the two"));
    }
    auth.oauth().map(Some)
}

struct Auth<'r> {
    reader: &'r Reader<'r>,
    name: &'r str,
}

impl<'r> Auth<'r> {
    fn key<'k>(&'k self, last: &'k str) -> [&'k str; 4] {
        ["mailbox", self.name, "auth", last]
    }

    fn text(&self, last: &str) -> Option<&'r str> {
        self.reader.text(&self.key(last))
    }

    fn wrong(&self, last: &str, problem: &str, hint: &str) -> ConfigError {
        self.reader.wrong(&self.key(last), problem, hint)
    }

    fn oauth(&self) -> Result<Oauth, ConfigError> {
        let words = ["google", "microsoft", "generic"];
        let word = self.reader.word(&self.key("oauth2"), &words)?;
        let by_app = self.by_app(word)?;
        let provider = self.provider(word, by_app)?;
        let hint = "the provider's console shows it, as \"client ID\" or \"application ID\"";
        let client_id = self.reader.required(&self.key("client_id"), hint)?;
        let client_secret = self.reader.secret(&self.key("client_secret"))?;
        if client_secret.is_none() && (by_app || word == "google") {
            let problem = match by_app {
                true => "client credentials need the client's secret",
                false => "Google wants the client's secret, for desktop apps too",
            };
            let hint = "write where it stands: client_secret = \"keyring:sftoken-oauth/client\"";
            return Err(self.wrong("client_secret", problem, hint));
        }
        let oauth = Oauth {
            provider,
            client_id: client_id.to_owned(),
            client_secret,
            grant: self.grant(by_app)?,
            token_url: self.url("token_url")?,
            device_url: self.url("device_url")?,
            authorize_url: self.url("authorize_url")?,
            scope: self.text("scope").map(str::to_owned),
            ca_file: self.reader.path(&self.key("ca_file")),
        };
        if word == "generic" && oauth.token_url.is_none() {
            let hint = "write it as token_url = \"https://login.example.com/oauth2/token\"";
            let problem = "a provider of your own is known by its endpoint";
            return Err(self.wrong("token_url", problem, hint));
        }
        Ok(oauth)
    }

    fn by_app(&self, word: &str) -> Result<bool, ConfigError> {
        let grants = ["refresh_token", "client_credentials"];
        let by_app = self.reader.word(&self.key("grant"), &grants)? == "client_credentials";
        if by_app && word == "google" {
            let problem = "Google gives no mail to client credentials";
            let hint = "remove grant, and let a user allow it: `sftoken authorize MAILBOX`";
            return Err(self.wrong("grant", problem, hint));
        }
        Ok(by_app)
    }

    fn provider(&self, word: &str, by_app: bool) -> Result<OauthProvider, ConfigError> {
        let tenant = self.text("tenant");
        if word != "microsoft" {
            return match tenant {
                None if word == "google" => Ok(OauthProvider::Google),
                None => Ok(OauthProvider::Generic),
                Some(_) => {
                    let problem = "only Microsoft has tenants";
                    Err(self.wrong("tenant", problem, "remove the key"))
                }
            };
        }
        let tenant = tenant.unwrap_or("organizations");
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        let hint = "write the Directory (tenant) ID, or a domain of the tenant (Entra, Overview)";
        if tenant.is_empty() || !tenant.bytes().all(plain) {
            let problem = format!("{tenant:?} is not a tenant");
            return Err(self.wrong("tenant", &problem, hint));
        }
        if by_app && ANY_TENANT.contains(&tenant) {
            let problem = "client credentials need the tenant";
            return Err(self.wrong("tenant", problem, hint));
        }
        let tenant = tenant.to_owned();
        Ok(OauthProvider::Microsoft { tenant })
    }

    fn grant(&self, by_app: bool) -> Result<OauthGrant, ConfigError> {
        let refresh = self.reader.secret(&self.key("refresh_token"))?;
        match (by_app, refresh) {
            (true, None) => Ok(OauthGrant::ClientCredentials),
            (true, Some(_)) => {
                let problem = "client credentials have no refresh token";
                Err(self.wrong("refresh_token", problem, "remove the key, or the grant"))
            }
            (false, Some(reference)) => Ok(OauthGrant::RefreshToken(reference)),
            (false, None) => {
                let problem = "there is no place for the refresh token";
                let hint = "write refresh_token = \"keyring:sftoken-oauth/NAME\" (or file:PATH), and run `sftoken authorize NAME` once; without a user, grant = \"client_credentials\"";
                Err(self.wrong("refresh_token", problem, hint))
            }
        }
    }

    /// HTTPS, or this very machine.
    fn url(&self, last: &str) -> Result<Option<String>, ConfigError> {
        let Some(text) = self.text(last) else {
            return Ok(None);
        };
        let hint = "write it as \"https://login.example.com/…\"";
        let url = Url::parse(text).map_err(|_| self.wrong(last, "this is not a URL", hint))?;
        let here = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(self.wrong(last, "the URL holds a user (it is not shown)", hint));
        }
        match url.scheme() {
            "https" => Ok(Some(text.to_owned())),
            "http" if here => Ok(Some(text.to_owned())),
            _ => Err(self.wrong(last, "secrets go over https:// only", hint)),
        }
    }
}

#[cfg(test)]
#[path = "auth_tests.rs"]
mod tests;
