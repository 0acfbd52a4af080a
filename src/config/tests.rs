//! What a user may write, and what a wrong word answers.

use std::path::Path;

use jiff::SignedDuration;

use super::*;
use crate::ingest::policy::Org;
use crate::secret::SecretRef;

/// Every key of the contract's sample, with the values that this version has.
const SAMPLE: &str = r#"
[mailbox.ops]
url = "imaps://integrations@example.com@imap.example.com"
auth = { password = "keyring:sftoken/ops" }
folders = ["INBOX", "\\Junk"]
handled = "leave"
[trust]
proof = "dkim"
signing_domains = ["salesforce.com"]
senders = ["support@salesforce.com"]
denied_selectors = ["google"]
required_signed = ["message-id"]
max_signatures = 8
max_dns_questions = 3
clock_skew = "15m"
max_mail_age = "3d"
authserv_id = "mx.example.com"
pinned_keys = {}
armed_only = false
[trail]
keep = "400d"
[dns]
server = "127.0.0.1:5353"
keys = ["dns.keys"]
[store.default]
url = "keyring://sftoken"
[store.files]
url = "age:tokens"
[[account]]
username = "integration@acme.example"
org = "sandbox"
store = "files"
max_age = "30d"
verify = "never"
password = "env:SFTOKEN_LOGIN"
on_stored = ["systemctl", "restart", "nightly-load"]
on_stored_timeout = "2m"
[[account.consumer]]
name = "nightly load"
test = ["/opt/load/bin/ping"]
timeout = "10s"
[notify]
webhook = "https://hooks.acme.example/sftoken"
webhook_secret = "keyring:sftoken/webhook"
webhook_ca_file = "ca.pem"
desktop = false
events = ["stored", "overdue"]
"#;

fn read(text: &str) -> Result<Config, ConfigError> {
    load(text, Path::new("/etc/sftoken.toml"), [])
}

fn with(text: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let own = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
    load(
        text,
        Path::new("/etc/sftoken.toml"),
        variables.iter().map(own),
    )
}

#[track_caller]
fn wrong(text: &str, problem: &str, hint: &str) {
    let error = read(text).expect_err("the text is wrong");
    assert_eq!(error.to_string(), problem);
    assert!(error.hint().contains(hint), "hint: {}", error.hint());
}

#[test]
fn every_key_of_the_sample_is_understood() {
    let config = read(SAMPLE).unwrap();
    let mailbox = &config.mailboxes[0];
    assert_eq!(mailbox.name, "ops");
    assert_eq!(mailbox.url.user, "integrations@example.com");
    assert_eq!(mailbox.url.host, "imap.example.com");
    assert_eq!(
        (mailbox.url.port, mailbox.url.security),
        (993, Security::Tls)
    );
    let folders = mailbox.watching.folders.as_deref().unwrap();
    assert_eq!(folders, ["INBOX", "\\Junk"]);
    assert_eq!(config.policy.max_age, Some(SignedDuration::from_hours(72)));
    assert_eq!(config.policy.signing_domains, ["salesforce.com"]);
    let keep = SignedDuration::from_hours(400 * 24);
    assert_eq!(config.trail.keep, Some(keep));
    assert_eq!(config.dns.keys, [Path::new("/etc/dns.keys")]);
    let account = &config.accounts[0];
    assert_eq!(
        (account.org, config.store_url(account)),
        (Org::Sandbox, "age:tokens")
    );
    assert_eq!(account.consumers[0].name, "nightly load");
    assert_eq!(
        account.password,
        Some(SecretRef::Env("SFTOKEN_LOGIN".to_owned()))
    );
    assert_eq!(config.policy.accounts[0].org, Some(Org::Sandbox));
}

#[test]
fn nothing_at_all_is_the_documented_default() {
    let config = read("").unwrap();
    assert!(config.mailboxes.is_empty() && config.accounts.is_empty());
    assert_eq!(config.stores["default"], "keyring://sftoken");
    assert_eq!(config.policy.max_age, Some(DEFAULT_MAX_MAIL_AGE));
    assert_eq!(config.policy.senders.len(), 4);
    assert_eq!(config.trail.keep, None);
}

