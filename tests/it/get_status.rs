//! `sftoken get` and `sftoken status`.

use serde_json::Value;

use crate::support::run::{Ended, Home, Running};
use crate::support::salesforce::{ANN, BOB, Keeper, ago, genuine, key_file, new_token};
use crate::support::secret_service::SecretService;

/// A home in which ANN's token is stored, dated so many seconds ago.
fn stored(seconds: i64) -> (Home, String) {
    let mut home = Home::new();
    let keeper = Keeper::in_home(&home);
    let keys = key_file(&home);
    home.set("SALESFORCE_PASSWORD", "planted-login");
    home.configure(&format!(
        "[dns]\nkeys = [\"{keys}\"]\n[store.default]\nurl = \"{}\"\n\
         [mailbox.ops]\nurl = \"imaps://ann@mail.example\"\nauth = {{ password = \"env:NOT_READ\" }}\n\
         [[account]]\nusername = \"{ANN}\"\nmax_age = \"90d\"\npassword = \"env:SALESFORCE_PASSWORD\"\n\
         [[account]]\nusername = \"{BOB}\"\n",
        keeper.url()
    ));
    let token = new_token();
    home.write("good.eml", genuine(ANN, &token, ago(seconds)));
    home.run(&["replay", "good.eml"]).check(0);
    (home, token)
}

/// Runs `sftoken` on a terminal of its own.
fn on_a_terminal(home: &Home, words: &str) -> Ended {
    let program = env!("CARGO_BIN_EXE_sftoken");
    let mut command = home.command("script");
    command.args(["-qec", &format!("{program} {words}"), "/dev/null"]);
    command.env("TERM", "dumb");
    Running::of(command, b"").end()
}

#[test]
fn on_a_pipe_the_token_is_bare() {
    let (home, token) = stored(10);
    assert_eq!(home.run(&["get", ANN]).check(0).out, token);
    let env = home.run(&["get", ANN, "--format", "env"]).check(0);
    assert_eq!(env.out, format!("SF_SECURITY_TOKEN={token}\n"));
    let login = home.run(&["get", ANN, "--format", "login"]).check(0);
    assert_eq!(login.out, format!("planted-login{token}"));
    for words in [["--format", "json"].as_slice(), &["--json"]] {
        let json = home.run(&[&["get", ANN], words].concat()).check(0).json();
        crate::schema::check(&crate::schema::schema("get"), &json[0]);
        assert_eq!(json[0]["token"], token);
        assert_eq!(json[0]["username"], ANN);
        assert_eq!(json[0]["org"], "production");
    }
}

#[test]
fn on_a_terminal_it_is_shown_only_when_asked_for() {
    let (home, token) = stored(10);
    let refused = on_a_terminal(&home, &format!("get {ANN}")).check(2);
    assert!(!refused.out.contains(&token), "{}", refused.out);
    assert!(refused.out.contains("--reveal"), "{}", refused.out);
    let shown = on_a_terminal(&home, &format!("get --reveal {ANN}")).check(0);
    assert_eq!(shown.out.trim_end(), token);
}

#[test]
fn a_token_that_is_not_there_is_told_with_what_to_do() {
    let (home, _) = stored(10);
    for username in [BOB, "stranger@acme.example"] {
        let ended = home.run(&["get", username]).check(3);
        assert_eq!(ended.out, "");
        assert!(ended.err.contains("hint:"), "{}", ended.err);
    }
}

#[test]
fn it_is_read_from_the_keyring_that_others_write() {
    let mut home = Home::new();
    let bus = SecretService::unlocked();
    home.join(&bus);
    let token = new_token();
    bus.secret_tool_store("sftoken", ANN, &token);
    assert_eq!(home.run(&["get", ANN]).check(0).out, token);
    bus.lock();
    home.run(&["get", ANN]).check(6);
}

#[test]
fn status_tells_the_age_of_each_token() {
    for (days, state, exit) in [(1, "ok", 0), (85, "due", 3), (100, "overdue", 3)] {
        let (home, token) = stored(days * 86_400);
        let ended = home.run(&["status", "--json"]).check(exit);
        let status: &Value = &ended.json()[0];
        let account = |username: &str| {
            let accounts = status["accounts"].as_array().unwrap();
            let found = accounts
                .iter()
                .find(|account| account["username"] == username);
            found.unwrap().clone()
        };
        assert_eq!(account(ANN)["state"], state, "{status}");
        assert_eq!(account(BOB)["state"], "missing");
        assert_eq!(status["mailboxes"][0]["mailbox"], "ops");
        assert_eq!(status["mailboxes"][0]["last_contact"], Value::Null);
        let text = home.run(&["status"]).check(exit).out;
        // a mailbox that nobody ever watched, and an account without a token
        home.run(&["status", "--check"]).check(5);
        assert!(text.starts_with(&format!("{state} {ANN}")), "{text}");
        assert!(!(text + &ended.out).contains(&token));
    }
}
