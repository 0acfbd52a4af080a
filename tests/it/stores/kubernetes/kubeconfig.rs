//! A cluster with a private authority, reached as a kubeconfig says.

mod plugins;

use std::path::PathBuf;
use std::process::Command;

use super::*;
use crate::stores::process::{StoreProcess, this};

/// A cluster behind TLS, and a folder for kubeconfig files and what they name.
struct Place {
    cluster: Cluster,
    stub: Stub,
    folder: TempDir,
}

impl Place {
    /// Whose users show this token, or, without one, a certificate.
    fn with(token: Option<&'static str>) -> Self {
        let (cluster, folder) = (Cluster::default(), TempDir::new().unwrap());
        certificates(folder.path());
        let inner = cluster.clone();
        let stub = Stub::private(folder.path(), token.is_none(), move |asked| {
            inner.answer_to(asked, token)
        });
        Self {
            cluster,
            stub,
            folder,
        }
    }

    fn port(&self) -> String {
        self.stub.authority().replace("127.0.0.1:", "")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file's text in base64.
    fn data(&self, name: &str) -> String {
        STANDARD.encode(std::fs::read(self.path(name)).unwrap())
    }

    /// Writes a kubeconfig whose user has these lines, and returns the store's URL.
    fn url(&self, user: &str) -> String {
        self.url_of(
            &format!("certificate-authority-data: {}", self.data("ca.crt")),
            user,
        )
    }

    fn url_of(&self, authority: &str, user: &str) -> String {
        let config = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: jobs@acme\npreferences: {{}}\n\
             clusters:\n- name: acme\n  cluster:\n    server: https://localhost:{}/\n    {authority}\n\
             contexts:\n- name: jobs@acme\n  context: {{cluster: acme, user: watcher, namespace: other}}\n\
             users:\n- name: watcher\n  user:\n{}",
            self.port(),
            user.lines()
                .map(|line| format!("    {line}\n"))
                .collect::<String>()
        );
        std::fs::write(self.path("config"), config).unwrap();
        format!(
            "k8s://jobs/salesforce?kubeconfig={}",
            self.path("config").display()
        )
    }

    fn open(&self, user: &str) -> Arc<dyn Store> {
        Planted::default().open(&self.url(user)).unwrap()
    }
}

fn openssl(folder: &Path, line: &str) {
    let output = Command::new("openssl")
        .args(line.split(' '))
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "openssl {line}: {output:?}");
}

const V1: &str = "apiVersion: client.authentication.k8s.io/v1";

#[test]
fn a_token_opens_a_cluster_with_a_private_authority() {
    let place = Place::with(Some("planted-pod-token"));
    let store = place.open("token: planted-pod-token");
    assert_eq!(put(&*store, 2, OLD).unwrap(), Put::Written);
    assert_eq!(put(&*store, 1, NEW).unwrap(), Put::Superseded);
    assert_eq!(held(&*store), Some(token(OLD)));
    assert_eq!(place.cluster.value("token"), OLD);
    let slot = store.slot(&key(USERNAME));
    let server = format!("localhost%3A{}", place.port());
    assert_eq!(
        slot,
        format!("k8s://jobs/salesforce?server={server}&key=token")
    );

    // as a file beside it, named by a relative path
    std::fs::write(place.path("ours"), "planted-pod-token\n").unwrap();
    let url = place.url_of(
        "certificate-authority: ca.crt",
        "token: planted-old\ntokenFile: ours",
    );
    Planted::default().open(&url).unwrap().check().unwrap();
}

#[test]
fn who_is_not_of_the_authority_is_no_cluster() {
    let place = Place::with(Some("planted-pod-token"));
    let other = TempDir::new().unwrap();
    certificates(other.path());
    let other = STANDARD.encode(std::fs::read(other.path().join("ca.crt")).unwrap());
    let url = place.url_of(
        &format!("certificate-authority-data: {other}"),
        "token: planted-pod-token",
    );
    let error = Planted::default().open(&url).unwrap().check().unwrap_err();
    check_error(
        &error,
        StoreErrorKind::Misconfigured,
        "certificate is not trusted",
        "",
    );
    assert!(place.stub.asked().is_empty());

    // a name that the certificate does not bear
    let config = std::fs::read_to_string(place.path("config")).unwrap();
    let config = config
        .replace(&other, &place.data("ca.crt"))
        .replace("//localhost", "//127.0.0.2");
    std::fs::write(place.path("config"), config).unwrap();
    let error = Planted::default().open(&url).unwrap().check().unwrap_err();
    assert!(error.problem.contains("127.0.0.2"), "{error}");
    assert!(place.stub.asked().is_empty());
}

