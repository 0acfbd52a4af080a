//! A log-in, and what can be taken from it.
//!
//! Knows which texts clients want: the token, the password followed by it, the host to log in to. Never
//! knows what a client calls them. Token and password are given.

use zeroize::Zeroizing;

use crate::ingest::policy::Org;
use crate::ingest::secret::{Secret, joined};
use crate::ingest::token::Token;

/// What a consumer logs in with.
#[derive(Clone, Copy, Debug)]
pub struct Login<'l> {
    /// The Salesforce username.
    pub username: &'l str,
    /// The kind of org.
    pub org: Org,
    /// The security token.
    pub token: &'l Token,
    /// The Salesforce password, if it is known here.
    pub password: Option<&'l Secret>,
}

/// One text of a log-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The bare token.
    Token,
    /// The password.
    Password,
    /// The password followed by the token, as SOAP's `login` wants it.
    Login,
    /// The Salesforce username.
    Username,
    /// `production` or `sandbox`.
    Org,
    /// `login` or `test`, as simple-salesforce and Airflow call it.
    Domain,
    /// `login.salesforce.com` or `test.salesforce.com`.
    Host,
    /// The same with `https://` in front.
    Url,
    /// `true` for a sandbox, else `false`.
    Sandbox,
    /// A connection of Airflow, in its URI form.
    Airflow,
}

impl Field {
    /// Every field.
    pub const ALL: [Self; 10] = [
        Self::Token,
        Self::Password,
        Self::Login,
        Self::Username,
        Self::Org,
        Self::Domain,
        Self::Host,
        Self::Url,
        Self::Sandbox,
        Self::Airflow,
    ];

    /// Its word, as the user writes it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Password => "password",
            Self::Login => "login",
            Self::Username => "username",
            Self::Org => "org",
            Self::Domain => "domain",
            Self::Host => "host",
            Self::Url => "url",
            Self::Sandbox => "sandbox",
            Self::Airflow => "airflow",
        }
    }

    /// Whether it holds the token or the password.
    #[must_use]
    pub fn is_secret(self) -> bool {
        self == Self::Token || self.holds_password()
    }

    /// Whether it holds the password.
    #[must_use]
    pub fn holds_password(self) -> bool {
        matches!(self, Self::Password | Self::Login | Self::Airflow)
    }

    /// Its text; `None` when it holds a password and there is none.
    #[must_use]
    pub fn of(self, login: &Login<'_>) -> Option<Zeroizing<String>> {
        let sandbox = login.org == Org::Sandbox;
        let domain = if sandbox { "test" } else { "login" };
        Some(Zeroizing::new(match self {
            Self::Token => login.token.expose().to_owned(),
            Self::Password => login.password?.expose().to_owned(),
            Self::Login => [login.password?.expose(), login.token.expose()].concat(),
            Self::Username => login.username.to_owned(),
            Self::Org => login.org.as_str().to_owned(),
            Self::Domain => domain.to_owned(),
            Self::Host => format!("{domain}.salesforce.com"),
            Self::Url => format!("https://{domain}.salesforce.com"),
            Self::Sandbox => sandbox.to_string(),
            Self::Airflow => return airflow(login, domain),
        }))
    }
}

/// Airflow's own form of a connection without a host: everything in it is percent-encoded, and its
/// parameters become the extras (airflow.apache.org, "Managing Connections" and "Salesforce Connection").
fn airflow(login: &Login<'_>, domain: &str) -> Option<Zeroizing<String>> {
    let (username, password) = (encoded(login.username), encoded(login.password?.expose()));
    // a token is letters and digits
    let token = login.token.expose();
    let parts = [
        "salesforce://",
        &username,
        ":",
        &password,
        "@/?security_token=",
        token,
        "&domain=",
        domain,
    ];
    Some(joined(&parts))
}

/// All but the unreserved characters of RFC 3986, section 2.3, as `%XX`.
fn encoded(text: &str) -> Zeroizing<String> {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut uri = Zeroizing::new(String::with_capacity(3 * text.len()));
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let digit = |half: u8| char::from(HEX[usize::from(half)]);
            uri.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    uri
}