#[test]
fn the_trail_is_kept_as_long_as_mails_are_looked_at() {
    let short = "[trust]\nmax_mail_age = \"30d\"\n[trail]\nkeep = \"29d\"\n";
    wrong(
        short,
        "/etc/sftoken.toml:4: trail.keep: \"29d\" is shorter than trust.max_mail_age",
        "as long at least",
    );
    let variable = [("SFTOKEN_TRAIL_KEEP", "30d")];
    let config = with("[trust]\nmax_mail_age = \"30d\"\n", &variable).unwrap();
    assert_eq!(config.trail.keep, Some(SignedDuration::from_hours(30 * 24)));
    wrong(
        "[trail]\nkeep = \"for ever\"",
        "/etc/sftoken.toml:2: trail.keep: \"for ever\" is not a length of time, as in 90d, 30m or 1h30m",
        "400d",
    );
}

#[test]
fn unknown_keys_are_told_with_their_line() {
    let place = "/etc/sftoken.toml";
    wrong(
        "[trst]\n",
        &format!("{place}:1: trst: no such key"),
        "did you mean `trust`?",
    );
    wrong(
        "[trust]\nsender = []\n",
        &format!("{place}:2: trust.sender: no such key"),
        "did you mean `senders`?",
    );
    wrong(
        "[mailbox.a]\nurl = \"x\"\n[mailbox.a.auth]\npasword = \"hunter2\"\n",
        &format!("{place}:4: mailbox.a.auth.pasword: no such key"),
        "did you mean `password`?",
    );
    wrong(
        "zzz = 1\n[trst]\n",
        &format!("{place}:1: zzz: no such key"),
        "README",
    );
}

#[test]
fn wrong_values_name_place_key_and_remedy() {
    let at = |rest: &str| format!("/etc/sftoken.toml:2: {rest}");
    let cases = [
        (
            "[trust]\narmed_only = \"yes\"",
            "trust.armed_only: the key wants true or false",
            "without quotes",
        ),
        (
            "[trust]\nsenders = \"a@b.example\"",
            "trust.senders: the key wants a list of texts",
            "[\"one\"",
        ),
        (
            "[trust]\nmax_mail_age = \"7\"",
            "trust.max_mail_age: \"7\" is not a length of time, as in 90d, 30m or 1h30m",
            "7d",
        ),
        (
            "[trust]\nsenders = [\"Bob <b@b.example>\"]",
            "trust.senders: \"Bob <b@b.example>\" is not an address",
            "plain",
        ),
        (
            "[trust]\nsigning_domains = [\"com\"]",
            "trust.signing_domains: \"com\" is not a domain",
            "ASCII",
        ),
        (
            "[trust]\nsenders = []",
            "trust.senders: an empty list trusts nobody",
            "default",
        ),
        (
            "[dns]\nserver = \"a:b\"",
            "dns.server: \"a:b\" is not a resolver's HOST:PORT",
            "127.0.0.1:53",
        ),
        (
            "[mailbox.a]\nurl = \"pop://a@b.example\"",
            "mailbox.a.url: \"pop\" is not imaps or imap",
            "imaps://",
        ),
        (
            "[mailbox.a]\nurl = \"imaps://imap.b.example\"",
            "mailbox.a.url: the URL names no user",
            "imaps://",
        ),
        (
            "[[account]]\nusername = \"a b\"",
            "account.0.username: \"a b\" holds white space",
            "acme",
        ),
        (
            "\naccount = { username = \"a\" }",
            "account: this is a table: it begins with [[account]]",
            "[[account]]",
        ),
    ];
    for (text, problem, hint) in cases {
        wrong(text, &at(problem), hint);
    }
    wrong(
        "\n[mailbox.a]\n",
        "/etc/sftoken.toml:2: mailbox.a.url: the key is missing or empty",
        "imaps://",
    );
}

#[test]
fn what_is_not_done_yet_is_never_passed_over() {
    let cases = ["[mailbox.a]\npreset = \"gmail\""];
    for text in cases {
        let error = read(text).expect_err(text).to_string();
        assert!(error.contains("does not do this yet"), "{text}: {error}");
    }
}

