//! `sftoken get`: forms, accounts, and how it says that it cannot.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use super::shelf::{OTHER, PASSWORD, SANDBOX, Shelf, TOKEN};
use crate::support::salesforce::{ANN, BOB};

/// A second account of ANN's name, with a place of its own.
const BOTH_ORGS: &str = "[store.sandbox]\nurl = \"URL&arg=sandbox\"\n\
    [[account]]\nusername = \"integration@acme.example\"\norg = \"sandbox\"\nstore = \"sandbox\"\n";

fn with_both_orgs() -> Shelf {
    let shelf = Shelf::new();
    shelf.configure(&BOTH_ORGS.replace("URL", &shelf.url()));
    shelf.put(ANN, "sandbox", SANDBOX);
    shelf
}

#[test]
fn each_form_is_what_its_reader_expects() {
    let shelf = Shelf::new();
    let get = |format| shelf.run(&["get", ANN, "--format", format]).check(0).out;
    assert_eq!(get("token"), TOKEN);
    assert_eq!(get("login"), format!("{PASSWORD}{TOKEN}"));
    assert_eq!(get("env"), format!("SF_SECURITY_TOKEN={TOKEN}\n"));
    assert_eq!(
        get("shell"),
        format!("export SF_SECURITY_TOKEN='{TOKEN}'\n")
    );
    assert_eq!(get("dotenv"), format!("SF_SECURITY_TOKEN={TOKEN}\n"));
}

#[test]
fn a_preset_brings_all_that_a_log_in_needs() {
    let shelf = Shelf::new();
    let words = ["get", ANN, "--format", "env", "--preset", "restforce"];
    assert_eq!(
        shelf.run(&words).check(0).out,
        format!(
            "SALESFORCE_USERNAME={ANN}\nSALESFORCE_PASSWORD={PASSWORD}\n\
             SALESFORCE_SECURITY_TOKEN={TOKEN}\nSALESFORCE_HOST=login.salesforce.com\n"
        )
    );
    let named = [
        "get", ANN, "--format", "env", "--env", "A", "--env", "B=login",
    ];
    let out = shelf.run(&named).check(0).out;
    assert_eq!(out, format!("A={TOKEN}\nB={PASSWORD}{TOKEN}\n"));
}

#[test]
fn the_account_says_which_variables_it_wants() {
    let shelf = Shelf::new();
    shelf.configure("preset = \"meltano\"\nenv = [\"EXTRA=url\"]");
    let out = shelf.run(&["get", ANN, "--format", "env"]).check(0).out;
    assert!(
        out.contains(&format!("TAP_SALESFORCE_SECURITY_TOKEN={TOKEN}\n")),
        "{out}"
    );
    assert!(out.contains("TAP_SALESFORCE_IS_SANDBOX=false\n"), "{out}");
    assert!(
        out.contains("EXTRA=https://login.salesforce.com\n"),
        "{out}"
    );
    // the command line goes first
    let out = shelf.run(&["get", ANN, "--format", "env", "--env", "ONLY"]);
    assert_eq!(out.check(0).out, format!("ONLY={TOKEN}\n"));
}

#[test]
fn the_two_orgs_of_one_username_are_told_apart() {
    let shelf = with_both_orgs();
    let unclear = shelf.run(&["get", ANN]).check(2);
    assert!(unclear.err.contains("--org production"), "{}", unclear.err);
    let get = |org| shelf.run(&["get", ANN, "--org", org]).check(0).out;
    assert_eq!(get("production"), TOKEN);
    assert_eq!(get("sandbox"), SANDBOX);
    // with --store in the place of the configured ones, too
    let words = ["get", ANN, "--store", &shelf.url()];
    shelf.run(&words).check(2);
    let words = [&words[..], &["--org", "sandbox"]].concat();
    assert_eq!(shelf.run(&words).check(0).out, SANDBOX);
    // of an account that is configured for one org, the other is not made up
    let wrong = shelf.run(&["get", BOB, "--org", "sandbox"]).check(2);
    assert!(wrong.err.contains("as production only"), "{}", wrong.err);
}

