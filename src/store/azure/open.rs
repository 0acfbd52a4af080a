//! From a URL to a secret in a vault.
//!
//! Knows the parameters: `akv://VAULT/NAME?auth=…`, the clouds, and what Azure puts into the environment of its
//! workloads. Never asks the vault. The URL comes from the configuration or the command line.

use std::env;
use std::path::PathBuf;
use std::time::Duration;

use super::Azure;
use super::auth::{LogIn, Proof};
use crate::http::Http;
use crate::ingest::secret::Secret;
use crate::store::address::{Address, escape};
use crate::store::name::{Name, Rules};
use crate::store::remote::{Place, http, is_host, warn_of_clear_text};
use crate::store::session::Session;
use crate::store::{StoreError, StoreOptions};

const FORM: &str = "write akv://VAULT/NAME, as in akv://acme-jobs/salesforce-{username}";
const KNOWN: &str = "auth, tenant, client-id, client-secret, federated-token, cloud, authority, host, ca-file, timeout, tls";
/// Key Vault's documentation: 1 to 127 letters, digits and dashes, without case.
const RULES: Rules = Rules {
    marks: b"-",
    escape: '-',
    longest: 127,
    folds: true,
};
/// Where virtual machines ask for their identity (Azure's Instance Metadata Service).
const METADATA: &str = "http://169.254.169.254";

/// It is on this machine, or on its host: a longer silence means that this is not Azure.
const NEAR: Duration = Duration::from_secs(5);

/// One of Microsoft's clouds.
struct Cloud {
    /// Of vaults; also the name of what a token is for.
    domain: &'static str,
    authority: &'static str,
}

impl Cloud {
    fn named(name: &str) -> Option<Self> {
        let (domain, authority) = match name {
            "public" => ("vault.azure.net", "login.microsoftonline.com"),
            "china" => ("vault.azure.cn", "login.partner.microsoftonline.cn"),
            "usgov" => ("vault.usgovcloudapi.net", "login.microsoftonline.us"),
            _ => return None,
        };
        Some(Self { domain, authority })
    }
}

impl Azure {
    /// `akv://VAULT/NAME[?cloud=…][&tenant=T&client-id=C&client-secret=REF]`.
    pub(in crate::store) fn open(
        mut address: Address,
        options: &StoreOptions,
    ) -> Result<Self, StoreError> {
        let place = address.place.clone();
        let (vault, name) = match place.split_once('/') {
            Some(parts) if address.shown.contains("://") => parts,
            _ => return Err(address.wrong("the store's URL names no vault and secret", FORM)),
        };
        if !is_vault(vault) {
            let hint = "a vault's name has 3 to 24 letters, digits and dashes; cloud= says which cloud it is in";
            return Err(address.wrong("the vault in the store's URL is none", hint));
        }
        let name = Name::parse(name, &RULES).ok_or_else(|| {
            let hint =
                "a name has letters, digits and dashes, and may have {username} and {org} in it";
            address.wrong("Key Vault takes no secret of this name", hint)
        })?;
        let cloud = address.one("cloud")?;
        let cloud = Cloud::named(cloud.as_deref().unwrap_or("public"));
        let cloud = cloud.ok_or_else(|| {
            address.wrong("the cloud is unknown", "cloud is public, china or usgov")
        })?;
        let (http, encrypted) = http(&mut address, options, None)?;
        let host = host(&mut address, "host")?;
        if host.is_none() && !encrypted {
            return Err(address.wrong("Azure is not reached without TLS", "leave tls=0 out"));
        }
        let vault = vault.to_ascii_lowercase();
        let root = match &host {
            Some(host) => format!("akv://{host}/{vault}/"),
            None => format!("akv://{vault}/"),
        };
        let host = host.unwrap_or_else(|| format!("{vault}.{}", cloud.domain));
        warn_of_clear_text(encrypted, &host, &address.shown);
        let protocol = if encrypted { "https" } else { "http" };
        let log_in = log_in(&mut address, options, &cloud, &http, protocol)?;
        address.finish(KNOWN)?;
        Ok(Self {
            root,
            secrets: format!("{protocol}://{host}/secrets/"),
            shown: address.shown,
            name,
            http,
            log_in,
            session: Session::default(),
        })
    }
}

fn is_vault(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (3..=24).contains(&name.len()) && name.bytes().all(fits)
}

