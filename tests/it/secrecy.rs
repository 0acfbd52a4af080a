//! A token and a password, planted, must show nowhere but in the store.
//!
//! Every command runs at its most talkative; what it says, what it leaves on disk, and how it looks to
//! other processes is searched for the planted values in the forms in which they travel.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sftoken::dns::Resolver;
use sftoken::files::mails;
use sftoken::ingest::explain::explain;
use sftoken::ingest::mail::Mail;
use sftoken::ingest::secret::Secret;
use sftoken::ledger::Source;
use sftoken::testing::fixture::{Encoding, Structure, Subject};
use sftoken::testing::store::MemoryStore;
use sftoken::watch::Letter;
use sftoken::{KeyAnswers, Policy, Recipe, Token, examine};

use crate::support::dovecot::{Dovecot, PASSWORD};
use crate::support::run::{Ended, Home, Running, files_below};
use crate::support::salesforce::{
    ANN, BOX, Keeper, SELECTOR, ago, genuine, key_file, key_name, key_record, mail, mailbox_url,
    signed,
};

/// The planted token.
const TOKEN: &str = "MarkerZq7Xw2Kp9Lm4Tr8Vb6";
/// A planted token in a mail that is no good.
const BROKEN: &str = "Broken5Hd3Gs1Jf0Yc8Nt6Wm";
/// A planted password that the server refuses.
const WRONG: &str = "planted-wrong-pass";

/// Every text by which a secret could be known: itself, its halves (a soft line break stands between),
/// base64 at each of the three alignments, base64 of the log-in, and its octets in decimal.
fn forms(secret: &str) -> Vec<String> {
    let (left, right) = secret.split_at(secret.len() / 2);
    let mut forms = vec![secret.to_owned()];
    // half a password may be a word of the language
    if !secret.contains('-') {
        forms.extend([left, right].map(str::to_owned));
    }
    for shift in 0..3 {
        let text = STANDARD.encode(format!("{}{secret}", &"   "[..shift]));
        // the first and last letters hold bits of their neighbours
        forms.push(text[4..text.len() - 4].to_owned());
    }
    forms.push(STANDARD.encode(format!("\0{BOX}\0{secret}")));
    let octets: Vec<String> = left.bytes().map(|octet| octet.to_string()).collect();
    forms.push(octets.join(", "));
    forms
}

#[track_caller]
fn check_free(place: &str, bytes: &[u8], secrets: &[&str]) {
    for secret in secrets {
        for form in forms(secret) {
            let found = memchr::memmem::find(bytes, form.as_bytes()).is_some();
            let text = String::from_utf8_lossy(&bytes[..bytes.len().min(20_000)]);
            assert!(!found, "{place} holds {form:?}:\n{text}");
        }
    }
}

const SECRETS: [&str; 4] = [TOKEN, BROKEN, PASSWORD, WRONG];

/// A home with a mailbox, whose password stands in a file, and the loudest log.
struct Stage {
    server: Dovecot,
    home: Home,
    keeper: Keeper,
}

impl Stage {
    fn new() -> Self {
        let server = Dovecot::start();
        let mut home = Home::new();
        let keeper = Keeper::in_home(&home);
        let keys = key_file(&home);
        home.set("SFTOKEN_LOG", "trace");
        let stage = Self {
            server,
            home,
            keeper,
        };
        stage.set_password(PASSWORD);
        stage.home.configure(&format!(
            "[mailbox.ops]\nurl = \"{}\"\nca_file = \"{}\"\n\
             auth = {{ password = \"file:{}\" }}\n\
             [dns]\nkeys = [\"{keys}\"]\n[store.default]\nurl = \"{}\"\n\
             [[account]]\nusername = \"{ANN}\"\n",
            mailbox_url(&stage.server),
            stage.server.ca_file().display(),
            stage.home.path("secret/password").display(),
            stage.keeper.url(),
        ));
        stage
    }

