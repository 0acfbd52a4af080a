//! Who may, and by which log-in.

use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;
use crate::support::dovecot::certificates;
use crate::support::stub::Stub;

const PATH: &str = "secret/salesforce/{username}";
/// What the documentation says that a policy needs.
const RULES: &str =
    r#"path "secret/data/salesforce/*" { capabilities = ["create", "read", "update"] }"#;

/// That the store at these parameters takes a token and gives it back.
#[track_caller]
fn check_works(server: &OpenBao, planted: &Planted, parameters: &str) -> Arc<dyn Store> {
    let store = planted.open(&server.url(PATH, parameters)).unwrap();
    store.check().unwrap();
    assert_eq!(put(&*store, 1, OLD).unwrap(), Put::Written);
    assert_eq!(held(&*store).as_deref(), Some(OLD));
    store
}

#[test]
fn a_token_with_the_documented_policy_is_enough() {
    let server = OpenBao::start();
    let token = server.token_with("p", RULES);
    check_works(
        &server,
        &Planted::with(&[("file:/t", &token)]),
        "&token=file:/t",
    );
}

#[test]
fn what_a_policy_lacks_is_told_by_its_path() {
    let server = OpenBao::start();
    let path = "secret/data/salesforce/integration@acme.example";
    for (rules, may_not) in [
        (
            r#"path "secret/data/other/*" { capabilities = ["read"] }"#,
            "read",
        ),
        (
            r#"path "secret/data/salesforce/*" { capabilities = ["read"] }"#,
            "write",
        ),
    ] {
        let planted = Planted::with(&[("env:VAULT_TOKEN", &server.token_with("p", rules))]);
        let store = planted.open(&server.url(PATH, "")).unwrap();
        let error = put(&*store, 1, OLD).unwrap_err();
        check_error(
            &error,
            StoreErrorKind::Refused,
            &format!("may not {may_not} {path}"),
            path,
        );
    }
    let planted = Planted::with(&[("env:VAULT_TOKEN", &server.token_with("p", RULES))]);
    let store = planted.open(&server.url("nowhere/x", "")).unwrap();
    check_error(
        &store.check().unwrap_err(),
        StoreErrorKind::Refused,
        "no engine",
        "capabilities",
    );
}

#[test]
fn a_token_that_was_revoked_is_told_apart_and_a_new_one_is_taken() {
    let server = OpenBao::start();
    let old = server.token_with("p", RULES);
    let planted = Planted::with(&[("env:VAULT_TOKEN", &old)]);
    let store = check_works(&server, &planted, "");
    server.api("POST", "auth/token/revoke", json!({"token": old}));
    let error = put(&*store, 2, NEW).unwrap_err();
    check_error(
        &error,
        StoreErrorKind::Refused,
        "expired, revoked",
        "auth=approle",
    );
    assert!(!format!("{error}{}", error.hint).contains(&old));
    planted.set("env:VAULT_TOKEN", &server.token_with("p", RULES));
    assert_eq!(put(&*store, 2, NEW).unwrap(), Put::Written);
}

/// A role of AppRole: its id and a secret id.
fn app_role(server: &OpenBao) -> (String, String) {
    server.policy("p", RULES);
    server.api("POST", "sys/auth/approle", json!({"type": "approle"}));
    let role = json!({"token_policies": ["p"], "token_ttl": "1h"});
    server.api("POST", "auth/approle/role/sftoken", role);
    let id = server.api("GET", "auth/approle/role/sftoken/role-id", Value::Null);
    let secret = server.api("POST", "auth/approle/role/sftoken/secret-id", json!({}));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (
        text(&id["data"]["role_id"]),
        text(&secret["data"]["secret_id"]),
    )
}

