//! From a URL to a secret in a project.
//!
//! Knows the parameters: `gcsm://PROJECT/NAME?…`, and what Google puts into the environment of its workloads. Never
//! asks the server. The URL comes from the configuration or the command line.

use std::env;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use super::Gcp;
use super::auth::{At, LogIn};
use crate::http::Http;
use crate::store::address::Address;
use crate::store::name::{Name, Rules};
use crate::store::remote::{Place, http, is_host, warn_of_clear_text};
use crate::store::session::Session;
use crate::store::{StoreError, StoreOptions};

const FORM: &str = "write gcsm://PROJECT/NAME, as in gcsm://acme-jobs/salesforce-{username}";
const KNOWN: &str = "credentials, alias, location, host, ca-file, timeout, tls";
/// Secret Manager's documentation: 1 to 255 letters, digits, dashes and underscores, with case.
const RULES: Rules = Rules {
    marks: b"-_",
    escape: '_',
    longest: 255,
    folds: false,
};
const ALIAS: &str = "current";
const METADATA: &str = "metadata.google.internal";
/// It is on this machine's host: a longer silence means that this is not Google Cloud.
const NEAR: Duration = Duration::from_secs(5);

impl Gcp {
    /// `gcsm://PROJECT/NAME[?credentials=REF][&alias=current][&location=L]`.
    pub(in crate::store) fn open(
        mut address: Address,
        options: &StoreOptions,
    ) -> Result<Self, StoreError> {
        let place = address.place.clone();
        let (project, name) = match place.split_once('/') {
            Some(parts) if address.shown.contains("://") => parts,
            _ => return Err(address.wrong("the store's URL names no project and secret", FORM)),
        };
        if !is_project(project) {
            let hint = "write the project's id, as gcloud projects list shows it";
            return Err(address.wrong("the project in the store's URL is none", hint));
        }
        let name = Name::parse(name, &RULES).ok_or_else(|| {
            let hint =
                "a name has letters, digits, - and _, and may have {username} and {org} in it";
            address.wrong("Secret Manager takes no secret of this name", hint)
        })?;
        let alias = alias(&mut address)?;
        let (http, encrypted) = http(&mut address, options, None)?;
        let location = location(&mut address)?;
        let host = address.one("host")?;
        if host.as_deref().is_some_and(|host| !is_host(host)) {
            return Err(address.wrong("the host is none", "write host=HOST, without https://"));
        }
        if host.is_none() && !encrypted {
            return Err(address.wrong("Google is not reached without TLS", "leave tls=0 out"));
        }
        let log_in = log_in(&mut address, options, &http)?;
        address.finish(KNOWN)?;
        let of_host = host
            .as_deref()
            .map_or(String::new(), |host| format!("{host}/"));
        let of_location = location
            .as_deref()
            .map_or(String::new(), |place| format!("/locations/{place}"));
        let host = host.unwrap_or_else(|| match &location {
            None => "secretmanager.googleapis.com".to_owned(),
            Some(place) => format!("secretmanager.{place}.rep.googleapis.com"),
        });
        warn_of_clear_text(encrypted, &host, &address.shown);
        let protocol = if encrypted { "https" } else { "http" };
        Ok(Self {
            root: format!("gcsm://{of_host}{project}{of_location}/"),
            secrets: format!("{protocol}://{host}/v1/projects/{project}{of_location}/secrets"),
            shown: address.shown,
            name,
            alias,
            regional: location.is_some(),
            http,
            log_in,
            session: Session::default(),
        })
    }
}

/// An id, a number, or an old one of a domain (`acme.example:jobs`).
fn is_project(text: &str) -> bool {
    let fits =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.:".contains(&byte);
    let begins = text
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphanumeric());
    begins && text.len() <= 100 && text.bytes().all(fits)
}

/// `latest` is Google's own; a number would be a version's.
fn alias(address: &mut Address) -> Result<String, StoreError> {
    let alias = address.one("alias")?.unwrap_or_else(|| ALIAS.to_owned());
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let begins = alias
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic());
    if begins
        && alias.len() <= 63
        && alias.bytes().all(fits)
        && !alias.eq_ignore_ascii_case("latest")
    {
        return Ok(alias);
    }
    Err(address.wrong(
        "Secret Manager takes no alias of this name",
        "an alias has letters, digits, - and _, a letter first, and is not latest",
    ))
}

fn location(address: &mut Address) -> Result<Option<String>, StoreError> {
    let location = address.one("location")?;
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_one = |text: &str| !text.is_empty() && text.bytes().all(fits);
    match location.as_deref().is_none_or(is_one) {
        true => Ok(location),
        false => Err(address.wrong("the location is none", "write location=europe-west3")),
    }
}

/// What Google, or its user, has set.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|text| !text.is_empty())
}

/// Which way it is, is decided here, once: what the URL says, and then what the environment has.
fn log_in(address: &mut Address, options: &StoreOptions, http: &Http) -> Result<LogIn, StoreError> {
    let given = |at: At| LogIn::Given {
        http: http.clone(),
        at,
        quota: Mutex::default(),
    };
    if let Some(reference) = address.one("credentials")? {
        return Ok(given(At::Place(Place::new(reference, options))));
    }
    if let Some(path) = variable("GOOGLE_APPLICATION_CREDENTIALS") {
        return Ok(given(At::File(PathBuf::from(path))));
    }
    let host = variable("GCE_METADATA_HOST").filter(|host| is_host(host));
    let host = host.as_deref().unwrap_or(METADATA);
    Ok(LogIn::Machine {
        http: http.direct().in_the_clear().within(NEAR),
        url: format!("http://{host}/computeMetadata/v1/instance/service-accounts/default/token"),
    })
}
