//! `sftoken replay`: the whole pipeline over files.

use std::path::Path;
use std::process::Command;

use crate::support::run::{Ended, Home};
use crate::support::salesforce::{
    ANN, BOB, Keeper, ago, forged, genuine, key_file, mail, new_token, unrelated,
};

/// A home with a key file and a script that keeps tokens.
struct Stage {
    home: Home,
    keeper: Keeper,
    keys: String,
}

impl Stage {
    fn new() -> Self {
        let home = Home::new();
        let keeper = Keeper::in_home(&home);
        let keys = key_file(&home);
        Self { home, keeper, keys }
    }

    fn replay(&self, more: &[&str]) -> Ended {
        let url = self.keeper.url();
        let words = ["replay", "--keys", &self.keys, "--store", &url];
        self.home.run(&[&words, more].concat())
    }
}

#[test]
fn of_a_folder_the_newest_token_stays_and_again_changes_nothing() {
    let stage = Stage::new();
    let tokens: Vec<String> = (0..5).map(|_| new_token()).collect();
    // the names order them differently from their dates: 3 is the newest
    for (name, age) in [(0, 300), (1, 200), (2, 500), (3, 100), (4, 400)] {
        let bytes = genuine(ANN, &tokens[name], ago(age));
        stage.home.write(&format!("mails/{name}.eml"), bytes);
    }
    stage.home.write("mails/lunch.eml", unrelated(1));
    let first = stage.replay(&["--json", "mails"]).check(0);
    assert_eq!(stage.keeper.kept(ANN).as_ref(), Some(&tokens[3]));
    let puts = stage.keeper.puts();
    assert_eq!(puts.len(), 3, "0, then 1, then 3: {puts:?}");
    assert_eq!(first.json().len(), 5);
    let again = stage.replay(&["--json", "mails"]).check(0);
    assert_eq!(stage.keeper.puts(), puts);
    let superseded = again
        .json()
        .into_iter()
        .filter(|line| line["superseded"] == true);
    assert_eq!(superseded.count(), 4);
}

#[test]
fn of_one_second_the_later_stays_though_the_earlier_comes_again() {
    let stage = Stage::new();
    let (earlier, later, sent) = (new_token(), new_token(), ago(100));
    stage
        .home
        .write("earlier.eml", genuine(ANN, &earlier, sent));
    stage.home.write("later.eml", genuine(ANN, &later, sent));
    stage.home.write("lunch.eml", unrelated(1));
    stage
        .replay(&["lunch.eml", "lunch.eml", "earlier.eml"])
        .check(0);
    stage.replay(&["later.eml", "earlier.eml"]).check(0);
    assert_eq!(stage.keeper.kept(ANN).as_ref(), Some(&later));
    // in another run it stands at another place
    let again = [
        "--json",
        "lunch.eml",
        "lunch.eml",
        "lunch.eml",
        "earlier.eml",
    ];
    let again = stage.replay(&again).check(0);
    assert_eq!(again.json()[0]["reason"], "older_than_current");
    assert_eq!(stage.keeper.kept(ANN), Some(later));
    assert_eq!(stage.keeper.puts().len(), 2);
}

#[test]
fn now_is_the_clock() {
    let stage = Stage::new();
    let token = new_token();
    stage
        .home
        .write("later.eml", genuine(ANN, &token, ago(-7200)));
    let refused = stage.replay(&["later.eml"]).check(4);
    assert!(refused.out.contains("date_future"), "{}", refused.out);
    assert_eq!(stage.keeper.kept(ANN), None);
    let now = ago(-7200).to_string();
    stage.replay(&["--now", &now, "later.eml"]).check(0);
    assert_eq!(stage.keeper.kept(ANN), Some(token));
}