#[test]
fn an_app_role_logs_in_again_when_its_token_ends() {
    let server = OpenBao::start();
    let (id, secret) = app_role(&server);
    let planted = Planted::with(&[("file:/secret-id", &secret)]);
    let parameters = format!("&auth=approle&role-id={id}&secret-id=file:/secret-id");
    let store = check_works(&server, &planted, &parameters);
    server.api("POST", "sys/leases/revoke-prefix/auth/approle", json!({}));
    assert_eq!(put(&*store, 2, NEW).unwrap(), Put::Written);

    planted.set("file:/secret-id", "planted-wrong-secret-id");
    let store = planted.open(&server.url(PATH, &parameters)).unwrap();
    let error = store.check().unwrap_err();
    check_error(
        &error,
        StoreErrorKind::Refused,
        "the log-in is refused",
        "role-id",
    );
    assert!(!format!("{error}{}", error.hint).contains("planted"));
    let elsewhere = planted
        .open(&server.url(PATH, &format!("{parameters}&auth-mount=nope")))
        .unwrap();
    let error = elsewhere.check().unwrap_err();
    check_error(&error, StoreErrorKind::Refused, "auth/nope", "auth-mount=");
}

#[test]
fn a_token_of_a_short_life_is_replaced_before_it_ends() {
    let logins = Arc::new(Mutex::new(0));
    let count = Arc::clone(&logins);
    let server = Stub::start(move |asked| match asked.path.as_str() {
        "/v1/auth/approle/login" => {
            *count.lock().unwrap() += 1;
            // a life that is over when it begins
            (
                200,
                json!({"auth": {"client_token": "t", "lease_duration": 1}}).to_string(),
            )
        }
        path if path.contains("/mounts/") => {
            let mount = json!({"path": "secret/", "type": "kv", "options": {"version": "2"}});
            (200, json!({"data": mount}).to_string())
        }
        _ => (404, json!({"errors": []}).to_string()),
    });
    let planted = Planted::with(&[("env:S", "s")]);
    let url = format!(
        "vault://{}/secret/x?tls=0&auth=approle&role-id=r&secret-id=env:S",
        server.authority()
    );
    let store = planted.open(&url).unwrap();
    assert_eq!(held(&*store), None);
    let first = *logins.lock().unwrap();
    // a lease is told in whole seconds, and nothing else ends it
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(held(&*store), None);
    assert!(*logins.lock().unwrap() > first);
    assert!(
        server
            .asked()
            .iter()
            .all(|asked| asked.headers["x-vault-request"] == "true")
    );
}

/// A JWT of the fixtures' key, and its public half.
fn jwt(folder: &Path, claims: &Value) -> (String, String) {
    let key = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/keys/rsa-2048.pem");
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!(
        "{}.{}",
        part(&json!({"alg": "RS256", "typ": "JWT"})),
        part(claims)
    );
    let file = folder.join("signed");
    std::fs::write(&file, &signed).unwrap();
    let openssl = |words: &[&str]| Command::new("openssl").args(words).output().unwrap().stdout;
    let signature = openssl(&["dgst", "-sha256", "-sign", key, file.to_str().unwrap()]);
    let public = openssl(&["rsa", "-in", key, "-pubout"]);
    let jwt = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
    (jwt, String::from_utf8(public).unwrap())
}

#[test]
fn a_jwt_logs_in() {
    let server = OpenBao::start();
    let folder = tempfile::tempdir().unwrap();
    let now = jiff::Timestamp::now().as_second();
    let claims = json!({"sub": "pipeline", "aud": "vault", "iat": now - 60, "exp": now + 600});
    let (jwt, public) = jwt(folder.path(), &claims);
    server.policy("p", RULES);
    server.api("POST", "sys/auth/jwt", json!({"type": "jwt"}));
    server.api(
        "POST",
        "auth/jwt/config",
        json!({"jwt_validation_pubkeys": [public]}),
    );
    let role = json!({
        "role_type": "jwt", "user_claim": "sub", "bound_audiences": ["vault"], "token_policies": ["p"],
    });
    server.api("POST", "auth/jwt/role/sftoken", role);
    let planted = Planted::with(&[("env:ID_TOKEN", &jwt)]);
    let store = check_works(&server, &planted, "&auth=jwt&role=sftoken&jwt=env:ID_TOKEN");
    planted.set("env:ID_TOKEN", "planted.wrong.jwt");
    let other = planted
        .open(&server.url(PATH, "&auth=jwt&role=sftoken&jwt=env:ID_TOKEN"))
        .unwrap();
    check_error(
        &other.check().unwrap_err(),
        StoreErrorKind::Refused,
        "auth/jwt: the log-in is refused",
        "expired",
    );
    assert_eq!(held(&*store).as_deref(), Some(OLD));
}

