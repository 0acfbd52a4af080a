use std::path::Path;

use super::*;
use crate::config::{Config, Mailbox, load};

const PIN: &str = "sha256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn with(keys: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let text = format!("[mailbox.ops]\nurl = \"imaps://a@b.example\"\n{keys}");
    let own = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
    load(
        &text,
        Path::new("/etc/sftoken.toml"),
        variables.iter().map(own),
    )
}

fn read(keys: &str) -> Transport {
    let mut config = with(keys, &[]).unwrap();
    config.mailboxes.remove(0).transport
}

#[track_caller]
fn wrong(keys: &str, problem: &str, hint: &str) {
    let error = with(keys, &[]).expect_err(keys);
    assert_eq!(error.to_string(), format!("/etc/sftoken.toml:{problem}"));
    assert!(error.hint().contains(hint), "hint: {}", error.hint());
}

#[test]
fn without_a_key_nothing_is_special() {
    assert_eq!(read(""), Transport::default());
    let mailbox = Mailbox::from_url("imaps://a@b.example").unwrap();
    assert_eq!(mailbox.transport, Transport::default());
}

#[test]
fn pinned_keys_are_digests() {
    let digest: [u8; 32] = std::array::from_fn(|at| u8::try_from(at).unwrap());
    let read = read(&format!("pinned_keys = [\"{PIN}\", \"{PIN}\"]"));
    assert_eq!(read.tls.pinned_keys, [digest, digest]);
    for bad in [
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "sha1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "sha256:AAEC",
        "sha256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "",
    ] {
        wrong(
            &format!("pinned_keys = [\"{bad}\"]"),
            &format!("3: mailbox.ops.pinned_keys: {bad:?} is not the SHA-256 of a key"),
            "sha256:BASE64",
        );
    }
    wrong(
        "pinned_keys = []",
        "3: mailbox.ops.pinned_keys: an empty list trusts no server",
        "authorities",
    );
    wrong(
        &format!("pinned_keys = [\"{PIN}\"]\nca_file = \"ca.pem\""),
        "3: mailbox.ops.pinned_keys: the key has no use beside ca_file",
        "instead of certificate authorities",
    );
}

#[test]
fn a_client_certificate_has_a_key() {
    let client = read("client_cert = \"me.pem\"\nclient_key = \"file:me.key\"")
        .tls
        .client;
    let expected = ClientCertificate {
        certificate: "/etc/me.pem".into(),
        key: SecretRef::File("/etc/me.key".into()),
    };
    assert_eq!(client, Some(expected));
    wrong(
        "client_cert = \"me.pem\"",
        "3: mailbox.ops.client_cert: the certificate has no key",
        "client_key = \"file:PATH\"",
    );
    wrong(
        "client_key = \"env:KEY\"",
        "3: mailbox.ops.client_key: the key has no certificate",
        "client_cert = \"PATH\"",
    );
    wrong(
        "client_cert = \"me.pem\"\nclient_key = \"command:pass key\"",
        "4: mailbox.ops.client_key: a command gives one line, and a key has more",
        "file:PATH",
    );
}

#[test]
fn proxy_urls() {
    let proxy = |text: &str| read(&format!("proxy = \"{text}\"")).proxy.unwrap();
    let socks = Proxy {
        kind: ProxyKind::Socks5,
        host: "proxy.example".to_owned(),
        port: 1080,
        login: None,
    };
    assert_eq!(proxy("socks5://Proxy.example:1080"), socks);
    assert_eq!(proxy("socks5h://proxy.example:1080/"), socks);
    let six = proxy("http://[2001:db8::1]:80");
    assert_eq!(
        (six.kind, six.host.as_str(), six.port),
        (ProxyKind::Http, "2001:db8::1", 80)
    );
    let login = read("proxy = \"socks5://a%3Ab%40c@p.example:1\"\nproxy_password = \"env:P\"");
    let login = login.proxy.unwrap().login.unwrap();
    assert_eq!(login, ("a:b@c".to_owned(), SecretRef::Env("P".to_owned())));
}

