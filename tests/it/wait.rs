//! `sftoken wait`, the pipeline's step, without a configuration file unless one is written.

use std::time::Duration;

use serde_json::Value;

use crate::support::dovecot::Dovecot;
use crate::support::run::{Home, Running};
use crate::support::salesforce::{
    ANN, BOB, BOX, Keeper, ago, forged, genuine, mailbox_url, mailbox_words, new_token,
};
use crate::support::secret_service::SecretService;

/// A mailbox, a home, and a script that keeps tokens.
struct Stage {
    server: Dovecot,
    home: Home,
    keeper: Keeper,
    words: Vec<String>,
}

impl Stage {
    fn new() -> Self {
        let server = Dovecot::start();
        let mut home = Home::new();
        let words = mailbox_words(&mut home, &server);
        let keeper = Keeper::in_home(&home);
        Self {
            server,
            home,
            keeper,
            words,
        }
    }

    fn deliver(&self, mail: &[u8]) {
        self.server.deliver(BOX, mail);
    }

    /// `wait` with the script as store.
    fn wait(&self, more: &[&str]) -> Running {
        let url = self.keeper.url();
        self.start(&[&["--store", url.as_str()], more].concat())
    }

    /// `wait` with the store that nobody chose.
    fn start(&self, more: &[&str]) -> Running {
        let mut words = vec!["wait".to_owned()];
        words.extend(self.words.iter().cloned());
        words.extend(more.iter().map(|&word| word.to_owned()));
        self.home.start(&words)
    }

    /// `wait`, armed.
    fn armed(&self, more: &[&str]) -> Running {
        let mut waiting = self.wait(more);
        waiting.hear_err("armed");
        waiting
    }
}

#[track_caller]
fn check_receipt(receipt: &Value, username: &str) {
    let keys: Vec<&str> = receipt
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let mut wanted = [
        "schema",
        "source",
        "outcome",
        "reason",
        "username",
        "org",
        "token",
        "fingerprint",
        "date",
        "message_id",
        "proof",
        "slot",
        "stored_at",
        "superseded",
        "verified",
    ];
    wanted.sort_unstable();
    assert_eq!(keys, wanted, "{receipt}");
    assert_eq!(receipt["outcome"], "found");
    assert_eq!(receipt["username"], username);
    assert_eq!(receipt["token"], Value::Null);
    assert_eq!(receipt["proof"]["method"], "dkim");
    assert_eq!(receipt["superseded"], false);
}

#[test]
fn a_mail_after_arming_puts_its_token_into_the_keyring() {
    let mut stage = Stage::new();
    let bus = SecretService::unlocked();
    stage.home.join(&bus);
    let mut waiting = stage.start(&["--account", ANN, "--store", "keyring://sftoken", "--json"]);
    waiting.hear_err("armed");
    let token = new_token();
    stage.deliver(&genuine(ANN, &token, ago(0)));
    let ended = waiting.end().check(0);
    let found = bus.secret_tool_lookup("sftoken", ANN);
    assert_eq!(found.as_deref(), Some(token.as_str()));
    let receipts = ended.json();
    assert_eq!(receipts.len(), 1, "{receipts:?}");
    check_receipt(&receipts[0], ANN);
    assert_eq!(receipts[0]["slot"], format!("keyring://sftoken/{ANN}"));
}

#[test]
fn the_reset_is_a_command_behind_two_dashes() {
    let stage = Stage::new();
    let reset = "echo the reset is asked for";
    let mut waiting = stage.wait(&["--account", ANN, "--json", "--", "sh", "-c", reset]);
    waiting.hear_err("armed");
    // its output is talk, not a receipt
    waiting.hear_err("the reset is asked for");
    let token = new_token();
    stage.deliver(&genuine(ANN, &token, ago(0)));
    let ended = waiting.end().check(0);
    assert_eq!(stage.keeper.kept(ANN), Some(token));
    check_receipt(&ended.json()[0], ANN);
}

#[test]
fn the_reset_does_not_get_the_mailboxs_password() {
    let mut stage = Stage::new();
    stage.home.set("OF_THE_RESET", "stays");
    let script = "echo \"${MAIL_PASSWORD-none} $OF_THE_RESET\"; exit 9";
    let words = ["--account", ANN, "--", "sh", "-c", script];
    let ended = stage.wait(&words).end().check(9);
    assert!(ended.err.contains("none stays\n"), "{}", ended.err);
}

/// A store's log-in has names of its own, which no reference of the configuration holds.
#[test]
fn the_reset_does_not_get_a_stores_log_in_unless_it_is_named() {
    let mut stage = Stage::new();
    stage.home.set("VAULT_TOKEN", "planted-vault");
    stage.home.set("AWS_SECRET_ACCESS_KEY", "planted-aws");
    let script = "echo \"${VAULT_TOKEN-none} ${AWS_SECRET_ACCESS_KEY-none}\"; exit 9";
    let command = ["--", "sh", "-c", script];
    let ended = stage
        .wait(&[&["--account", ANN], &command[..]].concat())
        .end();
    assert!(ended.check(9).err.contains("none none\n"));
    let named = ["--account", ANN, "--keep", "AWS_*"];
    let ended = stage.wait(&[&named, &command[..]].concat()).end();
    assert!(ended.check(9).err.contains("none planted-aws\n"));
}

