//! From a URL to a path in Vault.
//!
//! Knows the parameters: `vault://HOST[:PORT]/MOUNT/PATH?auth=…`. Never asks the server. The URL comes from the
//! configuration or the command line.

use std::path::PathBuf;
use std::sync::Mutex;

use super::Vault;
use super::auth::{Auth, Jwt, Proof, Way};
use crate::ingest::policy::Org;
use crate::store::address::Address;
use crate::store::remote::{Place, http, warn_of_clear_text};
use crate::store::template::Template;
use crate::store::{Key, StoreError, StoreOptions};

/// Where Vault listens.
const PORT: u16 = 8200;
/// The token's field.
pub(super) const FIELD: &str = "token";
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";
const KNOWN: &str = "auth, token, role, role-id, secret-id, jwt, service-account, auth-mount, namespace, field, ca-file, timeout, tls";
const FORM: &str = "write vault://HOST[:PORT]/MOUNT/PATH, as in vault://vault.example/secret/salesforce/{username}";

impl Vault {
    /// `vault://HOST[:PORT]/MOUNT/PATH[?auth=token|approle|kubernetes|jwt]…`, `openbao://` the same.
    pub(in crate::store) fn open(
        mut address: Address,
        options: &StoreOptions,
    ) -> Result<Self, StoreError> {
        let place = address.place.clone();
        let (host, path) = match place.split_once('/') {
            Some(parts) if address.shown.contains("://") => parts,
            _ => return Err(address.wrong("the store's URL names no host and path", FORM)),
        };
        if !path.contains('/') {
            return Err(address.wrong("the store's URL names a mount and no path in it", FORM));
        }
        let path = Template::parse(path, &address)?;
        let authority = authority(host, &address)?;
        let (http, encrypted) = http(&mut address, options, None)?;
        let way = way(&mut address, options)?;
        let namespace = address
            .one("namespace")?
            .map(|name| name.trim_matches('/').to_owned());
        let namespace = namespace.filter(|name| !name.is_empty());
        let field = address.one("field")?.unwrap_or_else(|| FIELD.to_owned());
        if field.is_empty() || field == super::kv::NOTE {
            return Err(address.wrong(
                "the field cannot be named so",
                "choose another word for field=",
            ));
        }
        address.finish(KNOWN)?;
        let protocol = if encrypted { "https" } else { "http" };
        warn_of_clear_text(encrypted, &authority, &address.shown);
        Ok(Self {
            root: format!("{}://{host}", address.scheme),
            api: format!("{protocol}://{authority}/v1/"),
            shown: address.shown,
            path,
            field,
            namespace,
            http,
            auth: Auth::new(way),
            mounts: Mutex::default(),
        })
    }
}

/// Whom a path is asked about that is nobody's.
pub(super) fn nobody() -> Key {
    Key {
        username: "sftoken-check".to_owned(),
        org: Org::Production,
    }
}

/// Host and port. Letters that mean something else in a URL are refused, not guessed.
fn authority(host: &str, address: &Address) -> Result<String, StoreError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    if host.is_empty() || !host.bytes().all(fits) {
        return Err(address.wrong("the host in the store's URL is none", FORM));
    }
    let after = host.rsplit(']').next().unwrap_or(host);
    match after.split_once(':') {
        None => Ok(format!("{host}:{PORT}")),
        Some((_, port)) if port.parse::<u16>().is_ok() => Ok(host.to_owned()),
        Some(_) => Err(address.wrong("the port in the store's URL is no number", FORM)),
    }
}

fn way(address: &mut Address, options: &StoreOptions) -> Result<Way, StoreError> {
    let auth = address.one("auth")?;
    let mount = address.one("auth-mount")?;
    let method = auth.as_deref().unwrap_or("token");
    let with = match method {
        "token" => {
            let usual = match address.scheme.as_str() {
                "openbao" => "env:BAO_TOKEN",
                _ => "env:VAULT_TOKEN",
            };
            let token = address.one("token")?.unwrap_or_else(|| usual.to_owned());
            return match mount {
                None => Ok(Way::Token(Place::new(token, options))),
                Some(_) => Err(address.wrong(
                    "auth-mount= goes with a log-in",
                    "leave it out with auth=token",
                )),
            };
        }
        "approle" => Proof::AppRole {
            role_id: wanted(address, "role-id", "role-id=ID, which is no secret")?,
            secret_id: Place::new(
                wanted(address, "secret-id", "secret-id=env:NAME or file:/PATH")?,
                options,
            ),
        },
        "kubernetes" => Proof::Jwt {
            role: Some(wanted(address, "role", "role=NAME")?),
            jwt: mounted(address, options)?,
        },
        "jwt" => Proof::Jwt {
            role: address.one("role")?,
            jwt: Jwt::At(Place::new(
                wanted(address, "jwt", "jwt=env:NAME or file:/PATH")?,
                options,
            )),
        },
        _ => {
            return Err(address.wrong(
                "this way to log in is unknown",
                "auth is token, approle, kubernetes or jwt",
            ));
        }
    };
    let mount = mount.unwrap_or_else(|| method.to_owned());
    Ok(Way::Login { mount, with })
}

fn mounted(address: &mut Address, options: &StoreOptions) -> Result<Jwt, StoreError> {
    if let Some(reference) = address.one("jwt")? {
        return Ok(Jwt::At(Place::new(reference, options)));
    }
    let file = address.one("service-account")?;
    Ok(Jwt::Mounted(PathBuf::from(
        file.as_deref().unwrap_or(SERVICE_ACCOUNT),
    )))
}

fn wanted(address: &mut Address, name: &str, form: &str) -> Result<String, StoreError> {
    address
        .one(name)?
        .filter(|value| !value.is_empty())
        .ok_or_else(|| {
            let problem = format!("the store's URL has no {name}=");
            address.wrong(problem, format!("add {form}"))
        })
}
