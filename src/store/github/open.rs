//! From a URL to a repository's secrets.
//!
//! Knows the parameters: `github://OWNER/REPO/NAME?environment=…`. Never asks the server. The URL comes from the
//! configuration or the command line.

use std::sync::OnceLock;

use super::GitHub;
use super::name::Name;
use crate::store::address::{Address, escape};
use crate::store::remote::{Place, http, warn_of_clear_text};
use crate::store::{StoreError, StoreOptions};

const FORM: &str = "write github://OWNER/REPO/NAME, as in github://acme/jobs/SF_SECURITY_TOKEN";
const KNOWN: &str = "environment, token, host, ca-file, timeout, tls";

impl GitHub {
    /// `github://OWNER/REPO/NAME[?environment=E][&token=REF][&host=HOST]`.
    pub(in crate::store) fn open(
        mut address: Address,
        options: &StoreOptions,
    ) -> Result<Self, StoreError> {
        let place = address.place.clone();
        let parts: Vec<&str> = place.split('/').collect();
        let [owner, repository, name] = parts[..] else {
            return Err(address.wrong(
                "the store's URL names no owner, repository and secret",
                FORM,
            ));
        };
        if !address.shown.contains("://") || ![owner, repository].into_iter().all(is_plain) {
            return Err(address.wrong(
                "the owner or the repository in the store's URL is none",
                FORM,
            ));
        }
        let name = Name::parse(name).ok_or_else(|| {
            let hint = "a name has letters, digits and _, no digit first, and does not begin with GITHUB_; {username} may stand behind that";
            address.wrong("GitHub takes no secret of this name", hint)
        })?;
        let (http, encrypted) = http(&mut address, options, None)?;
        let host = address.one("host")?;
        warn_of_clear_text(
            encrypted,
            host.as_deref().unwrap_or_default(),
            &address.shown,
        );
        let api = api(host.as_deref(), encrypted, &address)?;
        let environment = address.one("environment")?.filter(|name| !name.is_empty());
        let token = address
            .one("token")?
            .unwrap_or_else(|| "env:GH_TOKEN".to_owned());
        address.finish(KNOWN)?;
        let place = match &environment {
            None => "actions/secrets".to_owned(),
            Some(name) => format!("environments/{}/secrets", escape(name)),
        };
        let shown_host = host.map_or(String::new(), |host| format!("{host}/"));
        let shown_place = environment.map_or(String::new(), |name| {
            format!("environments/{}/", escape(&name))
        });
        Ok(Self {
            root: format!("github://{shown_host}{owner}/{repository}/{shown_place}"),
            secrets: format!("{api}/repos/{owner}/{repository}/{place}/"),
            shown: address.shown,
            name,
            http,
            token: Place::new(token, options),
            owner: OnceLock::new(),
        })
    }
}

/// As names of owners and repositories are.
fn is_plain(part: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !part.is_empty() && part != "." && part != ".." && part.bytes().all(fits)
}

/// GitHub itself, an enterprise's own server (`/api/v3`), or one with data residency (`api.NAME.ghe.com`).
fn api(host: Option<&str>, encrypted: bool, address: &Address) -> Result<String, StoreError> {
    let protocol = if encrypted { "https" } else { "http" };
    let Some(host) = host else {
        return match encrypted {
            true => Ok("https://api.github.com".to_owned()),
            false => Err(address.wrong("GitHub is not reached without TLS", "leave tls=0 out")),
        };
    };
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte);
    if host.is_empty() || !host.bytes().all(fits) {
        return Err(address.wrong("the host is none", "write host=github.acme.example"));
    }
    match host.ends_with(".ghe.com") {
        true => Ok(format!("{protocol}://api.{host}")),
        false => Ok(format!("{protocol}://{host}/api/v3")),
    }
}
