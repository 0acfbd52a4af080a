//! Providers of tokens, as data.
//!
//! Knows the endpoints and scopes of Google and Microsoft. Never asks them anything. A provider that is
//! neither is told by the configuration.

/// Whose words a provider's errors are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brand {
    /// Google: Gmail, Workspace.
    Google,
    /// Microsoft: Exchange Online, Outlook.com.
    Microsoft,
    /// Anyone else.
    Other,
}

/// Where tokens are asked for, and for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Whose words its errors are.
    pub brand: Brand,
    /// The token endpoint.
    pub token_url: String,
    /// The device authorization endpoint (RFC 8628), if it gives mail scopes.
    pub device_url: Option<String>,
    /// Where a browser is sent (RFC 6749, 3.1).
    pub authorize_url: Option<String>,
    /// What a user allows.
    pub scope: Option<String>,
    /// What an app is given for itself, by client credentials.
    pub app_scope: Option<String>,
}

impl Provider {
    /// Google. No device flow: it has no mail scope (developers.google.com, "OAuth 2.0 for TV and
    /// Limited-Input Device Applications", allowed scopes).
    #[must_use]
    pub fn google() -> Self {
        Self {
            brand: Brand::Google,
            token_url: "https://oauth2.googleapis.com/token".to_owned(),
            device_url: None,
            authorize_url: Some("https://accounts.google.com/o/oauth2/v2/auth".to_owned()),
            scope: Some("https://mail.google.com/".to_owned()),
            app_scope: None,
        }
    }

    /// Microsoft. `tenant` is a directory's id or domain, `organizations`, `common` or `consumers`.
    #[must_use]
    pub fn microsoft(tenant: &str) -> Self {
        let base = format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0");
        Self {
            brand: Brand::Microsoft,
            token_url: format!("{base}/token"),
            device_url: Some(format!("{base}/devicecode")),
            authorize_url: Some(format!("{base}/authorize")),
            scope: Some(
                "https://outlook.office.com/IMAP.AccessAsUser.All offline_access".to_owned(),
            ),
            app_scope: Some("https://outlook.office365.com/.default".to_owned()),
        }
    }

    /// Any other, by its token endpoint.
    #[must_use]
    pub fn generic(token_url: &str) -> Self {
        Self {
            brand: Brand::Other,
            token_url: token_url.to_owned(),
            device_url: None,
            authorize_url: None,
            scope: None,
            app_scope: None,
        }
    }
}
