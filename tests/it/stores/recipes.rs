//! The recipes of `examples/stores` with the programs that they are for.
//!
//! Each in a home of its own, with keys that are made here. What a test may say of a recipe is in `kitchen`.

mod keepassxc;
mod kitchen;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use super::process::{StoreProcess, this};
use super::{NEW, OLD, USERNAME};
use keepassxc::keepassxc;
use kitchen::{Kitchen, shim};

const PASSPHRASE: &str = "correct horse";

/// A home with a key of GnuPG; it is unlocked where `passphrase` is empty.
fn with_key(mut kitchen: Kitchen, passphrase: &str) -> Kitchen {
    let folder = kitchen.home.path("gnupg");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    kitchen.home.set("GNUPGHOME", folder);
    kitchen
        .sh(&format!(
            "gpg --batch --quiet --pinentry-mode loopback --passphrase '{passphrase}' \
                 --quick-generate-key ops@acme.example rsa2048 encr never
             pass init ops@acme.example"
        ))
        .check(0);
    kitchen
}

fn pass(passphrase: &str) -> Kitchen {
    with_key(Kitchen::new("pass.sh", "pass"), passphrase)
}

#[test]
fn pass_keeps_tokens() {
    let kitchen = pass("");
    kitchen.check_keeps("&arg=work/salesforce");
    let shown = kitchen
        .sh(&format!("pass show work/salesforce/{USERNAME}"))
        .check(0);
    assert_eq!(shown.out, NEW);
}

#[test]
fn pass_in_another_folder_with_git_and_further_lines() {
    let mut kitchen = pass("");
    kitchen
        .home
        .set("PASSWORD_STORE_DIR", kitchen.home.path("elsewhere"));
    for name in ["GIT_AUTHOR", "GIT_COMMITTER"] {
        kitchen.home.set(&format!("{name}_NAME"), "Ops");
        kitchen
            .home
            .set(&format!("{name}_EMAIL"), "ops@acme.example");
    }
    kitchen
        .sh("pass init ops@acme.example && pass git init")
        .check(0);
    let query = "&env=PASSWORD_STORE_DIR";
    kitchen.check_keeps(query);
    let log = kitchen.sh("git -C elsewhere log --oneline").check(0).out;
    assert!(log.contains(USERNAME), "{log}");
    let entry = format!("salesforce/{USERNAME}");
    kitchen
        .sh(&format!(
            "printf '{OLD}\\nnote: mine\\n' | pass insert -m -f {entry}"
        ))
        .check(0);
    assert_eq!(kitchen.store(query).ask(&format!("get {USERNAME}")), OLD);
    // somebody else commits at this moment
    kitchen.home.write("elsewhere/.git/index.lock", "");
    let question = format!("publish {USERNAME} {NEW}");
    kitchen.check_trouble(query, &question, "store_unreachable", "git did not commit");
}

#[test]
fn pass_with_a_locked_key_is_tried_again() {
    let kitchen = pass(PASSPHRASE);
    let unlock = format!(
        "gpg --batch --quiet --pinentry-mode loopback --passphrase '{PASSPHRASE}' \
             --decrypt .password-store/salesforce/{USERNAME}.gpg >/dev/null"
    );
    kitchen.sh("gpgconf --kill gpg-agent").check(0);
    let question = format!("publish {USERNAME} {NEW}");
    kitchen.check_trouble("", &question, "store_unreachable", "the key is locked");
    kitchen.sh(&unlock).check(0);
    assert!(kitchen.store("").ask(&question).starts_with("exec:/"));
    // a key that is gone is not a key that is locked
    kitchen
        .sh("gpgconf --kill gpg-agent; rm -r gnupg/private-keys-v1.d")
        .check(0);
    let question = format!("get {USERNAME}");
    kitchen.check_trouble("", &question, "store_refused", "No secret key");
}

#[test]
fn pass_without_a_store_or_without_pass() {
    let kitchen = Kitchen::new("pass.sh", "pass");
    kitchen.check_trouble("", "check", "store_refused", "pass init");
    kitchen.check_missing("");
}

/// gopass as its documentation has it: `docs/commands/{insert,show,ls}.md`, `docs/exit-codes.md`. The program itself comes
/// from no registry that the tests can use.
const GOPASS: &str = r#"#!/bin/sh
{ tr '\0' '\n' </proc/$$/cmdline; tr '\0' '\n' </proc/$$/environ; } >>"$HOME/notes"
[ ! -e "$HOME/broken" ] || exit "$(cat "$HOME/broken")"
cd "$HOME/shop" || exit 6
case "$*" in
    "insert --force "*) mkdir -p "$(dirname "$3")" && cat >"$3" ;;
    "show --password "*) cat "$3" 2>/dev/null || exit 10 ;;
    "ls --flat") find . -type f | sed 's,^\./,,' ;;
    *) exit 2 ;;
esac
"#;

#[test]
fn gopass_keeps_tokens_as_documented() {
    let kitchen = Kitchen::new("gopass.sh", "gopass");
    kitchen.install("gopass", GOPASS);
    kitchen.check_trouble("", "check", "store_refused", "");
    fs::create_dir(kitchen.home.path("shop")).unwrap();
    kitchen.check_keeps("");
    // docs/exit-codes.md: git, decryption, encryption
    for (status, kind) in [
        ("7", "store_unreachable"),
        ("11", "store_unreachable"),
        ("12", "store_refused"),
    ] {
        kitchen.home.write("broken", status);
        kitchen.check_trouble("", &format!("get {USERNAME}"), kind, "");
        kitchen.check_trouble("", &format!("publish {USERNAME} {NEW}"), kind, "");
    }
    kitchen.check_missing("");
}