    fn set_password(&self, password: &str) {
        let file = self.home.write("secret/password", password);
        fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn start(&self, words: &[&str]) -> Running {
        let loud = ["-vv", "--log-format", "json"];
        self.home.start(&[words, &loud].concat())
    }

    fn run(&self, words: &[&str]) {
        check_said(&self.start(words).end());
        self.check_disk();
    }

    /// Nothing on disk but the mails, the store and the password's own file.
    fn check_disk(&self) {
        for (path, bytes) in files_below(&self.home.path(".")) {
            let name = path.to_string_lossy().into_owned();
            let meant = ["/keeper/", "/mails/", "/secret/"];
            if !meant.iter().any(|folder| name.contains(folder)) {
                check_free(&name, &bytes, &SECRETS);
            }
        }
        assert!(self.home.path("state/sftoken/ledger.db").exists());
    }
}

#[track_caller]
fn check_said(ended: &Ended) {
    check_free("standard output", ended.out.as_bytes(), &SECRETS);
    check_free("standard error", ended.err.as_bytes(), &SECRETS);
}

/// What other users, and root, see of the process.
#[track_caller]
fn check_process(running: &Running) {
    for name in ["cmdline", "environ", "status"] {
        // where it is not even readable, all the better
        if let Ok(bytes) = fs::read(format!("/proc/{}/{name}", running.id())) {
            check_free(name, &bytes, &SECRETS);
        }
    }
}

/// The token in each form in which it travels, and mails that are no good.
fn planted() -> Vec<Vec<u8>> {
    let ways = [
        (Encoding::SevenBit, Structure::Text),
        (Encoding::SoftBreak, Structure::Text),
        (Encoding::Base64, Structure::Alternative),
        (Encoding::QuotedPrintable, Structure::Html),
    ];
    let mut planted: Vec<Vec<u8>> = (0..)
        .zip(ways)
        .map(|(number, (encoding, structure))| {
            let mut mail = mail(ANN, TOKEN, ago(100 - number));
            (mail.encoding, mail.structure) = (encoding, structure);
            signed(&mail, SELECTOR)
        })
        .collect();
    let mut two_tokens = mail(ANN, BROKEN, ago(200));
    let twice = two_tokens.plain_text().repeat(2);
    two_tokens.text = Some(twice);
    planted.push(signed(&two_tokens, SELECTOR));
    let mut cut = genuine(ANN, BROKEN, ago(200));
    cut.truncate(cut.len() - 40);
    planted.push(cut);
    let mut odd = mail(ANN, &format!("{BROKEN}-{BROKEN}!"), ago(200));
    odd.structure = Structure::Alternative;
    planted.push(signed(&odd, SELECTOR));
    let mut talkative = mail(ANN, BROKEN, ago(200));
    talkative.subject = Subject::Custom(format!("FW: your Salesforce security token {BROKEN}"));
    talkative.from = format!("{BROKEN} <support@salesforce.com>");
    planted.push(signed(&talkative, SELECTOR));
    talkative.subject = Subject::Custom(format!("Your Salesforce security token {BROKEN}"));
    planted.push(signed(&talkative, SELECTOR));
    planted
}

#[test]
fn commands_over_files_keep_quiet() {
    let stage = Stage::new();
    for (number, mail) in planted().iter().enumerate() {
        stage.home.write(&format!("mails/{number}.eml"), mail);
    }
    for words in [
        // as loud as it is, it tells the account of each
        ["parse", "mails"].as_slice(),
        &["parse", "mails/0.eml"],
        &["parse", "--json", "mails"],
        &["parse", "--unproven", "mails"],
        &["replay", "mails"],
        &["replay", "--json", "mails"],
        &["replay", "--unproven", "mails"],
        &["status"],
        &["status", "--json"],
    ] {
        if words[0] == "parse" {
            check_said(&stage.start(words).end());
        } else {
            stage.run(words);
        }
    }
    assert_eq!(stage.keeper.kept(ANN).as_deref(), Some(TOKEN));
    // what was planted can be found where the user asks for it
    let shown = stage.start(&["parse", "--reveal", "mails"]).end();
    assert!(shown.out.contains(TOKEN));
    let log = fs::read(stage.home.path("keeper/puts")).unwrap();
    assert!(std::panic::catch_unwind(|| check_free("the store", &log, &SECRETS)).is_err());
}

#[test]
fn commands_over_a_mailbox_keep_quiet() {
    let stage = Stage::new();
    for mail in planted() {
        stage.server.deliver(BOX, &mail);
    }
    stage.run(&["watch", "--once"]);
    let mut watching = stage.start(&["watch", "--json"]);
    watching.hear_err("connected");
    check_process(&watching);
    let mut waiting = stage.start(&["wait", "--account", ANN]);
    waiting.hear_err("armed");
    check_process(&waiting);
    stage.server.deliver(BOX, &genuine(ANN, TOKEN, ago(0)));
    check_said(&waiting.end().check(0));
    check_said(&watching.stop());
    stage.check_disk();
    assert_eq!(stage.keeper.kept(ANN).as_deref(), Some(TOKEN));
}

#[test]
fn a_store_that_fails_with_the_token_in_its_mouth_is_not_believed() {
    let stage = Stage::new();
    stage
        .home
        .write("mails/good.eml", genuine(ANN, TOKEN, ago(10)));
    stage.server.deliver(BOX, &genuine(ANN, TOKEN, ago(10)));
    let talks = "#!/bin/sh\n[ $SFTOKEN_ACTION = check ] && exit 0\nt=$(cat)\n\
        echo \"cannot store $t\" >&2; echo \"$t\"; exit 1\n";
    stage.home.write("keeper/keep", talks);
    stage.run(&["replay", "mails"]);
    stage.run(&["watch", "--once"]);
    stage.run(&["get", ANN]);
}

#[test]
fn a_refused_password_is_not_repeated() {
    let stage = Stage::new();
    stage.set_password(WRONG);
    stage.run(&["watch", "--once"]);
    stage.run(&["wait", "--account", ANN]);
}

#[test]
fn the_librarys_values_do_not_show_what_they_hold() {
    let date = ago(10);
    let bytes = genuine(ANN, TOKEN, date);
    let parsed = Mail::parse(&bytes);
    let records = format!("{} {}\n", key_name(SELECTOR), key_record());
    let keys = KeyAnswers::from_key_file(&records).unwrap();
    let (policy, recipes) = (Policy::default(), Recipe::built_in());
    let outcome = examine(&parsed, &keys, &policy, recipes, ago(0));
    let (_, seen) = explain(&parsed, &keys, &policy, recipes, ago(0));
    let store = MemoryStore::new();
    let token = Token::new(TOKEN).unwrap();
    let letter = Letter {
        bytes: bytes.clone(),
        name: "a name".to_owned(),
        source: Source::File {
            file: "a name".to_owned(),
        },
        arrival: sftoken::ingest::order::Arrival::default(),
    };
    let items: Vec<_> = mails(vec!["-".into()], bytes.as_slice()).collect();
    assert!(matches!(outcome, sftoken::Outcome::Found(_)), "{outcome:?}");
    for shown in [
        format!("{token:?} {token:#?}"),
        format!("{:?}", Secret::new(TOKEN.to_owned())),
        format!("{outcome:?} {outcome:#?}"),
        format!("{seen:?} {seen:#?}"),
        // its texts have been read by now
        format!("{parsed:?}"),
        format!("{:?}", parsed.views()),
        format!("{store:?} {:?}", Resolver::from_files(keys)),
        format!("{letter:?}"),
        format!("{items:?}"),
    ] {
        check_free("Debug", shown.as_bytes(), &[TOKEN]);
    }
}