fn host(address: &mut Address, name: &str) -> Result<Option<String>, StoreError> {
    let host = address.one(name)?;
    match host.as_deref().is_none_or(is_host) {
        true => Ok(host),
        false => {
            let problem = format!("the {name} is none");
            Err(address.wrong(problem, format!("write {name}=HOST, without https://")))
        }
    }
}

/// A variable that Azure, or its user, has set.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|text| !text.is_empty())
}

/// Which way it is, is decided here, once: what the URL says, and then what the environment has.
fn log_in(
    address: &mut Address,
    options: &StoreOptions,
    cloud: &Cloud,
    http: &Http,
    protocol: &str,
) -> Result<LogIn, StoreError> {
    let secret = address.one("client-secret")?;
    let file = address.one("federated-token")?;
    let way = match address.one("auth")? {
        Some(way) => way,
        None if secret.is_some() => "client-secret".to_owned(),
        None if file.is_some() => "workload-identity".to_owned(),
        None if variable("AZURE_CLIENT_SECRET").is_some() => "client-secret".to_owned(),
        None if variable("AZURE_FEDERATED_TOKEN_FILE").is_some() => "workload-identity".to_owned(),
        None => "managed-identity".to_owned(),
    };
    let client = address
        .one("client-id")?
        .or_else(|| variable("AZURE_CLIENT_ID"));
    let tenant = address
        .one("tenant")?
        .or_else(|| variable("AZURE_TENANT_ID"));
    let authority = host(address, "authority")?;
    let proof = match way.as_str() {
        "client-secret" => {
            let place = secret.unwrap_or_else(|| "env:AZURE_CLIENT_SECRET".to_owned());
            Proof::Secret(Place::new(place, options))
        }
        "workload-identity" => {
            let file = file.or_else(|| variable("AZURE_FEDERATED_TOKEN_FILE"));
            let file = file.ok_or_else(|| missing(address, "federated-token=/FILE"))?;
            Proof::Federated(PathBuf::from(file))
        }
        "managed-identity" => return Ok(machine(cloud, http, client.as_deref())),
        _ => {
            return Err(address.wrong(
                "this way to log in is unknown",
                "auth is client-secret, workload-identity or managed-identity",
            ));
        }
    };
    let client = client.ok_or_else(|| missing(address, "client-id=ID"))?;
    let tenant = tenant.ok_or_else(|| missing(address, "tenant=ID"))?;
    let authority = authority.unwrap_or_else(|| of_the_environment(cloud));
    Ok(LogIn::App {
        http: http.clone(),
        url: format!(
            "{protocol}://{authority}/{}/oauth2/v2.0/token",
            escape(&tenant)
        ),
        client,
        scope: format!("https://{}/.default", cloud.domain),
        proof,
    })
}

fn missing(address: &Address, form: &str) -> StoreError {
    let name = form.split('=').next().unwrap_or_default();
    let problem = format!("the store's URL has no {name}=, nor has the environment");
    address.wrong(problem, format!("add {form}"))
}

/// A workload's cluster says which cloud it is in: `https://HOST/`.
fn of_the_environment(cloud: &Cloud) -> String {
    let told = variable("AZURE_AUTHORITY_HOST");
    let host = told
        .as_deref()
        .and_then(|text| text.strip_prefix("https://"));
    let host = host.map(|host| host.trim_end_matches('/'));
    let host = host.filter(|host| is_host(host));
    host.unwrap_or(cloud.authority).to_owned()
}

/// App Service tells where to ask; a virtual machine asks its metadata service. In the clear: it is on this machine, or on
/// a link of its own.
fn machine(cloud: &Cloud, http: &Http, client: Option<&str>) -> LogIn {
    let http = http.direct().in_the_clear().within(NEAR);
    let of_client = client.map_or(String::new(), |id| format!("&client_id={}", escape(id)));
    let query = format!("resource=https%3A%2F%2F{}{of_client}", cloud.domain);
    if let (Some(url), Some(header)) = (variable("IDENTITY_ENDPOINT"), variable("IDENTITY_HEADER"))
    {
        return LogIn::Machine {
            http,
            url: format!("{url}?api-version=2019-08-01&{query}"),
            header: Some(Secret::new(header)),
        };
    }
    let host = variable("AZURE_POD_IDENTITY_AUTHORITY_HOST");
    let host = host.as_deref().unwrap_or(METADATA).trim_end_matches('/');
    LogIn::Machine {
        http,
        url: format!("{host}/metadata/identity/oauth2/token?api-version=2018-02-01&{query}"),
        header: None,
    }
}