#[test]
fn whoever_answers_is_taken_only_where_both_say_so() {
    let place = Place::with(Some("planted-pod-token"));
    let url = place.url_of("insecure-skip-tls-verify: true", "token: planted-pod-token");
    let error = Planted::default().open(&url).unwrap_err();
    check_error(
        &error,
        StoreErrorKind::Misconfigured,
        "insecure-skip-tls-verify",
        "insecure=1",
    );
    Planted::default()
        .open(&format!("{url}&insecure=1"))
        .unwrap()
        .check()
        .unwrap();
    // the URL alone takes nobody
    let url = place.url_of(
        "insecure-skip-tls-verify: false",
        "token: planted-pod-token",
    );
    let store = Planted::default()
        .open(&format!("{url}&insecure=1"))
        .unwrap();
    check_error(
        &store.check().unwrap_err(),
        StoreErrorKind::Misconfigured,
        "not trusted",
        "",
    );
}

/// Keys as kubeadm (PKCS #1), k3s (SEC 1) and others (PKCS #8) write them.
#[test]
fn a_client_certificate_opens_it_whatever_the_form_of_its_key() {
    let place = Place::with(None);
    let folder = place.folder.path();
    openssl(folder, "ec -in client.key -out sec1.key");
    openssl(
        folder,
        "req -newkey rsa:2048 -nodes -keyout rsa.key -out rsa.csr -subj /CN=rsa",
    );
    openssl(
        folder,
        "x509 -req -in rsa.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile extensions -out rsa.crt",
    );
    openssl(folder, "rsa -in rsa.key -out pkcs1.key -traditional");
    for (certificate, key, label) in [
        ("client.crt", "client.key", "BEGIN PRIVATE KEY"),
        ("client.crt", "sec1.key", "BEGIN EC PRIVATE KEY"),
        ("rsa.crt", "pkcs1.key", "BEGIN RSA PRIVATE KEY"),
    ] {
        let text = std::fs::read_to_string(place.path(key)).unwrap();
        assert!(text.contains(label), "{key}: {text}");
        let (crt, data) = (place.data(certificate), place.data(key));
        let store = place.open(&format!(
            "client-certificate-data: {crt}\nclient-key-data: {data}"
        ));
        store
            .check()
            .unwrap_or_else(|error| panic!("{key}: {error}"));
        let store = place.open(&format!(
            "client-certificate: {certificate}\nclient-key: {key}"
        ));
        store
            .check()
            .unwrap_or_else(|error| panic!("{key}: {error}"));
    }
    assert_eq!(place.stub.asked().len(), 6);
    assert!(
        place
            .stub
            .asked()
            .iter()
            .all(|asked| !asked.headers.contains_key("authorization"))
    );

    // one without
    let error = place.open("token: planted-pod-token").check().unwrap_err();
    assert!(error.kind.is_transient(), "{error}");
    let cut = STANDARD.encode("-----BEGIN PRIVATE KEY-----\nplanted\n-----END PRIVATE KEY-----\n");
    let crt = place.data("client.crt");
    let store = place.open(&format!(
        "client-certificate-data: {crt}\nclient-key-data: {cut}"
    ));
    let error = store.check().unwrap_err();
    check_error(
        &error,
        StoreErrorKind::Misconfigured,
        "certificate or its key",
        "PEM",
    );
    assert_eq!(place.stub.asked().len(), 6);
}

#[test]
fn files_are_merged_and_a_context_is_chosen() {
    let place = Place::with(Some("planted-pod-token"));
    place.url("token: planted-pod-token");
    let first = "current-context: nowhere\ncontexts: null\nusers:\n- name: late\n  user: {token: planted-late}\n";
    std::fs::write(place.path("first"), first).unwrap();
    let paths = ["first", "missing", "config"].map(|name| place.path(name));
    let list = std::env::join_paths(paths).unwrap();
    let started = |url: &str| {
        let mut command = Command::new(this());
        command.env("KUBECONFIG", &list).env("SFTOKEN_X", "planted");
        StoreProcess::open(url, command)
    };
    let ready = started("k8s://jobs/salesforce?context=jobs@acme").ask("check");
    assert_eq!(ready, "ready");
    // what a file says first, holds; and nothing else is tried
    let told = started("k8s://jobs/salesforce").ask("check");
    assert!(
        told.starts_with("store_misconfigured") && told.contains("no context nowhere"),
        "{told}"
    );

    // kubectl's own file
    std::fs::create_dir(place.path(".kube")).unwrap();
    let config = std::fs::read_to_string(place.path("config")).unwrap();
    std::fs::write(place.path(".kube/config"), config).unwrap();
    let mut command = Command::new(this());
    command
        .env_remove("KUBECONFIG")
        .env("HOME", place.folder.path());
    assert_eq!(
        StoreProcess::open("k8s://jobs/salesforce", command).ask("check"),
        "ready"
    );
}

