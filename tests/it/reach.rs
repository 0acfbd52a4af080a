//! `sftoken` to a mailbox by a pinned key, with a client certificate, through a proxy: from the words in
//! the configuration to the token in the store.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use sftoken::inbox::ProxyKind;

use crate::support::dovecot::{Dovecot, PASSWORD};
use crate::support::proxy::{self, ProxyServer};
use crate::support::run::{Ended, Home};
use crate::support::salesforce::{
    ANN, BOX, Keeper, ago, genuine, key_file, mailbox_url, new_token,
};

struct Stage {
    server: Dovecot,
    home: Home,
    keeper: Keeper,
}

impl Stage {
    /// The mailbox wants a client certificate, and knows no other log-in.
    fn new() -> Self {
        let server = Dovecot::start_for_certificates();
        let mut home = Home::new();
        let keeper = Keeper::in_home(&home);
        home.set("MAIL_PASSWORD", PASSWORD);
        home.set("PROXY_PASSWORD", proxy::PASSWORD);
        // not a word of these counts
        home.set("HTTPS_PROXY", "http://127.0.0.1:1");
        home.set("ALL_PROXY", "socks5://127.0.0.1:1");
        home.set("SFTOKEN_LOG", "trace");
        for name in ["client.crt", "client.key"] {
            let file = home.write(name, fs::read(server.tls_file(name)).unwrap());
            fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
        }
        Self {
            server,
            home,
            keeper,
        }
    }

    /// A run that catches up, with these keys in the mailbox's table.
    fn run(&self, keys: &str) -> Ended {
        let dns = key_file(&self.home);
        self.home.configure(&format!(
            "[mailbox.ops]\nurl = \"{}\"\nauth = {{ password = \"env:MAIL_PASSWORD\" }}\n\
             client_cert = \"{}\"\nclient_key = \"file:{}\"\n{keys}\n\
             [dns]\nkeys = [\"{dns}\"]\n[store.default]\nurl = \"{}\"\n\
             [[account]]\nusername = \"{ANN}\"\n",
            mailbox_url(&self.server),
            self.home.path("client.crt").display(),
            self.home.path("client.key").display(),
            self.keeper.url(),
        ));
        let ended = self.home.run(&["watch", "--once", "-vv"]);
        let key = fs::read_to_string(self.home.path("client.key")).unwrap();
        let line = key.lines().nth(1).unwrap();
        for secret in [PASSWORD, proxy::PASSWORD, line] {
            let said = [&ended.out, &ended.err]
                .into_iter()
                .any(|text| text.contains(secret));
            assert!(!said, "{}\n{}", ended.out, ended.err);
        }
        ended
    }

    /// Delivers a new token.
    fn reset(&self, seconds: i64) -> String {
        let token = new_token();
        self.server
            .deliver(BOX, &genuine(ANN, &token, ago(seconds)));
        token
    }

    fn ca_file(&self) -> String {
        format!("ca_file = \"{}\"", self.server.ca_file().display())
    }
}

/// The pin that an error shows is the one to write down, once its owner says so.
#[test]
fn a_shown_pin_can_be_pasted() {
    let stage = Stage::new();
    let token = stage.reset(60);
    let other = format!("sha256:{}=", "A".repeat(43));
    let ended = stage.run(&format!("pinned_keys = [\"{other}\"]")).check(5);
    let shown = ended.err.split_whitespace().find_map(|word| {
        let pin = word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '=');
        pin.starts_with("sha256:").then(|| pin.to_owned())
    });
    let shown = shown.unwrap_or_else(|| panic!("no pin: {}", ended.err));
    assert_eq!(stage.keeper.kept(ANN), None);
    stage
        .run(&format!("pinned_keys = [\"{other}\", \"{shown}\"]"))
        .check(0);
    assert_eq!(stage.keeper.kept(ANN).as_deref(), Some(token.as_str()));
}

#[test]
fn a_mailbox_behind_a_proxy_is_read() {
    let stage = Stage::new();
    for (kind, scheme, seconds) in [
        (ProxyKind::Socks5, "socks5", 60),
        (ProxyKind::Http, "http", 30),
    ] {
        let token = stage.reset(seconds);
        let proxy = ProxyServer::start_with_login(kind);
        let url = proxy
            .proxy()
            .to_string()
            .replace("://", &format!("://{}@", proxy::USER));
        assert!(url.starts_with(scheme));
        let keys = |password: &str| {
            let ca = stage.ca_file();
            format!("{ca}\nproxy = \"{url}\"\nproxy_password = \"{password}\"")
        };
        let refused = stage.run(&keys("env:MAIL_PASSWORD")).check(5);
        assert!(
            refused.err.contains("refused the user or the password"),
            "{}",
            refused.err
        );
        assert!(refused.err.contains("proxy_password"), "{}", refused.err);
        stage.run(&keys("env:PROXY_PASSWORD")).check(0);
        assert_eq!(stage.keeper.kept(ANN).as_deref(), Some(token.as_str()));
    }
}

#[test]
fn a_client_key_that_others_may_read_is_refused() {
    let stage = Stage::new();
    let key = stage.home.path("client.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let ended = stage.run(&stage.ca_file()).check(2);
    assert!(
        ended.err.contains("client.key") && ended.err.contains("chmod 600"),
        "{}",
        ended.err
    );
}
