//! Programs that sftoken starts are told nothing that is ours.
//!
//! Values are planted in the environment; the programs write down what they see.

use super::shelf::{OTHER, PASSWORD, Shelf, TOKEN};
use crate::support::run::Ended;
use crate::support::salesforce::{ANN, BOB};

/// Variables that are ours, whatever they are called.
const PLANTED: [(&str, &str); 10] = [
    ("SFTOKEN_LOG", "planted-filter=debug"),
    ("VAULT_TOKEN", "planted-vault"),
    ("AWS_SECRET_ACCESS_KEY", "planted-aws"),
    ("AZURE_CLIENT_SECRET", "planted-azure"),
    ("IDENTITY_HEADER", "planted-identity"),
    ("GOOGLE_APPLICATION_CREDENTIALS", "/planted-google"),
    ("BOX_WORD", "planted-mailbox"),
    ("APP_WORD", "planted-client"),
    ("STORE_WORD", "planted-store"),
    ("TRIAL_WORD", "planted-trial"),
];

/// A home whose configuration refers to the planted values.
fn planted() -> Shelf {
    let mut shelf = Shelf::new();
    for (name, value) in PLANTED {
        shelf.home.set(name, value);
    }
    shelf.home.set("BOBS_WORD", "planted-bob");
    shelf.home.set("MINE", "mine-stays");
    let bobs = "[[account]]\nusername = \"carl@acme.example\"\npassword = \"env:BOBS_WORD\"\n\
        login = \"oauth-password\"\nclient_id = \"x\"\nclient_secret = \"env:TRIAL_WORD\"\n";
    shelf.configure(&format!(
        "{bobs}[mailbox.ops]\nurl = \"imaps://ops@mail.example\"\nauth = {{ password = \"env:BOX_WORD\" }}\n\
         [mailbox.app]\nurl = \"imaps://ops@mail.example\"\n\
         [mailbox.app.auth]\noauth2 = \"google\"\nclient_id = \"x\"\n\
         client_secret = \"env:APP_WORD\"\nrefresh_token = \"env:APP_WORD\"\n\
         [store.other]\nurl = \"exec:/bin/false?env=STORE_WORD\"\n"
    ));
    shelf
}

#[track_caller]
fn check_free(seen: &str, but: &[&str]) {
    for value in ["planted-", PASSWORD, TOKEN, OTHER] {
        let lines = seen.lines().filter(|line| line.contains(value));
        let odd: Vec<&str> = lines
            .filter(|line| !but.iter().any(|name| line.starts_with(&format!("{name}="))))
            .collect();
        assert!(odd.is_empty(), "{odd:?}");
    }
    assert!(seen.contains("MINE=mine-stays"), "{seen}");
}

fn run(shelf: &Shelf, words: &[&str]) -> Ended {
    shelf
        .run(&[&["run"], words, &["--", "env"]].concat())
        .check(0)
}

#[test]
fn the_command_of_run_sees_the_token_and_nothing_else_of_ours() {
    let shelf = planted();
    // the password of the account that it is given is its business, and stays where it was
    let out = run(&shelf, &[ANN]).out;
    check_free(&out, &["SF_SECURITY_TOKEN", "ANNS_WORD"]);
    assert!(out.contains(&format!("SF_SECURITY_TOKEN={TOKEN}\n")));
    // another's is not
    check_free(&run(&shelf, &[BOB]).out, &["SF_SECURITY_TOKEN"]);
}

#[test]
fn what_is_listed_is_passed_on() {
    let shelf = planted();
    let out = run(&shelf, &[BOB, "--keep", "AWS_*", "--keep", "BOX_WORD"]).out;
    check_free(
        &out,
        &["SF_SECURITY_TOKEN", "AWS_SECRET_ACCESS_KEY", "BOX_WORD"],
    );
    assert!(out.contains("AWS_SECRET_ACCESS_KEY=planted-aws\n"));
    assert!(out.contains("BOX_WORD=planted-mailbox\n"));
}

#[test]
fn a_store_of_the_command_line_changes_nothing_of_that() {
    let mut shelf = planted();
    shelf.home.set("GIVEN_WORD", "planted-given");
    let url = format!("{}&env=GIVEN_WORD", shelf.url());
    let out = run(&shelf, &[BOB, "--store", &url]).out;
    check_free(&out, &["SF_SECURITY_TOKEN"]);
    let seen = std::fs::read_to_string(shelf.home.path("shelf/environment")).unwrap();
    check_free(&seen, &["GIVEN_WORD"]);
    assert!(seen.contains("GIVEN_WORD=planted-given\n"), "{seen}");
}

/// A mailbox's password may stand in a variable of any name: no list of words finds it.
#[test]
fn the_program_of_a_store_sees_no_secret_of_a_mailbox() {
    let shelf = planted();
    shelf.run(&["get", ANN]).check(0);
    let seen = std::fs::read_to_string(shelf.home.path("shelf/environment")).unwrap();
    check_free(&seen, &[]);
    assert!(seen.contains("SFTOKEN_ACTION=get"), "{seen}");
}
