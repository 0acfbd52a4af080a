//! `verify` and its kin in an `[[account]]`: whether and how its token is tried.
//!
//! Knows the two ways to log in, and where. Never logs in. Values come from the configuration.

use std::path::PathBuf;

use url::{Host, Url};

use super::error::ConfigError;
use super::reader::Reader;
use crate::ingest::organization::OrganizationId;
use crate::ingest::policy::Org;
use crate::secret::SecretRef;

/// Whether and how an account's token is tried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// `verify`.
    pub when: VerifyWhen,
    /// `login`, with the client.
    pub way: LoginWay,
    /// `login_url`, without a slash at its end; `None`: where every org of the account's kind logs in.
    pub login_url: Option<String>,
    /// Who signs that host's certificate, instead of the system's authorities.
    pub ca_file: Option<PathBuf>,
    /// The organization where a log-in must end.
    pub organization_id: Option<OrganizationId>,
}

/// When a new token is tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VerifyWhen {
    /// Not by itself.
    #[default]
    Never,
    /// Once it is stored.
    After,
    /// First: only what logs in is stored.
    Before,
}

/// How it is tried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LoginWay {
    /// `login()` of the SOAP API.
    #[default]
    Soap,
    /// OAuth's username-password flow, as a connected app.
    OauthPassword {
        /// Its consumer key.
        client_id: String,
        /// Where its consumer secret stands, if it has one.
        client_secret: Option<SecretRef>,
    },
}

pub(super) fn read(
    reader: &Reader<'_>,
    number: &str,
    org: Org,
) -> Result<Verification, ConfigError> {
    let key = |last| ["account", number, last];
    let when = match reader.word(&key("verify"), &["never", "after", "before"])? {
        "after" => VerifyWhen::After,
        "before" => VerifyWhen::Before,
        _ => VerifyWhen::Never,
    };
    if when != VerifyWhen::Never && reader.text(&key("password")).is_none() {
        let problem = "a token is tried with the account's password, and there is none";
        let hint = "add password = \"keyring:salesforce/USERNAME\" to the account, or write verify = \"never\"";
        return Err(reader.wrong(&key("verify"), problem, hint));
    }
    Ok(Verification {
        when,
        way: way(reader, number)?,
        login_url: login_url(reader, number, org)?,
        ca_file: reader.path(&key("ca_file")),
        organization_id: organization(reader, number)?,
    })
}

fn way(reader: &Reader<'_>, number: &str) -> Result<LoginWay, ConfigError> {
    let key = |last| ["account", number, last];
    if reader.word(&key("login"), &["soap", "oauth-password"])? == "oauth-password" {
        let hint = "write the connected app's consumer key";
        return Ok(LoginWay::OauthPassword {
            client_id: reader.required(&key("client_id"), hint)?.to_owned(),
            client_secret: reader.secret(&key("client_secret"))?,
        });
    }
    for name in ["client_id", "client_secret"] {
        if reader.text(&key(name)).is_some() {
            let problem = "SOAP's login() has no client";
            let hint = "add login = \"oauth-password\", or remove the key";
            return Err(reader.wrong(&key(name), problem, hint));
        }
    }
    Ok(LoginWay::Soap)
}

const URL_HINT: &str =
    "write the org's My Domain as \"https://acme.my.salesforce.com\", or remove the key";

/// A password is sent there: an address that is wrong is told before that.
fn login_url(reader: &Reader<'_>, number: &str, org: Org) -> Result<Option<String>, ConfigError> {
    let key = ["account", number, "login_url"];
    let Some(text) = reader.text(&key) else {
        return Ok(None);
    };
    let wrong = |problem: &str| Err(reader.wrong(&key, problem, URL_HINT));
    let Ok(url) = Url::parse(text) else {
        return wrong("the value is not a URL");
    };
    if !(url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url)) {
        return wrong("the URL is not one of https:// (http:// is for this machine only)");
    }
    let bare = url.username().is_empty() && url.password().is_none();
    if !bare || url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return wrong("the URL names more than a host and its port");
    }
    // somewhere else, the same name may be another user's
    match (org, url.host_str()) {
        (Org::Sandbox, Some("login.salesforce.com")) => {
            wrong("users of a sandbox do not log in there")
        }
        (Org::Production, Some("test.salesforce.com")) => {
            wrong("users of a production org do not log in there")
        }
        _ => Ok(Some(text.trim_end_matches('/').to_owned())),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn organization(reader: &Reader<'_>, number: &str) -> Result<Option<OrganizationId>, ConfigError> {
    let key = ["account", number, "organization_id"];
    let Some(text) = reader.text(&key) else {
        return Ok(None);
    };
    OrganizationId::parse(text).map(Some).ok_or_else(|| {
        let problem = format!("{text:?} is no id of an organization");
        let hint =
            "copy it from Setup, Company Information: 00D and 12 or 15 more letters and digits";
        reader.wrong(&key, &problem, hint)
    })
}
