//! A project's secrets, and the token endpoint beside them.
//!
//! Knows versions, aliases, annotations, etags and checksums, as Google documents them. Takes what the real one would
//! refuse as a failed test, but for what a race can do: that is refused as there.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::*;
use crate::support::stub::{Asked, Reply};

/// A secret.
#[derive(Clone, Debug, Default)]
pub(super) struct Secret {
    pub(super) etag: u64,
    pub(super) annotations: BTreeMap<String, String>,
    pub(super) aliases: BTreeMap<String, String>,
    /// State and payload.
    pub(super) versions: Vec<(&'static str, String)>,
}

impl Secret {
    fn told(&self) -> Value {
        json!({
            "name": "projects/7/secrets/x", "replication": {"automatic": {}}, "etag": format!("\"{}\"", self.etag),
            "annotations": self.annotations, "versionAliases": self.aliases,
        })
    }

    /// What a reader of `latest`, an alias or a number gets.
    pub(super) fn read(&self, version: &str) -> Option<&(&'static str, String)> {
        let number: usize = match version {
            "latest" => self.versions.len(),
            other => self
                .aliases
                .get(other)
                .map_or(other, String::as_str)
                .parse()
                .ok()?,
        };
        self.versions.get(number.checked_sub(1)?)
    }
}

/// What another machine does.
type Another = fn(&mut BTreeMap<String, Secret>);

#[derive(Default)]
pub(super) struct Inside {
    pub(super) secrets: BTreeMap<String, Secret>,
    /// Access tokens so far.
    pub(super) logged_in: usize,
    /// For so many questions after each change, the secret and its `latest` are shown as they were before.
    pub(super) lag: usize,
    behind: (usize, BTreeMap<String, Secret>),
    /// Runs once, before the next answer to this method.
    pub(super) before: Option<(&'static str, Another)>,
}

impl Inside {
    /// All that was written is shown.
    pub(super) fn catch_up(&mut self) {
        self.lag = 0;
        self.behind.0 = 0;
    }
}

#[derive(Clone, Default)]
pub(super) struct Project(Arc<Mutex<Inside>>);

impl Project {
    pub(super) fn start(&self) -> Stub {
        let project = self.clone();
        Stub::start(move |asked| project.answer(asked))
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Inside) -> T) -> T {
        change(&mut self.0.lock().unwrap())
    }

    /// What consumers get.
    pub(super) fn read(&self, name: &str, version: &str) -> String {
        self.change(|inside| {
            let secret = &inside.secrets[name];
            let (state, value) = secret.read(version).unwrap();
            assert_eq!(*state, "ENABLED");
            value.clone()
        })
    }

