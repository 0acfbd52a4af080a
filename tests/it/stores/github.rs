//! GitHub's API, as it is documented, on a stub; what is sealed is opened by libsodium.

mod app;
mod organization;

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};
use sftoken::ingest::policy::Org;

use super::*;
use crate::support::stub::{Asked, Reply, Stub};

const PATH: &str = "/api/v3/repos/acme/jobs/actions/secrets";
const KEY_ID: &str = "568250167242549743";
const SECRET_KEY: [u8; 32] = [7; 32];

/// A repository's secrets: sealed values, and when each was set.
#[derive(Clone, Default)]
struct Repository(Arc<Mutex<BTreeMap<String, (String, Timestamp)>>>);

impl Repository {
    fn answer(&self, asked: &Asked, root: &str) -> Reply {
        let secrets = &mut *self.0.lock().unwrap();
        let Some(name) = asked
            .path
            .strip_prefix(root)
            .and_then(|rest| rest.strip_prefix('/'))
        else {
            return (404, json!({"message": "Not Found"}).to_string()).into();
        };
        let now = Timestamp::now();
        let date = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let reply: Reply = match (asked.method.as_str(), name) {
            ("GET", "public-key") => {
                let public = crypto_box::SecretKey::from(SECRET_KEY).public_key();
                let key = STANDARD.encode(public.as_bytes());
                (200, json!({"key_id": KEY_ID, "key": key}).to_string()).into()
            }
            ("GET", name) => match secrets.get(name) {
                None => (404, json!({"message": "Not Found"}).to_string()).into(),
                Some((_, at)) => {
                    let at = at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
                    (
                        200,
                        json!({"name": name, "created_at": at, "updated_at": at}).to_string(),
                    )
                        .into()
                }
            },
            ("PUT", name) => {
                let body = asked.json();
                assert_eq!(body["key_id"], KEY_ID);
                let sealed = body["encrypted_value"].as_str().unwrap().to_owned();
                let before = secrets.insert(name.to_owned(), (sealed, now));
                (if before.is_none() { 201 } else { 204 }, String::new()).into()
            }
            _ => (405, String::new()).into(),
        };
        reply.with("Date", &date)
    }

    /// What a workflow would see.
    fn opened(&self, name: &str) -> String {
        let sealed = self.0.lock().unwrap()[name].0.clone();
        let python = std::env::var("SFTOKEN_TEST_PYTHON")
            .expect("run the tests with tests/run.sh: it makes a Python with PyNaCl");
        let code = "import sys, base64, nacl.public as p\n\
            print(p.SealedBox(p.PrivateKey(bytes([7] * 32))).decrypt(base64.b64decode(sys.argv[1])).decode())";
        let output = Command::new(python)
            .args(["-c", code, &sealed])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout)
            .unwrap()
            .trim_end()
            .to_owned()
    }
}

fn serve(repository: &Repository, root: &'static str) -> Stub {
    let repository = repository.clone();
    Stub::start(move |asked| repository.answer(asked, root))
}

fn url(stub: &Stub, name: &str, parameters: &str) -> String {
    format!(
        "github://acme/jobs/{name}?tls=0&host={}{parameters}",
        stub.authority()
    )
}

fn planted() -> Planted {
    Planted::with(&[("env:GH_TOKEN", "planted-github-token")])
}

#[test]
fn a_token_is_sealed_for_github_alone() {
    let repository = Repository::default();
    let stub = serve(&repository, PATH);
    let planted = planted();
    let store = planted.open(&url(&stub, "sf_security_token", "")).unwrap();
    store.check().unwrap();
    for (second, value) in [(1, OLD), (2, NEW)] {
        store
            .publish(&key(USERNAME), &token(value), &mail_of(second, value))
            .unwrap();
        assert_eq!(repository.opened("SF_SECURITY_TOKEN"), value);
    }
    let slot = format!("github://{}/acme/jobs/SF_SECURITY_TOKEN", stub.authority());
    assert_eq!(store.slot(&key(USERNAME)), slot);
    // which may have cost a person a touch
    assert_eq!(planted.reads(), 1);
    let capabilities = store.capabilities();
    assert!(!capabilities.conditional && !capabilities.readable);
    let error = store.get(&key(USERNAME)).unwrap_err();
    check_error(
        &error,
        StoreErrorKind::WriteOnly,
        "gives no secret back",
        "secrets.NAME",
    );
    for asked in stub.asked() {
        assert_eq!(
            asked.headers["authorization"],
            "Bearer planted-github-token"
        );
        assert_eq!(asked.headers["x-github-api-version"], "2022-11-28");
        assert!(asked.headers["user-agent"].starts_with("sftoken/"));
        assert!(
            ![OLD, NEW].iter().any(|value| asked.body.contains(value)),
            "{}",
            asked.body
        );
    }
}