#[test]
fn a_password_in_the_file_is_refused_and_never_shown() {
    let cases = [
        "[mailbox.a]\nurl = \"imaps://a@b.example\"\nauth = { password = \"hunter2\" }",
        "[mailbox.a]\nurl = \"imaps://a@b.example\"\nauth = { password = \"x:hunter2\" }",
        "[mailbox.a]\nurl = \"imaps://a:hunter2@b.example\"",
        "[mailbox.a]\nurl = \"hunter2\"",
        "[mailbox.a]\nauth = \"hunter2\"",
        "[mailbox.a]\nauth.password = \"hunter2",
        "[mailbox.a]\npassword = \"hunter2\"",
        "[[account]]\nusername = \"a\"\npassword = \"hunter2\"",
    ];
    for text in cases {
        let error = read(text).expect_err(text);
        let shown = format!("{error} {} {error:?}", error.hint());
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    let error = read(cases[0]).expect_err("a literal");
    assert!(error.hint().contains("keyring:SERVICE/USER"));
}

#[test]
fn two_accounts_never_share_a_slot() {
    let two = |rest: &str| {
        format!(
            "[[account]]\nusername = \"a@b.example\"\n[[account]]\nusername = \"a@b.example\"\n{rest}"
        )
    };
    let error = read(&two("org = \"sandbox\"")).expect_err("one slot");
    assert!(
        error
            .to_string()
            .starts_with("/etc/sftoken.toml:4: account.1.username: "),
        "{error}"
    );
    assert!(error.hint().contains("[store.sandbox]"));
    let same_url = "org = \"sandbox\"\nstore = \"s\"\n[store.s]\nurl = \"keyring://sftoken\"";
    read(&two(same_url)).expect_err("two names of one store");
    let apart = "org = \"sandbox\"\nstore = \"s\"\n[store.s]\nurl = \"keyring://sandbox\"";
    let mut config = read(&two(apart)).unwrap();
    config
        .use_store("age:x")
        .expect_err("--store brings them together");
    read(&two("")).expect_err("twice the same");
}

#[test]
fn a_store_that_is_not_there_is_told() {
    let text = "[[account]]\nusername = \"a@b.example\"\nstore = \"defalt\"";
    wrong(
        text,
        "/etc/sftoken.toml:3: account.0.store: there is no store \"defalt\"",
        "did you mean \"default\"?",
    );
}

/// A variable that a store's URL refers to is no misspelt key.
#[test]
fn a_reference_in_a_stores_url_is_one() {
    let url = "vault://vault.example/secret/x?auth=token&token=env:SFTOKEN_STORE_VAULT&timeout=5s";
    let toml = format!("{SAMPLE}\n[store.vault]\nurl = \"{url}\"\n");
    with(&toml, &[("SFTOKEN_STORE_VAULT", "a secret")]).unwrap();
    with(SAMPLE, &[("SFTOKEN_STORE_VAULT", "a secret")]).unwrap_err();
}

#[test]
fn the_environment_overrides_the_file() {
    let config = with(
        SAMPLE,
        &[
            ("SFTOKEN_TRUST_MAX_MAIL_AGE", "1h30m"),
            ("SFTOKEN_TRUST_SENDERS", "a@b.example, c@d.example"),
            ("SFTOKEN_TRUST_SIGNING_DOMAINS", "[\"b.example\"]"),
            ("SFTOKEN_DNS_SERVER", "192.0.2.1"),
            ("SFTOKEN_MAILBOX_OPS_CA_FILE", "ca.pem"),
            ("SFTOKEN_MAILBOX_OPS_AUTH_PASSWORD", "env:MAIL"),
            (
                "SFTOKEN_MAILBOX_OTHER_BOX_URL",
                "imap://x@[2001:db8::1]:1143",
            ),
            ("SFTOKEN_STORE_DEFAULT_URL", "age:elsewhere"),
            ("SFTOKEN_ACCOUNT_0_USERNAME", "other@acme.example"),
            ("SFTOKEN_ACCOUNT_1_USERNAME", "more@acme.example"),
            ("SFTOKEN_ACCOUNT_0_CONSUMER_0_NAME", "weekly"),
            ("SFTOKEN_STATE_DIR", "state"),
            ("SFTOKEN_CONFIG", "ignored"),
            ("SFTOKEN_LOGIN", "a secret that env:SFTOKEN_LOGIN names"),
            ("HOME", "ignored"),
        ],
    )
    .unwrap();
    assert_eq!(config.policy.max_age, Some(SignedDuration::from_mins(90)));
    assert_eq!(config.policy.senders, ["a@b.example", "c@d.example"]);
    assert_eq!(config.policy.signing_domains, ["b.example"]);
    assert_eq!(config.dns.server.as_deref(), Some("192.0.2.1:53"));
    assert_eq!(
        config.mailboxes[0].transport.tls.ca_file.as_deref(),
        Some(Path::new("/etc/ca.pem"))
    );
    assert_eq!(
        config.mailboxes[0].password,
        Some(SecretRef::Env("MAIL".to_owned()))
    );
    let other = &config.mailboxes[1];
    assert_eq!(
        (other.name.as_str(), other.url.host.as_str()),
        ("other_box", "2001:db8::1")
    );
    assert_eq!(
        (other.url.port, other.url.security),
        (1143, Security::StartTls)
    );
    assert_eq!(config.stores["default"], "age:elsewhere");
    assert_eq!(config.accounts[0].username, "other@acme.example");
    assert_eq!(config.accounts[1].username, "more@acme.example");
    assert_eq!(config.accounts[0].consumers[0].name, "weekly");
    assert_eq!(config.state_dir.as_deref(), Some(Path::new("/etc/state")));
}

#[test]
fn a_variable_finds_a_table_whose_name_has_a_dash() {
    let text = "[mailbox.my-ops]\nurl = \"imaps://a@b.example\"";
    let config = with(
        text,
        &[("SFTOKEN_MAILBOX_MY_OPS_URL", "imaps://c@d.example")],
    )
    .unwrap();
    assert_eq!(config.mailboxes.len(), 1);
    assert_eq!(config.mailboxes[0].url.user, "c");
}

#[test]
fn a_variable_that_names_no_key_is_told() {
    let error = with("", &[("SFTOKEN_TRUST_SENDER", "x")]).expect_err("no key");
    assert_eq!(
        error.to_string(),
        "SFTOKEN_TRUST_SENDER: this variable names no key"
    );
    assert_eq!(error.hint(), "did you mean SFTOKEN_TRUST_SENDERS?");
    let error = with("", &[("SFTOKEN_TRUST_ARMED_ONLY", "yes")]).expect_err("no truth");
    assert!(
        error
            .to_string()
            .starts_with("SFTOKEN_TRUST_ARMED_ONLY: trust.armed_only: ")
    );
}

#[test]
fn mailbox_urls() {
    let url = |text: &str| Mailbox::from_url(text).map(|mailbox| mailbox.url);
    let plain = url("imaps://a%40b%3Ac@IMAP.example.com:1993/").unwrap();
    assert_eq!(
        (plain.user.as_str(), plain.host.as_str(), plain.port),
        ("a@b:c", "imap.example.com", 1993)
    );
    for bad in [
        "imaps://@imap.example.com",
        "imaps://a@",
        "imaps://a@imap.example.com:0",
        "imaps://a@imap.example.com:x",
        "imaps://a@imap.example.com/INBOX",
        "imaps://a%4@imap.example.com",
        "imaps://a%00@imap.example.com",
        "imaps://a@im ap.example.com",
    ] {
        let error = url(bad).expect_err(bad);
        assert!(error.to_string().starts_with("--mailbox: "), "{error}");
    }
}

/// Which keys `docs/configuration.md` has in its tables, as [`keys::KEYS`] spells them.
#[test]
fn the_documentation_has_every_key_and_no_other() {
    let text = include_str!("../../docs/configuration.md");
    let tables = text.split("| key | default | meaning |").skip(1);
    let rows = tables.flat_map(|table| table.lines().skip(2).take_while(|row| !row.is_empty()));
    let mut documented: Vec<&str> = rows.filter_map(|row| row.split('`').nth(1)).collect();
    let spelt = |key: &str| key.replace('*', "NAME").replace(".#", "");
    let mut known: Vec<String> = keys::KEYS.iter().map(|(key, _)| spelt(key)).collect();
    documented.sort_unstable();
    known.sort_unstable();
    assert_eq!(documented, known);
}