/// The cluster, which says whose token it is, is a stub; everything else is real.
#[test]
fn a_service_account_logs_in_with_the_token_that_its_pod_mounts() {
    let cluster = Stub::start(|asked| {
        let is_ours = asked.json()["spec"]["token"]
            .as_str()
            .unwrap()
            .ends_with(".mounted");
        let user = json!({"username": "system:serviceaccount:jobs:sftoken", "uid": "u"});
        let status = json!({"authenticated": is_ours, "user": user});
        let review = json!({
            "kind": "TokenReview", "apiVersion": "authentication.k8s.io/v1", "status": status,
        });
        (201, review.to_string())
    });
    let server = OpenBao::start();
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    server.policy("p", RULES);
    server.api("POST", "sys/auth/kubernetes", json!({"type": "kubernetes"}));
    let config = json!({
        "kubernetes_host": format!("http://{}", cluster.authority()),
        "token_reviewer_jwt": "a.b.c",
        "kubernetes_ca_cert": std::fs::read_to_string(folder.path().join("ca.crt")).unwrap(),
        "disable_local_ca_jwt": true,
    });
    server.api("POST", "auth/kubernetes/config", config);
    let role = json!({
        "bound_service_account_names": ["sftoken"], "bound_service_account_namespaces": ["jobs"],
        "token_policies": ["p"],
    });
    server.api("POST", "auth/kubernetes/role/sftoken", role);
    let account = json!({"namespace": "jobs", "serviceaccount": {"name": "sftoken", "uid": "u"}});
    let now = jiff::Timestamp::now().as_second();
    let claims = json!({
        "iss": "https://cluster.example", "sub": "system:serviceaccount:jobs:sftoken",
        "iat": now - 60, "exp": now + 600, "kubernetes.io": account,
    });
    let (jwt, _) = jwt(folder.path(), &claims);
    let mounted = folder.path().join("token");
    let signed = jwt.rsplit_once('.').unwrap().0;
    std::fs::write(&mounted, format!("{signed}.mounted\n")).unwrap();
    let parameters = format!(
        "&auth=kubernetes&role=sftoken&service-account={}",
        mounted.display()
    );
    check_works(&server, &Planted::default(), &parameters);
    assert_eq!(
        cluster.asked()[0].path,
        "/apis/authentication.k8s.io/v1/tokenreviews"
    );

    std::fs::remove_file(&mounted).unwrap();
    let store = Planted::default()
        .open(&server.url(PATH, &parameters))
        .unwrap();
    check_error(
        &store.check().unwrap_err(),
        StoreErrorKind::Misconfigured,
        "cannot be read",
        "service-account=",
    );
}

#[test]
fn a_namespace_is_a_place_of_its_own() {
    let server = OpenBao::start();
    server.api("POST", "sys/namespaces/team", json!({}));
    let engine = json!({"type": "kv", "options": {"version": "2"}});
    server.api_in("team", "POST", "sys/mounts/secret", engine);
    let planted = Planted::with(&[("env:VAULT_TOKEN", ROOT)]);
    let store = check_works(&server, &planted, "&namespace=team");
    assert!(store.slot(&key(USERNAME)).ends_with("?namespace=team"));
    assert_eq!(held(&*rooted(&server, PATH)), None);
    let nowhere = planted.open(&server.url(PATH, "&namespace=nope")).unwrap();
    let error = nowhere.check().unwrap_err();
    assert!(
        error.hint.contains("namespace") || error.problem.contains("namespace"),
        "{error} {}",
        error.hint
    );
}

#[test]
fn the_field_can_be_another() {
    let server = OpenBao::start();
    let planted = Planted::with(&[("env:BAO_TOKEN", ROOT)]);
    let url = server
        .url("secret/sf", "&field=SF_SECURITY_TOKEN")
        .replacen("vault:", "openbao:", 1);
    let store = planted.open(&url).unwrap();
    put(&*store, 1, OLD).unwrap();
    assert_eq!(server.fields("sf")["SF_SECURITY_TOKEN"], OLD);
    assert!(
        store
            .slot(&key(USERNAME))
            .ends_with("/secret/sf?field=SF_SECURITY_TOKEN")
    );
}