/// It gives nothing back and compares nothing: the ledger of the one machine that writes keeps the order.
#[test]
fn the_last_of_eight_writers_on_one_machine_is_the_newest() {
    let (repository, mut fate) = (Repository::default(), race::Fate::new());
    let stub = serve(&repository, PATH);
    let ledger = tempfile::tempdir().unwrap();
    for round in 0..4 {
        let name = format!("RACE_{round}");
        let url = url(&stub, &name, "");
        let shared = race::Ledgers::Shared(ledger.path());
        let newest = race::run(&mut fate, shared, USERNAME, || {
            planted().open(&url).unwrap()
        });
        let held = repository.opened(&name);
        assert_eq!(held, newest, "round {round}, {}", fate.told());
    }
}

#[test]
fn an_environment_has_its_own() {
    let repository = Repository::default();
    let stub = serve(
        &repository,
        "/api/v3/repos/acme/jobs/environments/live%2Feu/secrets",
    );
    let store = planted()
        .open(&url(&stub, "T_{username}", "&environment=live/eu"))
        .unwrap();
    store
        .publish(&key(USERNAME), &token(NEW), &mail_of(1, NEW))
        .unwrap();
    assert_eq!(repository.opened("T_INTEGRATION_40ACME_2EEXAMPLE"), NEW);
    let slot = store.slot(&key(USERNAME));
    assert!(
        slot.ends_with("/environments/live%2Feu/T_INTEGRATION_40ACME_2EEXAMPLE"),
        "{slot}"
    );
}

#[test]
fn dependabot_and_codespaces_have_their_own() {
    for (reader, root) in [
        ("dependabot", "/api/v3/repos/acme/jobs/dependabot/secrets"),
        ("codespaces", "/api/v3/repos/acme/jobs/codespaces/secrets"),
    ] {
        let repository = Repository::default();
        let stub = serve(&repository, root);
        let store = planted()
            .open(&url(&stub, "ONE", &format!("&for={reader}")))
            .unwrap();
        store
            .publish(&key(USERNAME), &token(NEW), &mail_of(1, NEW))
            .unwrap();
        assert_eq!(repository.opened("ONE"), NEW);
        let slot = store.slot(&key(USERNAME));
        assert!(
            slot.ends_with(&format!("/acme/jobs/{reader}/ONE")),
            "{slot}"
        );
    }
}

#[test]
fn two_accounts_do_not_share_a_name() {
    let repository = Repository::default();
    let stub = serve(&repository, PATH);
    let store = planted().open(&url(&stub, "ONE", "")).unwrap();
    store
        .publish(&key(USERNAME), &token(OLD), &mail_of(1, OLD))
        .unwrap();
    let sandbox = Key {
        org: Org::Sandbox,
        ..key(USERNAME)
    };
    for other in [sandbox, key("someone.else@acme.example")] {
        let error = store
            .publish(&other, &token(NEW), &mail_of(2, NEW))
            .unwrap_err();
        check_error(
            &error,
            StoreErrorKind::Misconfigured,
            "two accounts",
            "{username}",
        );
    }
    assert_eq!(repository.opened("ONE"), OLD);
}

/// A server that takes the write and shows the time of another day.
#[test]
fn a_write_that_cannot_be_seen_is_not_believed() {
    let repository = Repository::default();
    let inner = repository.clone();
    let stub = Stub::start(move |asked| {
        let reply = inner.answer(asked, PATH);
        if let Some((_, at)) = inner.0.lock().unwrap().get_mut("ONE") {
            *at = "2024-01-01T00:00:00Z".parse().unwrap();
        }
        reply
    });
    let store = planted().open(&url(&stub, "ONE", "")).unwrap();
    let publish = || store.publish(&key(USERNAME), &token(OLD), &mail_of(1, OLD));
    publish().unwrap();
    let error = publish().unwrap_err();
    check_error(
        &error,
        StoreErrorKind::Corrupt,
        "does not show",
        "tried again",
    );
}

