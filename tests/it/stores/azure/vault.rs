//! A vault, and the log-in of its tenant.
//!
//! Knows versions, tags, pages and refusals, as Microsoft documents them. Never checks a condition: the real one has none.
//! Takes what no real one would as a failed test.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::support::stub::{Asked, Reply};

const PAGE: usize = 3;

/// A version of a secret.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub(super) id: String,
    pub(super) value: String,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) enabled: bool,
}

/// What a vault holds.
#[derive(Default)]
pub(super) struct Inside {
    pub(super) secrets: BTreeMap<String, Vec<Version>>,
    /// Names that were deleted, and are kept.
    pub(super) deleted: Vec<String>,
    /// What log-ins give: another one each time.
    pub(super) logged_in: usize,
    /// Access tokens up to this one are revoked.
    pub(super) revoked: usize,
    /// Runs once, right after the next set: another machine.
    pub(super) after_set: Option<fn(&mut Vec<Version>)>,
}

#[derive(Clone, Default)]
pub(super) struct Vault(Arc<Mutex<Inside>>);

impl Vault {
    pub(super) fn start(&self) -> Stub {
        let vault = self.clone();
        Stub::start(move |asked| vault.answer(asked))
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Inside) -> T) -> T {
        change(&mut self.0.lock().unwrap())
    }

    /// What is on top, as every reader sees it.
    pub(super) fn top(&self, name: &str) -> Version {
        self.change(|inside| inside.secrets[name].last().unwrap().clone())
    }

    fn answer(&self, asked: &Asked) -> Reply {
        let inside = &mut *self.0.lock().unwrap();
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        if path == "/acme.example/oauth2/v2.0/token" {
            return log_in(inside, asked).into();
        }
        let host = &asked.headers["host"];
        let known = (inside.revoked + 1..=inside.logged_in).any(|number| {
            asked.headers["authorization"] == format!("Bearer planted-access-{number}")
        });
        if !known {
            return refusal(401, "Unauthorized", None).into();
        }
        assert!(
            query.split('&').any(|pair| pair == "api-version=7.4"),
            "{query}"
        );
        let parts: Vec<&str> = path.trim_start_matches("/secrets/").split('/').collect();
        let name = parts[0];
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        assert!(
            !name.is_empty() && name.len() <= 127 && name.bytes().all(fits),
            "{path}"
        );
        match (asked.method.as_str(), &parts[1..]) {
            ("PUT", []) => set(inside, host, name, &asked.json()).into(),
            ("GET", []) => get(
                inside.secrets.get(name).and_then(|all| all.last()),
                host,
                name,
            )
            .into(),
            ("GET", ["versions"]) => list(inside.secrets.get(name), host, name, query).into(),
            ("GET", [id]) => {
                let all = inside.secrets.get(name);
                let one = all.and_then(|all| all.iter().find(|version| version.id == *id));
                get(one, host, name).into()
            }
            other => panic!("{other:?}"),
        }
    }
}

fn log_in(inside: &mut Inside, asked: &Asked) -> (u16, String) {
    let form = form(&asked.body);
    assert_eq!(form["grant_type"], "client_credentials");
    assert_eq!(form["client_id"], "client-1");
    assert_eq!(form["scope"], "https://vault.azure.net/.default");
    let proven = match form.get("client_secret") {
        Some(secret) => secret == "planted-client-secret",
        None => {
            assert_eq!(
                form["client_assertion_type"],
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
            );
            form["client_assertion"] == "planted-federated-token"
        }
    };
    if !proven {
        let told = json!({"error": "invalid_client", "error_codes": [7000215],
            "error_description": "AADSTS7000215: planted words"});
        return (401, told.to_string());
    }
    inside.logged_in += 1;
    let token = format!("planted-access-{}", inside.logged_in);
    let told = json!({"token_type": "Bearer", "expires_in": 3599, "access_token": token});
    (200, told.to_string())
}

/// A form, decoded.
pub(super) fn form(body: &str) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(body.as_bytes())
        .into_owned()
        .collect()
}

pub(super) fn refusal(status: u16, code: &str, inner: Option<&str>) -> (u16, String) {
    let mut error = json!({"code": code, "message": "planted words"});
    if let Some(inner) = inner {
        error["innererror"] = json!({"code": inner});
    }
    (status, json!({"error": error}).to_string())
}

fn bundle(version: &Version, host: &str, name: &str) -> Value {
    json!({
        "id": format!("http://{host}/secrets/{name}/{}", version.id),
        "attributes": {"enabled": version.enabled, "created": 1_764_000_000, "updated": 1_764_000_000},
        "tags": version.tags,
    })
}

fn set(inside: &mut Inside, host: &str, name: &str, body: &Value) -> (u16, String) {
    if inside.deleted.iter().any(|deleted| deleted == name) {
        return refusal(409, "Conflict", Some("ObjectIsDeletedButRecoverable"));
    }
    let tags: BTreeMap<String, String> = serde_json::from_value(body["tags"].clone()).unwrap();
    let short = |text: &String| text.encode_utf16().count() <= 256;
    assert!(
        tags.len() <= 15 && tags.iter().all(|(name, value)| short(name) && short(value)),
        "{tags:?}"
    );
    assert_eq!(body["contentType"], "text/plain");
    let versions = inside.secrets.entry(name.to_owned()).or_default();
    let version = version(versions.len(), body["value"].as_str().unwrap(), tags);
    versions.push(version.clone());
    let mut told = bundle(&version, host, name);
    told["value"] = json!(version.value);
    if let Some(another) = inside.after_set.take() {
        another(versions);
    }
    (200, told.to_string())
}

/// The `count`-th version. Ids tell nothing of their order.
pub(super) fn version(count: usize, value: &str, tags: BTreeMap<String, String>) -> Version {
    Version {
        id: format!(
            "{:032x}",
            (count as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
        ),
        value: value.to_owned(),
        tags,
        enabled: true,
    }
}

fn get(version: Option<&Version>, host: &str, name: &str) -> (u16, String) {
    match version {
        None => refusal(404, "SecretNotFound", None),
        Some(version) if !version.enabled => refusal(403, "Forbidden", Some("SecretDisabled")),
        Some(version) => {
            let mut told = bundle(version, host, name);
            told["value"] = json!(version.value);
            (200, told.to_string())
        }
    }
}

/// Without values, in the order of ids, page by page.
fn list(versions: Option<&Vec<Version>>, host: &str, name: &str, query: &str) -> (u16, String) {
    let mut versions = versions.cloned().unwrap_or_default();
    versions.sort_by(|one, other| one.id.cmp(&other.id));
    let skip = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("$skiptoken="));
    let skip: usize = skip.map_or(0, |skip| skip.parse().unwrap());
    let page: Vec<Value> = versions
        .iter()
        .skip(skip)
        .take(PAGE)
        .map(|version| bundle(version, host, name))
        .collect();
    let more = skip + PAGE < versions.len();
    let next = more.then(|| {
        format!(
            "http://{host}/secrets/{name}/versions?api-version=7.4&$skiptoken={}",
            skip + PAGE
        )
    });
    (200, json!({"value": page, "nextLink": next}).to_string())
}