#[test]
fn without_proof_it_is_stored_loudly() {
    let stage = Stage::new();
    let token = new_token();
    let unsigned = mail(ANN, &token, ago(10)).bytes().unwrap();
    stage.home.write("unsigned.eml", unsigned);
    let refused = stage.replay(&["unsigned.eml"]).check(4);
    assert!(refused.out.contains("dkim_missing"), "{}", refused.out);
    assert_eq!(stage.keeper.kept(ANN), None);
    let loud = stage
        .replay(&["--unproven", "--json", "unsigned.eml"])
        .check(0);
    assert!(loud.err.contains("warning: --unproven"), "{}", loud.err);
    assert_eq!(loud.json()[0]["proof"]["method"], "none");
    assert_eq!(stage.keeper.kept(ANN), Some(token));
}

#[test]
fn a_providers_word_is_told_in_the_receipt() {
    let stage = Stage::new();
    let token = new_token();
    let unsigned = mail(ANN, &token, ago(10)).bytes().unwrap();
    let word = b"Authentication-Results: mx.example.com; dkim=pass header.d=salesforce.com\r\n";
    stage
        .home
        .write("told.eml", [&word[..], &unsigned].concat());
    let trust = "[trust]\nproof = \"either\"\nauthserv_id = \"mx.example.com\"\n";
    stage.home.write("either.toml", trust);
    let other = trust.replace("mx.example", "mx2.example");
    stage.home.write("other.toml", other);
    let refused = stage
        .replay(&["--config", "other.toml", "told.eml"])
        .check(4);
    assert!(refused.out.contains("ar_missing"), "{}", refused.out);
    assert_eq!(stage.keeper.kept(ANN), None);
    let told = stage.replay(&["--config", "either.toml", "--json", "told.eml"]);
    let proof = &told.check(0).json()[0]["proof"];
    assert_eq!(proof["method"], "authentication-results");
    assert_eq!(proof["domain"], "salesforce.com");
    assert!(proof["selector"].is_null());
    assert_eq!(stage.keeper.kept(ANN), Some(token));
}

#[test]
fn the_exit_status_tells_the_worst() {
    let stage = Stage::new();
    stage.home.write("lunch.eml", unrelated(1));
    stage
        .home
        .write("forged.eml", forged(ANN, &new_token(), ago(10)));
    stage
        .home
        .write("good.eml", genuine(BOB, &new_token(), ago(10)));
    stage.replay(&["lunch.eml"]).check(3);
    stage.replay(&["lunch.eml", "good.eml"]).check(0);
    stage.replay(&["good.eml", "forged.eml"]).check(4);
    stage.replay(&["good.eml", "no-such.eml"]).check(1);
    // nobody answers there
    let words = [
        "replay",
        "--dns",
        "127.0.0.1:1",
        "--store",
        &stage.keeper.url(),
        "good.eml",
    ];
    let undecided = stage.home.run(&words).check(1);
    assert!(
        undecided.out.contains("dkim_temperror"),
        "{}",
        undecided.out
    );
    stage.keeper.lock(true);
    stage.replay(&["good.eml"]).check(6);
}

#[test]
fn an_age_store_needs_public_keys_only() {
    let stage = Stage::new();
    let identity = stage.home.path("identity");
    let made = Command::new("age-keygen").arg("-o").arg(&identity).output();
    assert!(made.expect("age must be installed").status.success());
    let public = Command::new("age-keygen").arg("-y").arg(&identity).output();
    stage.home.write("recipients", public.unwrap().stdout);
    let token = new_token();
    stage.home.write("good.eml", genuine(ANN, &token, ago(10)));
    let home = stage.home.path(".");
    let home = home.canonicalize().unwrap();
    let url = format!(
        "age:{0}/tokens?recipients-file={0}/recipients",
        home.display()
    );
    for _ in 0..2 {
        let words = ["replay", "--keys", &stage.keys, "--store", &url, "good.eml"];
        stage.home.run(&words).check(0);
        assert_eq!(
            decrypted(&identity, &home.join("tokens").join(ANN).join("token.age")),
            token
        );
    }
}

fn decrypted(identity: &Path, file: &Path) -> String {
    let output = Command::new("age")
        .arg("-d")
        .arg("-i")
        .arg(identity)
        .arg(file)
        .output();
    let output = output.unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}