#[test]
fn a_reset_that_fails_gives_its_own_status() {
    let stage = Stage::new();
    let cases: [(&[&str], i32); 3] = [
        (&["sh", "-c", "exit 7"], 7),
        (&["sh", "-c", "kill -KILL $$"], 137),
        (&["/nonexistent/reset"], 127),
    ];
    for (command, status) in cases {
        let words = [&["--account", ANN, "--"], command].concat();
        let ended = stage.wait(&words).end().check(status);
        assert_eq!(ended.out, "");
        assert!(ended.err.contains("armed"), "{}", ended.err);
    }
    assert_eq!(stage.keeper.puts(), [""; 0]);
}

#[test]
fn mail_from_before_the_arming_is_not_taken() {
    let stage = Stage::new();
    stage.deliver(&genuine(ANN, &new_token(), ago(5)));
    let waiting = stage.armed(&["--account", ANN]);
    let token = new_token();
    stage.deliver(&genuine(ANN, &token, ago(0)));
    waiting.end().check(0);
    assert_eq!(stage.keeper.puts(), [format!("{ANN} {token}")]);
}

#[test]
fn since_takes_mail_from_before_the_arming() {
    let stage = Stage::new();
    let token = new_token();
    stage.deliver(&genuine(ANN, &token, ago(60)));
    let since = ago(120).to_string();
    let waiting = stage.wait(&["--account", ANN, "--since", &since]);
    waiting.end().check(0);
    assert_eq!(stage.keeper.kept(ANN), Some(token));
}

#[test]
fn a_forgery_is_passed_over_and_the_genuine_mail_taken() {
    let stage = Stage::new();
    let waiting = stage.armed(&["--account", ANN]);
    stage.deliver(&forged(ANN, &new_token(), ago(0)));
    let token = new_token();
    stage.deliver(&genuine(ANN, &token, ago(0)));
    waiting.end().check(0);
    assert_eq!(stage.keeper.puts(), [format!("{ANN} {token}")]);
}

#[test]
fn nothing_but_a_forgery_is_told_as_a_refusal() {
    let stage = Stage::new();
    let mut waiting = stage.armed(&["--account", ANN, "--timeout", "5s"]);
    stage.deliver(&forged(ANN, &new_token(), ago(0)));
    waiting.hear_err("mail refused");
    let ended = waiting.end().check(4);
    assert!(ended.err.contains("dkim_fail_signature"), "{}", ended.err);
    assert_eq!(stage.keeper.puts(), [""; 0]);
}

#[test]
fn nothing_at_all_is_told_with_what_to_look_at() {
    let stage = Stage::new();
    let ended = stage.armed(&["--account", ANN, "--timeout", "1s"]).end();
    let ended = ended.check(3);
    assert!(
        ended.err.contains("hint: was the reset confirmed?"),
        "{}",
        ended.err
    );
    assert_eq!(ended.out, "");
}

#[test]
fn two_accounts_need_two_mails_and_a_repeated_one_is_written_once() {
    let stage = Stage::new();
    let mut waiting = stage.armed(&["--account", ANN, "--account", BOB, "--json"]);
    let (anns, bobs) = (new_token(), new_token());
    let mail = genuine(ANN, &anns, ago(0));
    stage.deliver(&mail);
    stage.deliver(&mail);
    waiting.hear_err("token stored");
    stage.deliver(&genuine(BOB, &bobs, ago(0)));
    let ended = waiting.end().check(0);
    let puts = stage.keeper.puts();
    assert_eq!(puts, [format!("{ANN} {anns}"), format!("{BOB} {bobs}")]);
    let receipts = ended.json();
    let served = |username: &str| {
        receipts
            .iter()
            .filter(|r| r["username"] == username)
            .count()
    };
    assert!(served(ANN) == 1 && served(BOB) == 1, "{receipts:?}");
}

#[test]
fn a_token_of_another_configured_account_is_stored_as_well() {
    let stage = Stage::new();
    stage.home.configure(&format!(
        "[[account]]\nusername = \"{ANN}\"\n[[account]]\nusername = \"{BOB}\"\n"
    ));
    let mut waiting = stage.armed(&["--account", ANN]);
    let (anns, bobs) = (new_token(), new_token());
    stage.deliver(&genuine(BOB, &bobs, ago(0)));
    // of two mails at once, the server may number the second one first
    waiting.hear_err("token stored");
    stage.deliver(&genuine(ANN, &anns, ago(0)));
    waiting.end().check(0);
    assert_eq!(stage.keeper.kept(ANN), Some(anns));
    assert_eq!(stage.keeper.kept(BOB), Some(bobs));
}