#[test]
#[ignore = "with the real gopass: SFTOKEN_TEST_GOPASS=/PATH/gopass"]
fn gopass_live() {
    let gopass = std::env::var("SFTOKEN_TEST_GOPASS").expect("SFTOKEN_TEST_GOPASS");
    let kitchen = with_key(Kitchen::new("gopass.sh", "gopass"), "");
    let shim = shim(&kitchen.at("notes"), Path::new(&gopass));
    kitchen.install("gopass", &shim);
    kitchen
        .sh("gopass config mounts.path \"$HOME/.password-store\"")
        .check(0);
    kitchen.check_keeps("");
}

/// A host key of the test's own; root's stays as it is.
fn creds() -> (Kitchen, String) {
    let mut kitchen = Kitchen::new("systemd-creds.sh", "systemd-creds");
    kitchen
        .home
        .set("SYSTEMD_CREDENTIAL_SECRET", kitchen.home.path("host.key"));
    fs::create_dir(kitchen.home.path("credentials")).unwrap();
    let query = format!(
        "&env=SYSTEMD_CREDENTIAL_SECRET&arg={}&arg=host",
        kitchen.at("credentials")
    );
    (kitchen, query)
}

#[test]
fn systemd_creds_keeps_tokens() {
    let (kitchen, query) = creds();
    kitchen.check_keeps(&query);
    let sealed = kitchen.home.path("credentials").join(USERNAME);
    let mode = fs::metadata(&sealed).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!fs::read_to_string(&sealed).unwrap().contains(NEW));
    let left = fs::read_dir(kitchen.home.path("credentials"))
        .unwrap()
        .count();
    assert_eq!(left, 2, "no file in between stays");
}

#[test]
fn systemd_creds_without_its_key_its_folder_or_itself() {
    let (kitchen, query) = creds();
    let mut store = kitchen.store(&query);
    store.ask(&format!("publish {USERNAME} {OLD}"));
    // sealed for another host
    fs::rename(
        kitchen.home.path("host.key"),
        kitchen.home.path("other.key"),
    )
    .unwrap();
    let question = format!("get {USERNAME}");
    kitchen.check_trouble(&query, &question, "store_refused", "key");
    fs::rename(kitchen.home.path("credentials"), kitchen.home.path("gone")).unwrap();
    kitchen.check_trouble(&query, "check", "store_refused", "is not there");
    fs::rename(kitchen.home.path("gone"), kitchen.home.path("credentials")).unwrap();
    kitchen.check_missing(&query);
}

/// Of each recipe a home, and what its URL needs.
fn kitchens() -> [(Kitchen, String); 4] {
    let gopass = Kitchen::new("gopass.sh", "gopass");
    gopass.install("gopass", GOPASS);
    fs::create_dir(gopass.home.path("shop")).unwrap();
    [
        (pass(""), String::new()),
        (gopass, String::new()),
        creds(),
        keepassxc(None),
    ]
}

#[test]
fn a_sandbox_of_the_same_username_has_an_entry_of_its_own() {
    for (kitchen, query) in kitchens() {
        let by_hand = |action: &str, token: &str| {
            let recipe = kitchen.recipe.display();
            let arguments: String = query
                .split("&arg=")
                .skip(1)
                .map(|a| format!(" {a}"))
                .collect();
            kitchen
                .sh(&format!(
                    "printf '{token}' | SFTOKEN_ACTION={action} SFTOKEN_USERNAME={USERNAME} SFTOKEN_ORG=sandbox \
                         {recipe}{arguments}"
                ))
                .check(0)
                .out
        };
        by_hand("put", NEW);
        let mut production = kitchen.store(&query);
        assert_eq!(production.ask(&format!("get {USERNAME}")), "empty");
        production.ask(&format!("publish {USERNAME} {OLD}"));
        assert_eq!(by_hand("get", "").trim_end(), NEW);
    }
}

/// A username that is a path stays out of the rest of the store.
#[test]
fn a_username_that_is_a_path_is_refused() {
    for (kitchen, query) in kitchens() {
        let question = format!("publish ../../{USERNAME} {NEW}");
        kitchen.check_trouble(&query, &question, "store_refused", "this username");
    }
}

/// The guard of the tests above.
#[test]
#[should_panic(expected = "a token was told")]
fn a_recipe_that_puts_the_token_into_an_argument_is_caught() {
    let mut kitchen = Kitchen::new("pass.sh", "cat");
    let leak = "#!/bin/sh\n[ $SFTOKEN_ACTION = check ] || cat /dev/null \"$(cat)\"\n";
    kitchen.install("leak", leak);
    kitchen.recipe = kitchen.home.path("bin/leak");
    let url = format!("exec:{}", kitchen.at("bin/leak"));
    let mut store = StoreProcess::open(&url, kitchen.home.command(this()));
    store.ask(&format!("publish {USERNAME} {NEW}"));
    kitchen.check_told();
}

#[test]
fn every_recipe_is_tested_and_listed() {
    let here = concat!(
        include_str!("recipes.rs"),
        include_str!("recipes/keepassxc.rs")
    );
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = fs::read_to_string(root.join("docs/stores.md")).unwrap();
    let files = fs::read_dir(root.join("examples/stores"))
        .unwrap()
        .flatten();
    let names: Vec<String> = files
        .map(|file| file.file_name().into_string().unwrap())
        .collect();
    assert!(names.len() >= 4, "{names:?}");
    for name in names {
        assert!(
            here.contains(&format!("Kitchen::new(\"{name}\"")),
            "{name} is not tested"
        );
        assert!(
            docs.contains(&format!("(../examples/stores/{name})")),
            "{name} is not listed"
        );
        let syntax = Command::new("sh")
            .arg("-n")
            .arg(root.join("examples/stores").join(&name))
            .status();
        assert!(syntax.unwrap().success(), "{name}");
    }
}
