//! Other ways to log in than by a plain password.
//!
//! Knows SASL mechanisms and Dovecot's question about access tokens. Stands behind the rest of the
//! configuration, of which it overrides a part.

use std::fs;

use super::{Dovecot, setup};

/// How one logs in.
pub(crate) struct LogIn {
    /// SASL mechanisms.
    pub(crate) mechanisms: &'static str,
    /// Where the server asks whose an access token is; the token is added.
    pub(crate) token_info: Option<String>,
}

impl LogIn {
    /// With a password, by these mechanisms.
    pub(crate) fn by(mechanisms: &'static str) -> Self {
        Self {
            mechanisms,
            token_info: None,
        }
    }

    pub(super) fn config(&self, server: &Dovecot) -> String {
        let mechanisms = self.mechanisms;
        let tokens = self.token_info.as_deref().map_or_else(String::new, |url| {
            let about = format!("tokeninfo_url = {url}\nusername_attribute = email\n");
            // since 2.4 the mechanism asks by itself, without a passdb (doc.dovecot.org, "oauth2"): not run yet,
            // as Debian 12 has 2.3
            if !setup::is_old() {
                return format!("oauth2 {{\n{about}}}\n");
            }
            let file = server.path("oauth2.conf");
            fs::write(&file, about).unwrap();
            format!(
                "passdb {{\n driver = oauth2\n mechanisms = xoauth2 oauthbearer\n args = {}\n}}\n",
                file.display()
            )
        });
        format!("auth_mechanisms = {mechanisms}\n{tokens}")
    }
}
