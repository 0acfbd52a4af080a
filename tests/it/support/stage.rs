//! The stage of most stories: a Dovecot, a configured home, and a script that keeps tokens.
//!
//! Knows how they fit together. Never starts sftoken by itself. Each test has a stage of its own.

use sftoken::ingest::token::Token;
use sftoken::testing::dns::DnsServer;

use super::dovecot::{Dovecot, PASSWORD};
use super::run::{Home, Running};
use super::salesforce::{ANN, BOB, BOX, Keeper, ago, genuine, key_file, new_token};

/// A configured home with a mailbox and a script that keeps tokens.
pub(crate) struct Stage {
    pub(crate) server: Dovecot,
    pub(crate) home: Home,
    pub(crate) keeper: Keeper,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let home = Home::new();
        let keys = key_file(&home);
        Self::with_dns(home, &format!("keys = [\"{keys}\"]"))
    }

    pub(crate) fn asking(dns: &DnsServer) -> Self {
        Self::with_dns(Home::new(), &format!("server = \"{}\"", dns.address()))
    }

    fn with_dns(home: Home, dns: &str) -> Self {
        let keeper = Keeper::in_home(&home);
        Self::set(Dovecot::start(), home, keeper, dns, "")
    }

    /// With more keys of the mailbox.
    pub(crate) fn with_keys(keys: &str) -> Self {
        Self::on(Dovecot::start(), keys)
    }

    /// The same on a server of another kind.
    pub(crate) fn on(server: Dovecot, keys: &str) -> Self {
        let home = Home::new();
        let dns = format!("keys = [\"{}\"]", key_file(&home));
        let keeper = Keeper::in_home(&home);
        Self::set(server, home, keeper, &dns, keys)
    }

    fn set(server: Dovecot, mut home: Home, keeper: Keeper, dns: &str, keys: &str) -> Self {
        home.set("MAIL_PASSWORD", PASSWORD);
        let port = server.endpoint(BOX).port;
        configure(&home, &server, port, keeper.url(), dns, keys);
        Self {
            server,
            home,
            keeper,
        }
    }

    /// Another machine that watches the same mailbox, through `port`, and stores into the same place.
    pub(crate) fn other_machine(&self, port: u16, keys: &str) -> Home {
        let mut home = Home::new();
        home.set("MAIL_PASSWORD", PASSWORD);
        let dns = format!("keys = [\"{}\"]", key_file(&home));
        configure(&home, &self.server, port, self.keeper.url(), &dns, keys);
        home
    }

    pub(crate) fn deliver(&self, mail: &[u8]) {
        self.server.deliver(BOX, mail);
    }

    /// Delivers a new token, dated so many seconds ago.
    pub(crate) fn reset(&self, seconds: i64) -> String {
        let token = new_token();
        self.deliver(&genuine(ANN, &token, ago(seconds)));
        token
    }

    pub(crate) fn watch(&self) -> Running {
        self.home.start(&["watch", "--json"])
    }

    #[track_caller]
    pub(crate) fn catch_up(&self) {
        let ended = self.home.run(&["watch", "--once"]).check(0);
        assert_eq!(ended.out, "");
    }

    #[track_caller]
    pub(crate) fn check_kept(&self, token: &str) {
        assert_eq!(self.keeper.kept(ANN).as_deref(), Some(token));
    }

    /// The tokens that were written for the account, in order.
    pub(crate) fn written(&self) -> Vec<String> {
        let puts = self.keeper.puts();
        let tokens = puts.iter().filter_map(|put| put.strip_prefix(ANN));
        tokens.map(|token| token.trim().to_owned()).collect()
    }

    pub(crate) fn next_uid(&self) -> Option<u32> {
        let cursor = self.home.ledger().cursor("ops", "INBOX").unwrap();
        cursor.map(|(_, next)| next)
    }
}

pub(crate) fn fingerprint(token: &str) -> String {
    Token::new(token).unwrap().fingerprint().to_string()
}

/// Waits for the receipt that says that the token is in the store.
#[track_caller]
pub(crate) fn await_stored(watching: &mut Running, token: &str) {
    while !watching
        .hear_out(&fingerprint(token))
        .contains("\"stored_at\":\"")
    {}
}

fn configure(home: &Home, server: &Dovecot, port: u16, store: String, dns: &str, keys: &str) {
    home.configure(&format!(
        "[mailbox.ops]\nurl = \"imaps://{BOX}@localhost:{port}\"\nca_file = \"{}\"\n\
         auth = {{ password = \"env:MAIL_PASSWORD\" }}\n{keys}\n\
         [dns]\n{dns}\n[store.default]\nurl = \"{store}\"\n\
         [[account]]\nusername = \"{ANN}\"\n[[account]]\nusername = \"{BOB}\"\n",
        server.ca_file().display(),
    ));
}