#[test]
fn a_mailbox_that_does_not_let_us_in_ends_it_before_arming() {
    let mut stage = Stage::new();
    let right = mailbox_url(&stage.server);
    let unknown = format!("imaps://{BOX}@no-such-host.example");
    let untrusted: Vec<String> = {
        let words = stage.words.clone();
        let ca = words.iter().position(|word| word == "--ca-file").unwrap();
        [&words[..ca], &words[ca + 2..]].concat()
    };
    let with_url = |url: &str| -> Vec<String> {
        let swap = |word: &String| {
            if *word == right {
                url.to_owned()
            } else {
                word.clone()
            }
        };
        stage.words.iter().map(swap).collect()
    };
    let hosts = [with_url(&unknown), untrusted];
    for words in hosts {
        stage.words = words;
        check_mailbox_fails(&stage);
    }
    stage.words = mailbox_words(&mut stage.home, &stage.server);
    stage.home.set("MAIL_PASSWORD", "planted-wrong-pass");
    check_mailbox_fails(&stage);
    stage.words = mailbox_words(&mut stage.home, &stage.server);
    stage.server.stop();
    check_mailbox_fails(&stage);
}

#[track_caller]
fn check_mailbox_fails(stage: &Stage) {
    let ended = stage.wait(&["--account", ANN]).end().check(5);
    assert!(!ended.err.contains("armed"), "{}", ended.err);
    assert!(ended.err.contains("hint:"), "{}", ended.err);
    assert!(!ended.err.contains("planted"), "{}", ended.err);
    assert_eq!(ended.out, "");
}

#[test]
fn a_locked_keyring_ends_it_before_arming() {
    let mut stage = Stage::new();
    let bus = SecretService::unlocked();
    bus.lock();
    stage.home.join(&bus);
    let ended = stage.start(&["--account", ANN]).end().check(6);
    assert!(!ended.err.contains("armed"), "{}", ended.err);
    assert!(ended.err.contains("locked"), "{}", ended.err);
}

#[test]
fn without_a_keyring_it_tells_how_to_set_up_age() {
    let mut stage = Stage::new();
    let bus = SecretService::bus_only();
    stage.home.join(&bus);
    for more in [vec!["--account", ANN], vec![]] {
        let ended = stage.start(&more).end().check(6);
        assert!(!ended.err.contains("armed"), "{}", ended.err);
        assert!(ended.err.contains("age-keygen"), "{}", ended.err);
    }
}

#[test]
fn a_password_in_the_place_of_its_reference_is_not_shown() {
    let mut stage = Stage::new();
    let at = stage
        .words
        .iter()
        .position(|word| word.starts_with("env:"))
        .unwrap();
    for (reference, words) in [
        ("planted-pass-word", "--password"),
        ("env:NOT_SET_HERE", "NOT_SET_HERE"),
    ] {
        stage.words[at] = reference.to_owned();
        let ended = stage.wait(&["--account", ANN]).end().check(2);
        assert!(ended.err.contains(words), "{}", ended.err);
        assert!(!ended.err.contains("planted"), "{}", ended.err);
    }
}

#[test]
fn a_signal_ends_it_at_once() {
    let stage = Stage::new();
    for (signal, status) in [("TERM", 143), ("INT", 130)] {
        let waiting = stage.armed(&["--account", ANN]);
        waiting.signal(signal);
        waiting.end_within(Duration::from_secs(10)).check(status);
    }
}

/// The mail is gone before the wait has seen it: the daemon is quicker.
#[test]
fn a_daemon_that_removes_the_mail_does_not_starve_a_wait_beside_it() {
    let stage = crate::support::stage::Stage::with_keys("handled = \"delete\"");
    // a wait that sees nothing by itself: it watches a folder where nothing comes
    let mut watching = stage.watch();
    watching.hear_err("connected");
    let mut command = stage.home.command(env!("CARGO_BIN_EXE_sftoken"));
    command.env("SFTOKEN_MAILBOX_OPS_FOLDERS", "\\Junk");
    command.args(["wait", "--account", ANN, "--json", "--timeout", "60s"]);
    let mut waiting = Running::of(command, b"");
    waiting.hear_err("armed");
    let token = stage.reset(0);
    let receipts = waiting.end().check(0).json();
    assert_eq!(receipts.len(), 1);
    assert_eq!(
        receipts[0]["fingerprint"],
        crate::support::stage::fingerprint(&token)
    );
    stage.check_kept(&token);
}

#[test]
fn on_a_terminal_the_time_is_shown() {
    let stage = Stage::new();
    let program = env!("CARGO_BIN_EXE_sftoken");
    let words = [
        stage.words.join(" "),
        format!("--store '{}'", stage.keeper.url()),
    ]
    .join(" ");
    let mut command = stage.home.command("script");
    command.args([
        "-qec",
        &format!("{program} wait {words} --account {ANN} --timeout 2s"),
        "/dev/null",
    ]);
    command.env("TERM", "xterm");
    let ended = Running::of(command, b"").end().check(3);
    assert!(
        ended
            .out
            .contains(&format!("\u{1b}[Kwaiting for the token of {ANN}: 1 of 2 s")),
        "{}",
        ended.out
    );
    let (before, _) = ended.out.split_once("no token came").unwrap();
    let (shown, removed) = (before.rfind(" of 2 s"), before.rfind("\u{1b}[K"));
    assert!(shown < removed, "the line is removed: {before:?}");
}
