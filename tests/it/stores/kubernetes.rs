//! Kubernetes' API, as it is documented, on a stub: conditions, verbs and refusals.

mod kubeconfig;

use std::path::Path;
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sftoken::ingest::policy::Org;
use sftoken::store::Put;
use tempfile::TempDir;

use super::*;
use crate::support::dovecot::certificates;
use crate::support::stub::{Asked, Stub};

const SECRETS: &str = "/api/v1/namespaces/jobs/secrets";

/// The namespace `jobs`, with at most one Secret, `salesforce`.
#[derive(Clone, Default)]
struct Cluster(Arc<Mutex<Option<Value>>>);

impl Cluster {
    fn start(&self) -> Stub {
        let cluster = self.clone();
        Stub::start(move |asked| cluster.answer(asked))
    }

    fn answer(&self, asked: &Asked) -> (u16, String) {
        self.answer_to(asked, Some("planted-pod-token"))
    }

    /// To whoever has this token, or, without one, a certificate.
    fn answer_to(&self, asked: &Asked, token: Option<&str>) -> (u16, String) {
        let bearer = token.map(|token| format!("Bearer {token}"));
        if asked.headers.get("authorization") != bearer.as_ref() {
            return refusal(401, "Unauthorized");
        }
        let secret = &mut *self.0.lock().unwrap();
        let one = format!("{SECRETS}/salesforce");
        match (asked.method.as_str(), &asked.path, secret.as_mut()) {
            ("GET", path, Some(secret)) if *path == one => (200, secret.to_string()),
            ("POST", path, None) if path == SECRETS => {
                let mut made = asked.json();
                assert_eq!(
                    (&made["kind"], &made["metadata"]["name"]),
                    (&json!("Secret"), &json!("salesforce"))
                );
                made["metadata"]["resourceVersion"] = json!("1");
                *secret = Some(made.clone());
                (201, made.to_string())
            }
            ("POST", path, Some(_)) if path == SECRETS => refusal(409, "AlreadyExists"),
            ("PATCH", path, Some(secret)) if *path == one => patch(secret, asked),
            _ => refusal(404, "NotFound"),
        }
    }

    fn secret(&self) -> Value {
        self.0.lock().unwrap().clone().unwrap()
    }

    /// What stands under a key.
    fn value(&self, key: &str) -> String {
        let secret = self.secret();
        let text = secret["data"][key].as_str().unwrap();
        String::from_utf8(STANDARD.decode(text).unwrap()).unwrap()
    }
}

fn refusal(status: u16, message: &str) -> (u16, String) {
    (
        status,
        json!({"kind": "Status", "code": status, "message": message}).to_string(),
    )
}

/// RFC 7386, on condition of the resourceVersion.
fn patch(secret: &mut Value, asked: &Asked) -> (u16, String) {
    assert_eq!(
        asked.headers["content-type"],
        "application/merge-patch+json"
    );
    let patch = asked.json();
    if secret["immutable"] == true {
        return refusal(
            422,
            "Secret is invalid: data: Forbidden: field is immutable when `immutable` is set",
        );
    }
    let version = secret["metadata"]["resourceVersion"].clone();
    if patch["metadata"]["resourceVersion"] != version {
        return refusal(409, "the object has been modified");
    }
    merge(secret, &patch);
    let next: u64 = version.as_str().unwrap().parse().unwrap();
    secret["metadata"]["resourceVersion"] = json!((next + 1).to_string());
    (200, secret.to_string())
}

fn merge(into: &mut Value, patch: &Value) {
    for (name, value) in patch.as_object().unwrap() {
        match value {
            Value::Object(_) => {
                if !into[name].is_object() {
                    into[name] = json!({});
                }
                merge(&mut into[name], value);
            }
            value => into[name] = value.clone(),
        }
    }
}

/// What a pod finds mounted.
fn pod() -> TempDir {
    let folder = TempDir::new().unwrap();
    certificates(folder.path());
    std::fs::write(folder.path().join("token"), "planted-pod-token\n").unwrap();
    folder
}