#[test]
fn what_is_no_proxy_is_told() {
    let cases = [
        ("p.example:1080", "this is not a URL"),
        ("https://p.example:443", "\"https\" is not socks5 or http"),
        ("socks5://p.example", "the URL names no port"),
        (
            "socks5://p.example:0",
            "\"p.example:0\" is not a host and a port",
        ),
        (
            "http://p.example:80/x",
            "the URL goes on behind the host: \"x\"",
        ),
        (
            "http://a%3Ab@p.example:80",
            "the URL's user cannot be sent to such a proxy",
        ),
        (
            "socks5://a%0a@p.example:80",
            "the URL's user cannot be sent to such a proxy",
        ),
        (
            "socks5://@p.example:80",
            "the URL's user cannot be sent to such a proxy",
        ),
        (
            "socks5://a@p.example:80",
            "the proxy's user has no password",
        ),
    ];
    for (text, problem) in cases {
        let error = with(&format!("proxy = \"{text}\""), &[]).expect_err(text);
        let expected = format!("/etc/sftoken.toml:3: mailbox.ops.proxy: {problem}");
        assert_eq!(error.to_string(), expected);
        assert!(error.hint().contains("proxy"), "{}", error.hint());
    }
    wrong(
        "proxy_password = \"env:P\"",
        "3: mailbox.ops.proxy_password: there is no proxy for it",
        "socks5://",
    );
    wrong(
        "proxy = \"http://p.example:80\"\nproxy_password = \"env:P\"",
        "4: mailbox.ops.proxy_password: the proxy has no user",
        "USER@",
    );
}

#[test]
fn a_password_in_these_keys_is_refused_and_never_shown() {
    for keys in [
        "proxy = \"socks5://me:hunter2@p.example:1080\"",
        "proxy = \"socks5://me:hunt@hunter2@p.example:1080\"",
        "proxy = \"hunter2\"",
        "proxy = \"http://me@p.example:80\"\nproxy_password = \"hunter2\"",
        "client_cert = \"me.pem\"\nclient_key = \"-----BEGIN PRIVATE KEY----- hunter2\"",
    ] {
        let error = with(keys, &[]).expect_err(keys);
        let shown = format!("{error} {} {error:?}", error.hint());
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn variables_name_these_keys_too() {
    let config = with(
        "",
        &[
            ("SFTOKEN_MAILBOX_OPS_PINNED_KEYS", &format!("{PIN}, {PIN}")),
            ("SFTOKEN_MAILBOX_OPS_CLIENT_CERT", "me.pem"),
            ("SFTOKEN_MAILBOX_OPS_CLIENT_KEY", "systemd:key"),
            ("SFTOKEN_MAILBOX_OPS_PROXY", "socks5://me@p.example:1080"),
            ("SFTOKEN_MAILBOX_OPS_PROXY_PASSWORD", "env:P"),
        ],
    );
    let transport = &config.unwrap().mailboxes[0].transport;
    assert_eq!(transport.tls.pinned_keys.len(), 2);
    assert_eq!(
        transport.tls.client.as_ref().unwrap().certificate,
        Path::new("/etc/me.pem")
    );
    let (user, password) = transport.proxy.as_ref().unwrap().login.as_ref().unwrap();
    assert_eq!(
        (user.as_str(), password),
        ("me", &SecretRef::Env("P".to_owned()))
    );
}

/// Other programs' variables are other programs': a proxy that nobody named here is not used.
#[test]
fn foreign_variables_name_no_proxy() {
    let config = with(
        "",
        &[
            ("HTTPS_PROXY", "http://p.example:80"),
            ("ALL_PROXY", "socks5://p.example:1"),
        ],
    );
    assert_eq!(config.unwrap().mailboxes[0].transport.proxy, None);
}
