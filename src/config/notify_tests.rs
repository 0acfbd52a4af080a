use std::path::Path;

use super::super::{Config, load};
use super::*;

fn config(text: &str) -> Result<Config, ConfigError> {
    load(text, Path::new("/etc/sftoken.toml"), [])
}

fn account(keys: &str) -> Result<super::super::Account, ConfigError> {
    let text = format!("[[account]]\nusername = \"a@acme.example\"\n{keys}\n");
    config(&text).map(|mut config| config.accounts.remove(0))
}

#[track_caller]
fn check_wrong(read: Result<impl Sized, ConfigError>, problem: &str, hint: &str) {
    let Err(error) = read else {
        panic!("{problem}: it is taken");
    };
    assert!(error.to_string().contains(problem), "{error}");
    assert!(error.hint().contains(hint), "{}", error.hint());
    assert!(!format!("{error:?}").contains("planted"), "{error:?}");
}

#[test]
fn nobody_is_told_unless_the_user_says_so() {
    let notify = config("").unwrap().notify;
    assert_eq!((notify.webhook, notify.desktop), (None, false));
    let words: Vec<&str> = notify.events.iter().map(|event| event.as_str()).collect();
    assert_eq!(
        words,
        [
            "stored",
            "not_verified",
            "store_failed",
            "hook_failed",
            "consumer_failed",
            "due",
            "overdue"
        ]
    );
    let account = account("").unwrap();
    assert_eq!((account.on_stored, account.consumers), (None, vec![]));
}

#[test]
fn a_webhook_is_a_url_or_where_it_stands() {
    let webhook = |url: &str| {
        let text = format!("[notify]\nwebhook = {url:?}\nwebhook_secret = \"env:WEBHOOK_KEY\"");
        config(&text).map(|config| config.notify.webhook.unwrap())
    };
    let text = webhook("https://hooks.example/T0/planted").unwrap();
    let secret = Secret::new("https://hooks.example/T0/planted".to_owned());
    assert_eq!(text.url, WebhookUrl::Text(secret));
    assert_eq!(text.secret, Some(SecretRef::Env("WEBHOOK_KEY".to_owned())));
    assert!(!format!("{text:?}").contains("planted"), "{text:?}");
    webhook("http://127.0.0.1:8080/x").unwrap();
    assert_eq!(
        webhook("file:hook-url").unwrap().url,
        WebhookUrl::Reference(SecretRef::File("/etc/hook-url".into()))
    );
    for (url, problem) in [
        ("planted", "neither a URL nor a reference"),
        (
            "ftp://hooks.example/planted",
            "neither a URL nor a reference",
        ),
        ("https:", "is none"),
        ("http://hooks.example/planted", "not one of HTTPS"),
        ("https://planted:planted@hooks.example", "holds a log-in"),
    ] {
        check_wrong(webhook(url), problem, "https://HOST/PATH");
    }
    check_wrong(
        config("[notify]\nwebhook_secret = \"env:WEBHOOK_KEY\""),
        "notify.webhook_secret: the key belongs to a webhook",
        "add webhook",
    );
    check_wrong(
        config("[notify]\nwebhook = \"https://x.example\"\nwebhook_secret = \"planted\""),
        "not a reference to a secret",
        "keyring:",
    );
}

#[test]
fn only_known_events_are_chosen() {
    let config = |events| config(&format!("[notify]\ndesktop = true\nevents = {events}"));
    let chosen = config("[\"verified\", \"due\", \"due\"]").unwrap().notify;
    assert_eq!(chosen.events, [EventWord::Verified, EventWord::Due]);
    assert!(chosen.desktop);
    assert_eq!(config("[]").unwrap().notify.events, []);
    check_wrong(
        config("[\"storde\"]"),
        "there is no event \"storde\"",
        "write some of: stored, verified",
    );
    check_wrong(
        config("[\"test\"]"),
        "there is no event \"test\"",
        "overdue",
    );
}

#[test]
fn commands_have_names_and_ends() {
    let hook =
        account("on_stored = [\"systemctl\", \"restart\", \"x y\"]\non_stored_timeout = \"5m\"")
            .unwrap();
    let hook = hook.on_stored.unwrap();
    assert_eq!(hook.argv, ["systemctl", "restart", "x y"]);
    assert_eq!(hook.timeout.as_secs(), 300);
    let tested =
        account("consumer = [{ name = \"a\", test = [\"/bin/ping\"] }, { name = \"b\" }]").unwrap();
    let test = tested.consumers[0].test.as_ref().unwrap();
    assert_eq!(
        (test.argv.len(), test.timeout),
        (1, DEFAULT_PROGRAM_TIMEOUT)
    );
    assert_eq!(tested.consumers[1].test, None);
    for (keys, problem, hint) in [
        (
            "on_stored = [\"./x\"]",
            "account.0.on_stored: the program's path does not start at the root",
            "in PATH",
        ),
        ("on_stored = [\"\", \"x\"]", "has no name", "each argument"),
        (
            "on_stored = [\"x\", \"\\u0000\"]",
            "holds a NUL",
            "each argument",
        ),
        (
            "on_stored = \"systemctl restart\"",
            "wants a list of texts",
            "[\"one\"",
        ),
        (
            "on_stored_timeout = \"1m\"",
            "belongs to on_stored",
            "remove",
        ),
        (
            "on_stored = [\"x\"]\non_stored_timeout = \"soon\"",
            "\"soon\" is not a length of time",
            "1m",
        ),
        (
            "on_stored = [\"x\"]\non_stored_timeout = \"2h\"",
            "longer than an hour",
            "1m",
        ),
        (
            "consumer = [{ test = [\"x\"] }]",
            "consumer.0.name: the key is missing",
            "nightly load",
        ),
        (
            "consumer = [{ name = \"a\", timeout = \"1m\" }]",
            "belongs to test",
            "remove",
        ),
        (
            "consumer = [{ name = \"a\", test = [\"b/c\"] }]",
            "does not start at the root",
            "in PATH",
        ),
    ] {
        check_wrong(account(keys), problem, hint);
    }
}

#[test]
fn what_the_webhook_needs_is_kept_from_programs() {
    let text = "[notify]\nwebhook = \"env:HOOK_PLACE\"\nwebhook_secret = \"env:HOOK_KEY\"";
    assert_eq!(
        config(text).unwrap().private_variables(),
        ["HOOK_KEY", "HOOK_PLACE"]
    );
}

/// A hook that calls sftoken has these in its environment.
#[test]
fn what_a_hook_is_told_is_no_key() {
    let told = [
        "EVENT",
        "EVENT_ID",
        "USERNAME",
        "ORG",
        "FINGERPRINT",
        "DATE",
        "SLOT",
    ];
    let told = told.map(|name| (format!("SFTOKEN_{name}"), "x".to_owned()));
    load("", Path::new("/etc/sftoken.toml"), told).unwrap();
}