/// `kubectl config use-context` while sftoken runs: tokens do not go to another cluster than the slot says.
#[test]
fn another_cluster_is_not_taken_for_the_first() {
    let place = Place::with(Some("planted-pod-token"));
    let store = place.open("token: planted-old");
    let config = std::fs::read_to_string(place.path("config")).unwrap();
    assert_eq!(store.check().unwrap_err().kind, StoreErrorKind::Refused);
    std::fs::write(
        place.path("config"),
        config.replace("//localhost", "//other.example"),
    )
    .unwrap();
    let error = store.check().unwrap_err();
    check_error(
        &error,
        StoreErrorKind::Misconfigured,
        "another cluster",
        "use-context",
    );
    // a new token in the same file is read
    std::fs::write(
        place.path("config"),
        config.replace("planted-old", "planted-pod-token"),
    )
    .unwrap();
    store.check().unwrap();
}

#[test]
fn what_is_not_done_is_refused_before_anything_is_asked() {
    let place = Place::with(Some("planted-pod-token"));
    let authority = format!("certificate-authority-data: {}", place.data("ca.crt"));
    let check = |authority: &str, user: &str, problem: &str| {
        let opened = Planted::default().open(&place.url_of(authority, user));
        let error = opened.and_then(|store| store.check()).unwrap_err();
        check_error(&error, StoreErrorKind::Misconfigured, problem, "");
        assert!(
            !format!("{error}{}", error.hint).contains("planted"),
            "{error}"
        );
    };
    check(&authority, "as: planted-someone", "acts as another");
    check(
        &authority,
        "username: planted\npassword: planted",
        "has a password",
    );
    check(
        &authority,
        "auth-provider: {name: planted}",
        "auth-provider",
    );
    check(
        &authority,
        "client-key: x",
        "no token, certificate or plugin",
    );
    check(
        &authority,
        "client-certificate: none\nclient-key: x",
        "cannot be read",
    );
    check(&authority, "client-certificate-data: '???'", "no base64");
    check(
        &authority,
        "token: [planted]",
        "no kubeconfig: see its line",
    );
    check(
        &authority,
        &format!("exec: {{{V1}, command: x, interactiveMode: Always}}"),
        "ask a person",
    );
    check(
        &authority,
        "exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: x}",
        "version",
    );
    check("tls-server-name: x", "token: planted", "tls-server-name");
    check("proxy-url: http://planted", "token: planted", "proxy-url");
    check(
        "certificate-authority-data: cGxhbnRlZA==",
        "token: planted",
        "no certificate in PEM",
    );
    check(
        "certificate-authority: /no/such",
        "token: planted",
        "/no/such cannot be read",
    );
    for (old, new, problem) in [
        ("https://", "http://", "without TLS"),
        ("https://", "https://planted:planted@", "no URL"),
        ("cluster: acme", "cluster: other", "no cluster other"),
        ("user: watcher", "user: other", "no user other"),
        ("current-context: jobs@acme", "", "no current context"),
        (
            "current-context: ",
            "current-context: \"a\\u001b[31m",
            "no context a\u{fffd}",
        ),
    ] {
        let url = place.url("token: planted-pod-token");
        let config = std::fs::read_to_string(place.path("config")).unwrap();
        let changed = config.replacen(old, new, 1);
        let changed = if new.ends_with("[31m") {
            changed.replacen("[31mjobs@acme", "[31mx\"", 1)
        } else {
            changed
        };
        std::fs::write(place.path("config"), changed).unwrap();
        let error = Planted::default().open(&url).unwrap_err();
        check_error(&error, StoreErrorKind::Misconfigured, problem, "");
        assert!(!error.to_string().contains("planted"), "{error}");
    }
    assert!(place.stub.asked().is_empty());
}
