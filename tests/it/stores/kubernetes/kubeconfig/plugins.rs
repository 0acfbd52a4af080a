//! Plugins that give credentials: shell scripts here.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::Instant;

use super::*;

/// A plugin that counts its runs.
fn script(place: &Place, name: &str, body: &str) {
    let path = place.path(name);
    let text = format!("#!/bin/sh\nset -eu\necho run >> \"$0.runs\"\n{body}\n");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn runs(place: &Place, name: &str) -> usize {
    let text = std::fs::read_to_string(place.path(&format!("{name}.runs"))).unwrap_or_default();
    text.lines().count()
}

#[test]
fn a_plugin_is_run_once_for_as_long_as_its_token_lives() {
    let place = Place::with(Some("planted-pod-token"));
    let answer = |life: &str, token: &str| {
        format!(
            "cat <<END\n{{\"apiVersion\": \"client.authentication.k8s.io/v1\", \"kind\": \"ExecCredential\",\
             \"status\": {{\"token\": \"{token}\"{life}}}}}\nEND"
        )
    };
    let user = format!(
        "exec:\n  {V1}\n  command: ./plugin\n  args: [get-token, --quiet]\n  env:\n  - {{name: PLANTED, value: inside}}\n\
         \x20 interactiveMode: IfAvailable\n  provideClusterInfo: true"
    );
    let checks = r#"
test "$*" = "get-token --quiet"; test "$PLANTED" = inside; test -z "${SFTOKEN_X:-}"
case $KUBERNETES_EXEC_INFO in *'"interactive":false'*) ;; *) exit 3 ;; esac
case $KUBERNETES_EXEC_INFO in *'"certificate-authority-data":"'*) ;; *) exit 4 ;; esac
"#;
    script(
        &place,
        "plugin",
        &format!("{checks}{}", answer("", "planted-pod-token")),
    );
    let store = place.open(&user);
    assert_eq!(runs(&place, "plugin"), 0);
    put(&*store, 1, OLD).unwrap();
    put(&*store, 2, NEW).unwrap();
    assert_eq!(runs(&place, "plugin"), 1);

    // one that has ended is not used
    let past = ", \"expirationTimestamp\": \"2025-01-01T00:00:00Z\"";
    script(&place, "plugin", &answer(past, "planted-pod-token"));
    let store = place.open(&user);
    store.check().unwrap();
    store.check().unwrap();
    assert_eq!(runs(&place, "plugin"), 3);

    // one that is refused is got anew once, and then told
    script(&place, "plugin", &answer("", "planted-other"));
    let store = place.open(&user);
    let error = store.check().unwrap_err();
    check_error(
        &error,
        StoreErrorKind::Refused,
        "wrong or expired",
        "kubeconfig",
    );
    assert_eq!(runs(&place, "plugin"), 4);
}

#[test]
fn a_plugin_may_give_a_certificate() {
    let place = Place::with(None);
    let quoted = |name: &str| {
        let text = std::fs::read_to_string(place.path(name)).unwrap();
        json!(text).to_string()
    };
    let body = format!(
        "cat <<'END'\n{{\"apiVersion\": \"client.authentication.k8s.io/v1beta1\", \"kind\": \"ExecCredential\",\
         \"status\": {{\"clientCertificateData\": {}, \"clientKeyData\": {}}}}}\nEND",
        quoted("client.crt"),
        quoted("client.key")
    );
    script(&place, "plugin", &body);
    let user = "exec:\n  apiVersion: client.authentication.k8s.io/v1beta1\n  command: ./plugin";
    place.open(user).check().unwrap();
}

#[test]
fn a_plugin_that_fails_is_told_without_its_words() {
    let place = Place::with(Some("planted-pod-token"));
    let user = format!("exec:\n  {V1}\n  command: ./plugin\n  installHint: 'install it by hand'");
    let check = |kind, problem: &str, hint: &str| {
        let options = options(Duration::from_secs(2));
        let store = sftoken::store::open(&place.url(&user), &options).unwrap();
        let error = store.check().unwrap_err();
        check_error(&error, kind, problem, hint);
        assert!(
            !format!("{error}{}", error.hint).contains("planted"),
            "{error}"
        );
    };
    check(
        StoreErrorKind::Misconfigured,
        "cannot be run",
        "install it by hand",
    );
    script(
        &place,
        "plugin",
        "echo planted-words >&2; echo planted-words; exit 7",
    );
    check(StoreErrorKind::Locked, "exit status: 7", "by hand");
    script(&place, "plugin", "echo '{\"token\": \"planted-words\"}'");
    check(StoreErrorKind::Locked, "no ExecCredential", "by hand");
    script(
        &place,
        "plugin",
        "echo '{\"apiVersion\": \"client.authentication.k8s.io/v1\", \"kind\": \"ExecCredential\", \"status\": {}}'",
    );
    check(
        StoreErrorKind::Locked,
        "neither a token nor a certificate",
        "by hand",
    );
    // With a child of its own, which holds the pipe's writing end: the end of the pipe is the end of the child.
    let life = place.path("life");
    let made = Command::new("mkfifo").arg(&life).status().unwrap();
    assert!(made.success());
    let (ended, end) = std::sync::mpsc::channel();
    thread::spawn(move || ended.send(std::fs::read(life).unwrap()));
    script(
        &place,
        "plugin",
        "(exec 3>\"${0%/*}/life\"; exec sleep 600) & wait",
    );
    let begin = Instant::now();
    check(StoreErrorKind::Locked, "took too long", "tried again");
    assert!(begin.elapsed() < Duration::from_secs(20));
    assert_eq!(end.recv_timeout(Duration::from_secs(10)).unwrap(), b"");
}
