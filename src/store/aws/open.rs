//! From a URL to a secret or a parameter.
//!
//! Knows the parameters: `awssm://[PROFILE@]REGION/NAME?…` and `awsps://[PROFILE@]REGION/PATH?…`. Never asks AWS. The URL comes
//! from the configuration or the command line.

use std::sync::{Arc, Mutex};

use super::Service;
use super::api::Api;
use super::endpoint::is_region;
use super::name::Name;
use super::parameter::Parameter;
use super::secret::Secret;
use super::session::{Keys, Session};
use super::value::NOTE;
use crate::http::Http;
use crate::store::address::{Address, escape};
use crate::store::remote::{Place, http, warn_of_clear_text};
use crate::store::{Store, StoreError, StoreOptions};

/// The token's field.
const FIELD: &str = "token";
/// The region that is the profile's or the machine's own.
const USUAL: &str = "-";

/// `awssm://[PROFILE@]REGION/NAME[?…]` or `awsps://[PROFILE@]REGION/PATH[?…]`.
pub(in crate::store) fn open(
    mut address: Address,
    options: &StoreOptions,
) -> Result<Arc<dyn Store>, StoreError> {
    let service = match address.scheme.as_str() {
        "awssm" => Service::SecretsManager,
        _ => Service::ParameterStore,
    };
    let (whole, place, name) = parts(&address, service)?;
    let name = Name::parse(&name, service, &address)?;
    let (profile, region) = match place.split_once('@') {
        Some((profile, region)) => (Some(profile.to_owned()), region),
        None => (None, place.as_str()),
    };
    if region != USUAL && !is_region(region) {
        let hint =
            "a region is written like eu-west-1; - stands for the profile's or this machine's own";
        return Err(address.wrong("the region in the store's URL is none", hint));
    }
    let (endpoint, api_http, login_http) = reached(&mut address, options)?;
    let kms_key = address.one("kms-key")?.filter(|key| !key.is_empty());
    let keys = keys(&mut address, options, profile.is_some())?;
    let field = field(&mut address, service)?;
    address.finish(match service {
        Service::SecretsManager => {
            "field, kms-key, endpoint, access-key, secret-key, ca-file, timeout"
        }
        Service::ParameterStore => "kms-key, endpoint, access-key, secret-key, ca-file, timeout",
    })?;
    let tail = tail(endpoint.as_deref(), &field);
    let api = Api {
        session: Session {
            shown: address.shown,
            service,
            profile,
            region: (region != USUAL).then(|| region.to_owned()),
            endpoint,
            keys,
            http: login_http,
            held: Mutex::default(),
        },
        http: api_http,
    };
    Ok(match service {
        Service::SecretsManager => Arc::new(Secret {
            api,
            root: format!("{whole}/"),
            tail,
            name,
            field,
            kms_key,
        }),
        Service::ParameterStore => Arc::new(Parameter {
            api,
            root: whole,
            tail,
            name,
            kms_key,
        }),
    })
}

/// Scheme and place; the place, as PROFILE@REGION; and the name.
fn parts(address: &Address, service: Service) -> Result<(String, String, String), StoreError> {
    let form = match service {
        Service::SecretsManager => {
            "write awssm://REGION/NAME, as in awssm://eu-west-1/salesforce/{username}"
        }
        Service::ParameterStore => {
            "write awsps://REGION/PATH, as in awsps://eu-west-1/salesforce/{username}"
        }
    };
    let (place, name) = match address.place.split_once('/') {
        Some(parts) if address.shown.contains("://") => parts,
        _ => return Err(address.wrong("the store's URL names no region and name", form)),
    };
    let whole = format!("{}://{place}", address.scheme);
    Ok((whole, place.to_owned(), name.to_owned()))
}

/// The endpoint that the URL names; how it is reached; and how those are reached who give credentials: never in the clear.
fn reached(
    address: &mut Address,
    options: &StoreOptions,
) -> Result<(Option<String>, Http, Http), StoreError> {
    if !address.all("tls").is_empty() {
        let hint = "an endpoint without TLS is given as endpoint=http://HOST:PORT";
        return Err(address.wrong("the parameter \"tls\" is unknown here", hint));
    }
    let (usual, _) = http(address, options, None)?;
    let Some(given) = address.one("endpoint")? else {
        return Ok((None, usual.clone(), usual));
    };
    let url = given.trim_end_matches('/');
    let (encrypted, authority) = match url.split_once("://") {
        Some(("https", authority)) => (true, authority),
        Some(("http", authority)) => (false, authority),
        _ => (true, ""),
    };
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    if authority.is_empty() || !authority.bytes().all(fits) {
        let hint = "write endpoint=https://HOST or endpoint=https://HOST:PORT";
        return Err(address.wrong("the endpoint is none", hint));
    }
    warn_of_clear_text(encrypted, authority, &address.shown);
    let api = match encrypted {
        true => usual.clone(),
        false => usual.in_the_clear(),
    };
    Ok((Some(url.to_owned()), api, usual))
}

/// An access key of the store's own, whose secret half stands elsewhere.
fn keys(
    address: &mut Address,
    options: &StoreOptions,
    has_profile: bool,
) -> Result<Option<Keys>, StoreError> {
    let pair = (address.one("access-key")?, address.one("secret-key")?);
    match pair {
        (None, None) => Ok(None),
        (Some(id), Some(reference)) if !has_profile && is_key_id(&id) => Ok(Some(Keys {
            id,
            secret: Place::new(reference, options),
        })),
        (Some(_), Some(_)) if has_profile => Err(address.wrong(
            "the store's URL names both a profile and an access key",
            "leave one of them out",
        )),
        (Some(_), Some(_)) => Err(address.wrong(
            "the access key in the store's URL is none",
            "write access-key=ID, as in AKIAIOSFODNN7EXAMPLE, and secret-key=env:NAME or file:/PATH",
        )),
        _ => Err(address.wrong(
            "access-key= and secret-key= go together",
            "write both, access-key=ID and secret-key=env:NAME or file:/PATH, or neither",
        )),
    }
}

/// API reference of IAM, AccessKey: 16 to 128 letters.
fn is_key_id(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    (16..=128).contains(&text.len()) && text.bytes().all(fits)
}

fn field(address: &mut Address, service: Service) -> Result<String, StoreError> {
    if service == Service::ParameterStore {
        return Ok(FIELD.to_owned());
    }
    let field = address.one("field")?.unwrap_or_else(|| FIELD.to_owned());
    if field.is_empty() || field == NOTE {
        let problem = "the field cannot be named so";
        return Err(address.wrong(problem, "choose another word for field="));
    }
    Ok(field)
}

/// What makes two slots of one name two.
fn tail(endpoint: Option<&str>, field: &str) -> String {
    let endpoint = endpoint.map(|url| format!("endpoint={}", escape(url)));
    let field = (field != FIELD).then(|| format!("field={}", escape(field)));
    let both: Vec<String> = endpoint.into_iter().chain(field).collect();
    match both.is_empty() {
        true => String::new(),
        false => format!("?{}", both.join("&")),
    }
}