    fn answer(&self, asked: &Asked) -> Reply {
        let inside = &mut *self.0.lock().unwrap();
        if asked.path == "/token" {
            return log_in(inside, asked).into();
        }
        let bearer = format!("Bearer planted-access-{}", inside.logged_in);
        if asked.headers["authorization"] != bearer {
            return refusal(401, "UNAUTHENTICATED", "").into();
        }
        assert_eq!(asked.headers["x-goog-user-project"], "acme-quota");
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        let rest = path.strip_prefix("/v1/projects/acme-jobs/secrets").unwrap();
        let (rest, verb) = rest.split_once(':').unwrap_or((rest, ""));
        let method = if verb.is_empty() {
            asked.method.as_str()
        } else {
            verb
        };
        if inside
            .before
            .as_ref()
            .is_some_and(|(awaited, _)| *awaited == method)
            && let Some((_, another)) = inside.before.take()
        {
            another(&mut inside.secrets);
        }
        let parts: Vec<&str> = rest.split('/').skip(1).collect();
        let late = method == "GET" || rest.ends_with("/latest");
        if late && inside.behind.0 > 0 {
            inside.behind.0 -= 1;
            return look(&inside.behind.1, &parts).into();
        }
        if matches!(method, "PATCH" | "addVersion") {
            inside.behind = (inside.lag, inside.secrets.clone());
        }
        let secrets = &mut inside.secrets;
        match (asked.method.as_str(), method, &parts[..]) {
            ("POST", "POST", []) => create(secrets, query, &asked.json()).into(),
            ("POST", "addVersion", [name]) => match secrets.get_mut(*name) {
                Some(secret) => add(secret, &asked.json()).into(),
                None => refusal(404, "NOT_FOUND", "").into(),
            },
            ("PATCH", "PATCH", [name]) => match secrets.get_mut(*name) {
                Some(secret) => patch(secret, query, &asked.json()).into(),
                None => refusal(404, "NOT_FOUND", "").into(),
            },
            ("GET", "GET" | "access", _) => look(secrets, &parts).into(),
            other => panic!("{other:?}"),
        }
    }
}

/// A secret, or one of its versions.
fn look(secrets: &BTreeMap<String, Secret>, parts: &[&str]) -> (u16, String) {
    match parts {
        [name] => match secrets.get(*name) {
            Some(secret) => (200, secret.told().to_string()),
            None => refusal(404, "NOT_FOUND", ""),
        },
        [name, "versions", version] => access(secrets.get(*name), version),
        other => panic!("{other:?}"),
    }
}

fn log_in(inside: &mut Inside, asked: &Asked) -> (u16, String) {
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(asked.body.as_bytes())
        .into_owned()
        .collect();
    assert_eq!(form["grant_type"], "refresh_token");
    let given = ["client_id", "client_secret", "refresh_token"].map(|name| form[name].as_str());
    assert_eq!(
        given,
        ["client-1", "planted-client-secret", "planted-refresh"]
    );
    inside.logged_in += 1;
    let token = format!("planted-access-{}", inside.logged_in);
    (
        200,
        json!({"access_token": token, "expires_in": 3599}).to_string(),
    )
}

pub(super) fn refusal(status: u16, word: &str, reason: &str) -> (u16, String) {
    let detail = json!({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason});
    let error =
        json!({"code": status, "status": word, "message": "planted words", "details": [detail]});
    (status, json!({"error": error}).to_string())
}

fn create(secrets: &mut BTreeMap<String, Secret>, query: &str, body: &Value) -> (u16, String) {
    let name = query.strip_prefix("secretId=").unwrap();
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    assert!(
        !name.is_empty() && name.len() <= 255 && name.bytes().all(fits),
        "{name}"
    );
    assert_eq!(*body, json!({"replication": {"automatic": {}}}));
    if secrets.contains_key(name) {
        return refusal(409, "ALREADY_EXISTS", "");
    }
    let secret = Secret {
        etag: 1,
        ..Secret::default()
    };
    let told = secret.told();
    secrets.insert(name.to_owned(), secret);
    (200, told.to_string())
}

/// No condition, as with the real one; and no new etag for the secret.
fn add(secret: &mut Secret, body: &Value) -> (u16, String) {
    let data = STANDARD
        .decode(body["payload"]["data"].as_str().unwrap())
        .unwrap();
    let told: u32 = body["payload"]["dataCrc32c"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(told, crc32c(&data));
    secret
        .versions
        .push(("ENABLED", String::from_utf8(data).unwrap()));
    let name = format!("projects/7/secrets/x/versions/{}", secret.versions.len());
    (
        200,
        json!({"name": name, "state": "ENABLED", "etag": "\"9\""}).to_string(),
    )
}

fn patch(secret: &mut Secret, query: &str, body: &Value) -> (u16, String) {
    if body["etag"] != json!(format!("\"{}\"", secret.etag)) {
        return refusal(400, "FAILED_PRECONDITION", "");
    }
    for field in query.strip_prefix("updateMask=").unwrap().split(',') {
        let map: BTreeMap<String, String> = serde_json::from_value(body[field].clone()).unwrap();
        match field {
            "annotations" => secret.annotations = map,
            "versionAliases" => {
                let there = |number: &String| secret.read(number).is_some();
                assert!(map.values().all(there), "{map:?}");
                secret.aliases = map;
            }
            _ => panic!("{field}"),
        }
    }
    secret.etag += 1;
    (200, secret.told().to_string())
}

fn access(secret: Option<&Secret>, version: &str) -> (u16, String) {
    let Some(secret) = secret else {
        return refusal(404, "NOT_FOUND", "");
    };
    let Some((state, value)) = secret.read(version) else {
        return refusal(404, "NOT_FOUND", "");
    };
    if *state != "ENABLED" {
        return refusal(400, "FAILED_PRECONDITION", "");
    }
    let number = secret
        .versions
        .iter()
        .position(|one| std::ptr::eq(&one.1, value))
        .unwrap()
        + 1;
    let payload =
        json!({"data": STANDARD.encode(value), "dataCrc32c": crc32c(value.as_bytes()).to_string()});
    let name = format!("projects/7/secrets/x/versions/{number}");
    (200, json!({"name": name, "payload": payload}).to_string())
}

/// By the table of RFC 3720, not as the store reckons it.
fn crc32c(bytes: &[u8]) -> u32 {
    let table: Vec<u32> = (0..256_u32)
        .map(|byte| {
            (0..8).fold(byte, |sum, _| match sum & 1 {
                1 => (sum >> 1) ^ 0x82f6_3b78,
                _ => sum >> 1,
            })
        })
        .collect();
    let mut sum = u32::MAX;
    for byte in bytes {
        sum = table[((sum ^ u32::from(*byte)) & 0xff) as usize] ^ (sum >> 8);
    }
    sum ^ u32::MAX
}
