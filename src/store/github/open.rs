//! From a URL to the secrets of a repository or an organization.
//!
//! Knows the parameters: `github://OWNER/REPO/NAME?environment=…`, `github://orgs/ORG/NAME`. Never asks the server. The URL comes from the
//! configuration or the command line.

use std::sync::OnceLock;

use super::GitHub;
use super::app::{App, LogIn};
use super::name::Name;
use super::organization::Visibility;
use crate::store::address::{Address, escape};
use crate::store::remote::{Place, http, warn_of_clear_text};
use crate::store::session::Session;
use crate::store::{StoreError, StoreOptions};

const FORM: &str = "write github://OWNER/REPO/NAME, as in github://acme/jobs/SF_SECURITY_TOKEN; or, for an organization's secret, github://orgs/ORG/NAME";
const KNOWN: &str = "environment, for, visibility, token, app, installation, private-key, host, ca-file, timeout, tls";
/// Nobody can have this name at GitHub: it begins the paths of organizations.
const ORGANIZATIONS: &str = "orgs";

/// Whose secrets they are.
struct Whose {
    /// `repos/OWNER/REPO` or `orgs/ORG`.
    path: String,
    organization: bool,
    name: Name,
}

impl GitHub {
    /// `github://OWNER/REPO/NAME[?environment=E][&token=REF][&host=HOST]`, `github://orgs/ORG/NAME`.
    pub(in crate::store) fn open(
        mut address: Address,
        options: &StoreOptions,
    ) -> Result<Self, StoreError> {
        let whose = whose(&address)?;
        let (http, encrypted) = http(&mut address, options, None)?;
        let host = address.one("host")?;
        warn_of_clear_text(
            encrypted,
            host.as_deref().unwrap_or_default(),
            &address.shown,
        );
        let api = api(host.as_deref(), encrypted, &address)?;
        let visibility = visibility(&mut address, whose.organization)?;
        let (secrets, of_place) = place(&mut address, whose.organization)?;
        let log_in = log_in(&mut address, options, &api, &whose.path)?;
        address.finish(KNOWN)?;
        let of_host = host.map_or(String::new(), |host| format!("{host}/"));
        let shown = match whose.organization {
            true => whose.path.as_str(),
            false => whose.path.trim_start_matches("repos/"),
        };
        Ok(Self {
            root: format!("github://{of_host}{shown}/{of_place}"),
            secrets: format!("{api}/{}/{secrets}/", whose.path),
            shown: address.shown,
            name: whose.name,
            organization: whose.organization,
            visibility,
            http,
            log_in,
            owner: OnceLock::new(),
        })
    }
}

fn whose(address: &Address) -> Result<Whose, StoreError> {
    let parts: Vec<&str> = address.place.split('/').collect();
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
    let organization = owner == ORGANIZATIONS;
    let path = match organization {
        true => format!("orgs/{repository}"),
        false => format!("repos/{owner}/{repository}"),
    };
    Ok(Whose {
        path,
        organization,
        name,
    })
}

/// The path of the secrets below their owner, and what slots show of it.
fn place(address: &mut Address, organization: bool) -> Result<(String, String), StoreError> {
    let environment = address.one("environment")?.filter(|name| !name.is_empty());
    let reader = address.one("for")?;
    let reader = reader.as_deref().unwrap_or("actions");
    if !["actions", "dependabot", "codespaces"].contains(&reader) {
        let hint = "for is actions, dependabot or codespaces";
        return Err(address.wrong("GitHub has no secrets for that", hint));
    }
    if organization && reader != "actions" {
        let problem = "an organization's secret is for Actions";
        return Err(address.wrong(problem, "leave for= out"));
    }
    let Some(environment) = environment else {
        let of_place = match reader {
            "actions" => String::new(),
            other => format!("{other}/"),
        };
        return Ok((format!("{reader}/secrets"), of_place));
    };
    if organization || reader != "actions" {
        let problem = "only a repository has environments, and only for Actions";
        return Err(address.wrong(problem, "leave environment= out"));
    }
    let name = escape(&environment);
    Ok((
        format!("environments/{name}/secrets"),
        format!("environments/{name}/"),
    ))
}

fn visibility(address: &mut Address, organization: bool) -> Result<Visibility, StoreError> {
    let Some(text) = address.one("visibility")? else {
        return Ok(Visibility::Private);
    };
    if !organization {
        let problem = "visibility= goes with an organization's secret";
        return Err(address.wrong(problem, "leave it out"));
    }
    Visibility::parse(&text).ok_or_else(|| {
        address.wrong(
            "the visibility is unknown",
            "visibility is all, private or selected",
        )
    })
}

fn log_in(
    address: &mut Address,
    options: &StoreOptions,
    api: &str,
    path: &str,
) -> Result<LogIn, StoreError> {
    let token = address.one("token")?;
    let app = address.one("app")?.filter(|id| !id.is_empty());
    let key = address.one("private-key")?;
    let installation = address.one("installation")?;
    let number = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    if installation.as_deref().is_some_and(|id| !number(id)) {
        let hint = "it is the number at the end of the installation's page";
        return Err(address.wrong("the installation is no number", hint));
    }
    let (id, key) = match (app, key, token, &installation) {
        (None, None, token, None) => {
            let token = token.unwrap_or_else(|| "env:GH_TOKEN".to_owned());
            return Ok(LogIn::Token(Place::new(token, options)));
        }
        (Some(id), Some(key), None, _) => (id, key),
        _ => {
            return Err(address.wrong(
                "the store's URL names no token and no whole app, or both",
                "give token=REF, or app=ID and private-key=REF, with installation=NUMBER if you like",
            ));
        }
    };
    Ok(LogIn::App(App {
        id,
        key: Place::new(key, options),
        installation,
        place: format!("{api}/{path}"),
        api: api.to_owned(),
        session: Session::default(),
    }))
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