fn url(stub: &Stub, pod: &Path, parameters: &str) -> String {
    let (server, pod) = (stub.authority(), pod.display());
    format!("k8s://jobs/salesforce?tls=0&server={server}&service-account={pod}{parameters}")
}

fn put(store: &dyn Store, second: i64, value: &str) -> Result<Put, StoreError> {
    store.publish(&key(USERNAME), &token(value), &mail_of(second, value))
}

fn held(store: &dyn Store) -> Option<Token> {
    store.get(&key(USERNAME)).unwrap()
}

#[test]
fn a_secret_is_made_and_kept_newest() {
    let (cluster, pod) = (Cluster::default(), pod());
    let stub = cluster.start();
    let open = || {
        Planted::default()
            .open(&url(&stub, pod.path(), ""))
            .unwrap()
    };
    let store = open();
    store.check().unwrap();
    assert_eq!(held(&*store), None);
    assert_eq!(put(&*store, 2, OLD).unwrap(), Put::Written);
    assert_eq!(put(&*open(), 1, NEW).unwrap(), Put::Superseded);
    assert_eq!(put(&*open(), 2, OLD).unwrap(), Put::Unchanged);
    assert_eq!(put(&*open(), 3, NEW).unwrap(), Put::Written);
    assert_eq!(cluster.value("token"), NEW);
    assert_eq!(held(&*store), Some(token(NEW)));
    let note = cluster.secret()["metadata"]["annotations"]["sftoken/key.token"].clone();
    let note: Value = serde_json::from_str(note.as_str().unwrap()).unwrap();
    assert_eq!(
        (&note["username"], &note["message_id"]),
        (&json!(USERNAME), &json!("3@mail.example"))
    );
    let slot = store.slot(&key(USERNAME));
    assert!(
        slot.starts_with("k8s://jobs/salesforce?server=") && slot.ends_with("&key=token"),
        "{slot}"
    );
}

#[test]
fn what_others_keep_in_the_same_secret_stays() {
    let (cluster, pod) = (Cluster::default(), pod());
    let stub = cluster.start();
    *cluster.0.lock().unwrap() = Some(json!({
        "metadata": {"name": "salesforce", "resourceVersion": "7", "labels": {"team": "jobs"}},
        "data": {"password": "cGFzcw==", "token": "bm8gdG9rZW4="}, "type": "Opaque",
    }));
    let store = Planted::default()
        .open(&url(&stub, pod.path(), "&key=token"))
        .unwrap();
    assert_eq!(
        store.get(&key(USERNAME)).unwrap_err().kind,
        StoreErrorKind::Corrupt
    );
    assert_eq!(put(&*store, 1, OLD).unwrap(), Put::Written);
    let secret = cluster.secret();
    assert_eq!(
        (
            &secret["metadata"]["labels"]["team"],
            &secret["data"]["password"]
        ),
        (&json!("jobs"), &json!("cGFzcw=="))
    );
    assert_eq!(cluster.value("token"), OLD);
    let patched = stub
        .asked()
        .into_iter()
        .find(|asked| asked.method == "PATCH")
        .unwrap()
        .json();
    assert_eq!(patched["data"].as_object().unwrap().len(), 1, "{patched}");
}

#[test]
fn of_eight_writers_in_any_order_the_newest_stays() {
    let pod = pod();
    for round in 0..6 {
        let cluster = Cluster::default();
        let stub = cluster.start();
        let writers: Vec<_> = (0..8)
            .map(|place| {
                let second = (place * 5 + round) % 8;
                let store = Planted::default()
                    .open(&url(&stub, pod.path(), ""))
                    .unwrap();
                thread::spawn(move || {
                    put(&*store, second, &format!("TokenOfSecond{second:011}")).unwrap()
                })
            })
            .collect();
        for writer in writers {
            let end = writer.join().unwrap();
            assert!(matches!(end, Put::Written | Put::Superseded), "{end:?}");
        }
        assert_eq!(
            cluster.value("token"),
            "TokenOfSecond00000000007",
            "round {round}"
        );
    }
}