#[track_caller]
fn check_answer(reply: impl Into<Reply>, kind: StoreErrorKind, problem: &str, hint: &str) {
    let reply = reply.into();
    let stub = Stub::start(move |_| reply.clone());
    let store = planted().open(&url(&stub, "ONE", "")).unwrap();
    let error = store.check().unwrap_err();
    check_error(&error, kind, problem, hint);
    let put = store
        .publish(&key(USERNAME), &token(OLD), &mail_of(1, OLD))
        .unwrap_err();
    assert_eq!(put.kind, kind, "{put}");
    let shown = format!("{error}{}{put}{}", error.hint, put.hint);
    assert!(
        !shown.contains("planted") && !shown.contains(OLD),
        "{shown}"
    );
}

#[test]
fn every_answer_has_its_sentence() {
    use StoreErrorKind::{Misconfigured, Refused, Unreachable};
    let said = |status: u16| Reply::from((status, json!({"message": "planted words"}).to_string()));
    check_answer(said(401), Refused, "expired or revoked", "new one");
    check_answer(said(403), Refused, "may not", "Secrets: read and write");
    check_answer(said(404), Refused, "may not see", "Secrets: read and write");
    check_answer(said(422), Refused, "does not take", "name");
    check_answer(said(301), Misconfigured, "renamed", "OWNER/REPO");
    check_answer(said(500), Unreachable, "trouble of its own", "status page");
    check_answer(
        said(429),
        Unreachable,
        "rate limit is reached (",
        "tried again",
    );
    let spent = said(403).with("x-ratelimit-remaining", "0");
    check_answer(spent, Unreachable, "rate limit", "tried again");
    let secondary = said(403).with("retry-after", "60");
    check_answer(secondary, Unreachable, "for 60 s", "tried again");
}

#[test]
fn a_public_key_that_is_none_is_told() {
    for key in [json!("AAAA"), json!("no base64!"), json!(7), Value::Null] {
        let stub = Stub::start(move |_| (200, json!({"key_id": "1", "key": key}).to_string()));
        let store = planted().open(&url(&stub, "ONE", "")).unwrap();
        let error = store
            .publish(&super::key(USERNAME), &token(OLD), &mail_of(1, OLD))
            .unwrap_err();
        check_error(&error, StoreErrorKind::Corrupt, "not understood", "host=");
    }
}

#[test]
fn a_url_that_does_not_hold_is_told_before_anything_is_asked() {
    for (url, problem) in [
        ("github://acme/jobs", "no owner"),
        ("github://acme/jobs/a/b", "no owner"),
        ("github:acme/jobs/A", "owner or the repository"),
        ("github://acme/../A", "owner or the repository"),
        ("github://acme/jobs/GITHUB_TOKEN", "of this name"),
        ("github://acme/jobs/A?tls=0", "without TLS"),
        ("github://acme/jobs/A?host=a%2Fb", "host"),
        ("github://acme/jobs/A?org=acme", "unknown here"),
        ("github://acme/jobs/A?for=x", "no secrets for that"),
        (
            "github://acme/jobs/A?for=codespaces&environment=e",
            "only a repository",
        ),
        ("github://orgs/acme/A?environment=e", "only a repository"),
        ("github://orgs/acme/A?for=dependabot", "is for Actions"),
        (
            "github://orgs/acme/A?visibility=some",
            "visibility is unknown",
        ),
        ("github://acme/jobs/A?visibility=all", "an organization's"),
        ("github://acme/jobs/A?app=1", "no whole app"),
        ("github://acme/jobs/A?private-key=env:K", "no whole app"),
        ("github://acme/jobs/A?installation=1", "no whole app"),
        (
            "github://acme/jobs/A?app=1&private-key=env:K&token=env:T",
            "no whole app",
        ),
        (
            "github://acme/jobs/A?app=1&private-key=env:K&installation=x",
            "no number",
        ),
    ] {
        let error = planted().open(url).unwrap_err();
        check_error(&error, StoreErrorKind::Misconfigured, problem, "");
    }
}

/// The real one: `SFTOKEN_TEST_GITHUB=github://OWNER/REPO/NAME` of a repository for tests (or `github://orgs/ORG/NAME`), and `GH_TOKEN`.
#[test]
#[ignore = "writes a secret of a real repository: run it with SFTOKEN_TEST_GITHUB and GH_TOKEN"]
fn live() {
    let url = std::env::var("SFTOKEN_TEST_GITHUB").unwrap();
    let token_of_ours = std::env::var("GH_TOKEN").unwrap();
    let store = Planted::with(&[("env:GH_TOKEN", &token_of_ours)])
        .open(&url)
        .unwrap();
    store.check().unwrap();
    store
        .publish(&key(USERNAME), &token(NEW), &mail_of(1, NEW))
        .unwrap();
}