#[test]
fn an_account_that_is_not_configured_is_looked_for_in_both_orgs() {
    let shelf = Shelf::new();
    let carl = "carl@acme.example";
    shelf.run(&["get", carl]).check(3);
    shelf.put(carl, "sandbox", SANDBOX);
    let json = shelf.run(&["get", carl, "--json"]).check(0).json();
    assert_eq!(
        (&json[0]["token"], &json[0]["org"]),
        (&SANDBOX.into(), &"sandbox".into())
    );
    shelf.run(&["get", carl, "--org", "production"]).check(3);
    shelf.put(carl, "production", OTHER);
    let unclear = shelf.run(&["get", carl]).check(2);
    assert!(unclear.err.contains("--org production"), "{}", unclear.err);
    assert_eq!(
        shelf
            .run(&["get", carl, "--org", "production"])
            .check(0)
            .out,
        OTHER
    );
}

#[test]
fn a_place_that_both_orgs_share_says_nothing_about_the_org() {
    let shelf = Shelf::new();
    let words = [
        "get",
        "carl@acme.example",
        "--org",
        "sandbox",
        "--store",
        "keyring://x",
    ];
    let ended = shelf.run(&words).check(2);
    assert!(
        ended.err.contains("does not say which org"),
        "{}",
        ended.err
    );
}

#[test]
fn trouble_has_its_own_status() {
    let shelf = Shelf::new();
    shelf.put(ANN, "production", "");
    shelf.run(&["get", ANN]).check(3);
    shelf.lock();
    shelf.run(&["get", ANN]).check(6);
    let no_password = Shelf::new()
        .run(&["get", BOB, "--format", "login"])
        .check(2);
    assert!(
        no_password.err.contains("keyring:salesforce/nightly@"),
        "{}",
        no_password.err
    );
    assert_eq!(no_password.out, "");
}

#[test]
fn what_a_form_has_no_room_for_is_not_written_at_all() {
    let mut shelf = Shelf::new();
    shelf.home.set("ANNS_WORD", "two\nSECOND=line");
    let words = ["get", ANN, "--format", "env", "--preset", "restforce"];
    let ended = shelf.run(&words).check(1);
    assert_eq!(ended.out, "");
    assert!(ended.err.contains("SALESFORCE_PASSWORD"), "{}", ended.err);
}

#[test]
fn a_file_is_private_whole_and_says_nothing_on_the_way() {
    let shelf = Shelf::new();
    let path = shelf.home.write(
        "out/token",
        "an older and much longer content than a token has\n",
    );
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let before = fs::metadata(&path).unwrap().ino();
    let ended = shelf.run(&["get", ANN, "--file", &path]).check(0);
    assert_eq!((ended.out.as_str(), ended.err.as_str()), ("", ""));
    assert_eq!(fs::read_to_string(&path).unwrap(), TOKEN);
    let after = fs::metadata(&path).unwrap();
    assert_eq!(after.mode() & 0o7777, 0o600);
    assert_ne!(
        after.ino(),
        before,
        "not by rename: a reader could see half of it"
    );
    assert_eq!(fs::read_dir(shelf.home.path("out")).unwrap().count(), 1);
    // a link stays one
    symlink(&path, shelf.home.path("link")).unwrap();
    shelf.run(&["get", BOB, "--file", "link"]).check(0);
    assert_eq!(fs::read_to_string(&path).unwrap(), OTHER);
    shelf
        .run(&["get", ANN, "--file", "no/such/folder"])
        .check(1);
}

#[test]
fn github_is_told_to_hide_a_value_before_it_gets_it() {
    let mut shelf = Shelf::new();
    let file = shelf.home.write("github-env", "EARLIER=1\n");
    let output = shelf.home.path("github-output");
    let words = [
        "get",
        ANN,
        "--format",
        "github",
        "--preset",
        "simple-salesforce",
    ];
    let nowhere = shelf.run(&words).check(2);
    assert!(nowhere.err.contains("GITHUB_ENV"), "{}", nowhere.err);
    shelf.home.set("GITHUB_ENV", &file);
    shelf.home.set("GITHUB_OUTPUT", &output);
    let said = shelf.run(&words).check(0).out;
    let masked = PASSWORD.replace('%', "%25");
    assert_eq!(said, format!("::add-mask::{masked}\n::add-mask::{TOKEN}\n"));
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        format!(
            "EARLIER=1\nSF_USERNAME={ANN}\nSF_PASSWORD={PASSWORD}\n\
             SF_SECURITY_TOKEN={TOKEN}\nSF_DOMAIN=login\n"
        )
    );
    let words = ["get", BOB, "--format", "github-output", "--env", "token"];
    assert_eq!(
        shelf.run(&words).check(0).out,
        format!("::add-mask::{OTHER}\n")
    );
    assert_eq!(
        fs::read_to_string(output).unwrap(),
        format!("token={OTHER}\n")
    );
}