/// Through the whole pipeline, with a ledger for each.
#[test]
fn machines_that_do_not_know_each_other_keep_the_newest() {
    let (pod, mut fate) = (pod(), race::Fate::new());
    for round in 0..6 {
        let cluster = Cluster::default();
        let stub = cluster.start();
        let url = url(&stub, pod.path(), "");
        let open = || Planted::default().open(&url).unwrap();
        let newest = race::run(&mut fate, race::Ledgers::Own, USERNAME, open);
        let held = cluster.value("token");
        assert_eq!(held, newest, "round {round}, {}", fate.told());
    }
}

#[test]
fn accounts_and_orgs_do_not_meet() {
    let (cluster, pod) = (Cluster::default(), pod());
    let stub = cluster.start();
    let store = Planted::default()
        .open(&url(&stub, pod.path(), "&key={username}"))
        .unwrap();
    let sandbox = Key {
        org: Org::Sandbox,
        ..key(USERNAME)
    };
    put(&*store, 1, OLD).unwrap();
    let mut meta = mail_of(2, NEW);
    meta.org = Org::Sandbox;
    store.publish(&sandbox, &token(NEW), &meta).unwrap();
    assert_eq!(cluster.value("integration_40acme.example"), OLD);
    assert_eq!(cluster.value("integration_40acme.example_sandbox"), NEW);

    let fixed = Planted::default()
        .open(&url(&stub, pod.path(), "&key=one"))
        .unwrap();
    put(&*fixed, 1, OLD).unwrap();
    let other = key("someone.else@acme.example");
    let error = fixed
        .publish(&other, &token(NEW), &mail_of(2, NEW))
        .unwrap_err();
    check_error(
        &error,
        StoreErrorKind::Misconfigured,
        "another account",
        "{username}",
    );
    assert_eq!(cluster.value("one"), OLD);
}

/// The kubelet replaces a pod's token; who runs elsewhere gives one by reference.
#[test]
fn a_token_is_read_for_each_use() {
    let (cluster, pod) = (Cluster::default(), pod());
    let stub = cluster.start();
    let store = Planted::default()
        .open(&url(&stub, pod.path(), ""))
        .unwrap();
    std::fs::write(pod.path().join("token"), "planted-old-token").unwrap();
    check_error(
        &store.check().unwrap_err(),
        StoreErrorKind::Refused,
        "wrong or expired",
        "create token",
    );
    std::fs::write(pod.path().join("token"), "planted-pod-token").unwrap();
    store.check().unwrap();
    std::fs::remove_file(pod.path().join("token")).unwrap();
    check_error(
        &store.check().unwrap_err(),
        StoreErrorKind::Misconfigured,
        "cannot be read",
        "service-account=",
    );

    let planted = Planted::with(&[("env:KUBE_TOKEN", "planted-pod-token")]);
    let outside = format!(
        "k8s://jobs/salesforce?tls=0&server={}&token=env:KUBE_TOKEN",
        stub.authority()
    );
    planted.open(&outside).unwrap().check().unwrap();
}

#[test]
fn an_immutable_secret_and_an_unreadable_note_are_left_alone() {
    let (cluster, pod) = (Cluster::default(), pod());
    let stub = cluster.start();
    let store = Planted::default()
        .open(&url(&stub, pod.path(), ""))
        .unwrap();
    put(&*store, 1, OLD).unwrap();
    let change = |name: &str, value: Value| {
        cluster.0.lock().unwrap().as_mut().unwrap()[name] = value;
    };
    change("immutable", json!(true));
    check_error(
        &put(&*store, 2, NEW).unwrap_err(),
        StoreErrorKind::Refused,
        "immutable",
        "another",
    );
    change("immutable", json!(false));
    let metadata =
        json!({"resourceVersion": "9", "annotations": {"sftoken/key.token": "{\"schema\":9}"}});
    change("metadata", metadata);
    check_error(
        &put(&*store, 2, NEW).unwrap_err(),
        StoreErrorKind::Corrupt,
        "sftoken/key.token",
        "update sftoken",
    );
    assert_eq!(cluster.value("token"), OLD);
}

#[track_caller]
fn check_answer(answer: (u16, String), kind: StoreErrorKind, problem: &str, hint: &str) {
    let stub = Stub::start(move |_| answer.clone());
    let pod = pod();
    let store = Planted::default()
        .open(&url(&stub, pod.path(), ""))
        .unwrap();
    let error = put(&*store, 1, OLD).unwrap_err();
    check_error(&error, kind, problem, hint);
    let shown = format!("{error}{}", error.hint);
    assert!(
        !shown.contains("planted") && !shown.contains(OLD),
        "{shown}"
    );
}

#[test]
fn every_answer_has_its_sentence() {
    use StoreErrorKind::{Corrupt, Misconfigured, Refused, Unreachable};
    check_answer(
        refusal(403, "planted words"),
        Refused,
        "may not get the Secret jobs/salesforce",
        "verbs: [get, patch]",
    );
    check_answer(
        refusal(404, "namespaces \"jobs\" not found"),
        Misconfigured,
        "no namespace jobs",
        "make it",
    );
    check_answer(refusal(429, ""), Unreachable, "slow down", "tried again");
    check_answer(
        refusal(503, ""),
        Unreachable,
        "trouble of its own",
        "tried again",
    );
    check_answer(refusal(418, ""), Refused, "does not get", "admission");
    check_answer(
        (200, "<html>".to_owned()),
        Corrupt,
        "not understood",
        "server=",
    );
}

#[test]
fn a_url_that_does_not_hold_is_told_before_anything_is_asked() {
    for (url, problem) in [
        ("k8s://jobs", "no namespace and Secret"),
        ("k8s:jobs/salesforce", "no namespace and Secret"),
        ("k8s://Jobs/salesforce", "is none"),
        ("k8s://jobs/../salesforce", "is none"),
        ("k8s://jobs/sales_force", "is none"),
        ("k8s://jobs/x?key=a%2Fb", "no key of this name"),
        ("k8s://jobs/x?server=https:%2F%2Fh", "server"),
        ("k8s://jobs/x?version=7", "unknown here"),
        ("k8s://jobs/x?kubeconfig=config", "start at the root"),
        ("k8s://jobs/x?kubeconfig=/c&server=h", "server= does not go"),
        ("k8s://jobs/x?context=c&token=env:X", "token= does not go"),
        (
            "k8s://jobs/x?kubeconfig=/c&ca-file=/ca",
            "ca-file= does not go",
        ),
        ("k8s://jobs/x?server=h&insecure=1", "insecure= goes with"),
        ("k8s://jobs/x?kubeconfig=/no/such/file", "cannot be read"),
    ] {
        let error = Planted::default().open(url).unwrap_err();
        check_error(&error, StoreErrorKind::Misconfigured, problem, "");
    }
    // nobody here is a pod
    let store = Planted::default().open("k8s://jobs/x?server=h").unwrap();
    assert_eq!(
        store.check().unwrap_err().kind,
        StoreErrorKind::Misconfigured
    );
}

/// The real one: `SFTOKEN_TEST_K8S=k8s://NAMESPACE/NAME?context=…`, or with `server=…&token=env:SFTOKEN_TEST_K8S_TOKEN&ca-file=…`.
#[test]
#[ignore = "writes a Secret of a real cluster: run it with SFTOKEN_TEST_K8S, and SFTOKEN_TEST_K8S_TOKEN where that names it"]
fn live() {
    let url = std::env::var("SFTOKEN_TEST_K8S").unwrap();
    let ours = std::env::var("SFTOKEN_TEST_K8S_TOKEN").unwrap_or_default();
    let store = Planted::with(&[("env:SFTOKEN_TEST_K8S_TOKEN", &ours)])
        .open(&url)
        .unwrap();
    store.check().unwrap();
    let now = jiff::Timestamp::now().as_second() - 1_764_000_000;
    assert_eq!(put(&*store, now, NEW).unwrap(), Put::Written);
    assert_eq!(put(&*store, now - 60, OLD).unwrap(), Put::Superseded);
    assert_eq!(held(&*store), Some(token(NEW)));
}
