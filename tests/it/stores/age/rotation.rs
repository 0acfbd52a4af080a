//! Recipients that change while tokens are stored: what the store does, and what `sftoken` says.

use super::*;
use crate::support::run::Home;
use crate::support::salesforce::{ANN, ago, genuine, key_file, new_token};

/// The recipients that the file names from now on.
fn rotate(keys: &Keys, to: &[&str]) {
    fs::write(keys.path("recipients"), to.join("\n")).unwrap();
}

fn note(keys: &Keys) -> serde_json::Value {
    let text = fs::read_to_string(keys.token_file(USERNAME).with_file_name("meta.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Makes another key; its public half.
fn third(keys: &Keys) -> String {
    generate(&keys.path("three"))
}

#[test]
fn a_change_of_the_recipients_counts_from_the_next_token_on() {
    let keys = Keys::new();
    let store = keys.store("");
    publish(&*store, &key(USERNAME), OLD);
    let before = note(&keys)["recipients"].clone();
    rotate(&keys, &[&keys.public[1], &third(&keys)]);
    publish(&*store, &key(USERNAME), NEW);
    let file = keys.token_file(USERNAME);
    assert_eq!(decrypt(&keys.path("one"), &file), None);
    assert_eq!(decrypt(&keys.path("two"), &file).as_deref(), Some(NEW));
    assert_eq!(decrypt(&keys.path("three"), &file).as_deref(), Some(NEW));
    assert_ne!(note(&keys)["recipients"], before);
    // a broken list is told, and the token before stays
    rotate(&keys, &["age1nonsense"]);
    let error = store.publish(&key(USERNAME), &token(OLD), &meta(&token(OLD)));
    assert_eq!(error.unwrap_err().kind, StoreErrorKind::Misconfigured);
    assert_eq!(decrypt(&keys.path("two"), &file).as_deref(), Some(NEW));
}

#[test]
fn with_an_identity_a_file_is_sealed_anew_for_new_recipients() {
    let keys = Keys::new();
    let store = keys.readable();
    let file = keys.token_file(USERNAME);
    assert!(!store.renew(&key(USERNAME)).unwrap(), "there is none yet");
    publish(&*store, &key(USERNAME), NEW);
    let before = (fs::read(&file).unwrap(), note(&keys));
    // the order and comments of the list are nothing
    let (one, two) = (&*keys.public[0], &*keys.public[1]);
    rotate(&keys, &[two, "# a comment", one, two]);
    assert!(!store.renew(&key(USERNAME)).unwrap());
    assert_eq!((fs::read(&file).unwrap(), note(&keys)), before);

    rotate(&keys, &[one, &third(&keys)]);
    assert!(store.renew(&key(USERNAME)).unwrap());
    assert_eq!(decrypt(&keys.path("one"), &file).as_deref(), Some(NEW));
    assert_eq!(decrypt(&keys.path("two"), &file), None);
    assert_eq!(decrypt(&keys.path("three"), &file).as_deref(), Some(NEW));
    assert_eq!(mode(&file), 0o600);
    let after = note(&keys);
    for same in ["state", "fingerprint", "date", "message_id", "username"] {
        assert_eq!(after[same], before.1[same], "{same}");
    }
    assert!(!store.renew(&key(USERNAME)).unwrap(), "once is enough");
}

/// Who adds a new identity before the old one is taken away can hand over without a gap.
#[test]
fn an_identity_that_cannot_open_it_seals_nothing_anew() {
    let keys = Keys::new();
    publish(&*keys.store(""), &key(USERNAME), NEW);
    let file = keys.token_file(USERNAME);
    let before = fs::read(&file).unwrap();
    rotate(&keys, &[&third(&keys)]);
    let stranger = keys.store(&format!("&identity={}", keys.path("three").display()));
    let error = stranger.renew(&key(USERNAME)).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::WriteOnly);
    assert!(
        error.problem.contains("identity here cannot open it"),
        "{error}"
    );
    assert_eq!(fs::read(&file).unwrap(), before);
}

/// The hint is a command: it works when pasted, with `age`, and nobody is told again afterwards.
#[test]
fn without_an_identity_it_is_told_how_to_seal_anew() {
    let keys = Keys::new();
    let more = format!("&recipient={}", keys.public[0]);
    let store = keys.store(&more);
    let account = key("o'brien@acme.example");
    publish(&*store, &account, NEW);
    rotate(&keys, &[&third(&keys)]);
    let error = store.renew(&account).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::WriteOnly);
    assert!(error.problem.contains("recipients other than"), "{error}");
    assert!(error.problem.contains("holds no identity"), "{error}");
    let command = error.hint.split("is kept: ").nth(1).unwrap();
    let command = command.replace("IDENTITY", keys.path("two").to_str().unwrap());
    let status = Command::new("sh").args(["-c", &command]).status().unwrap();
    assert!(status.success(), "{command}");
    let file = keys.token_file("o%27brien@acme.example");
    for (name, held) in [("one", Some(NEW)), ("two", None), ("three", Some(NEW))] {
        assert_eq!(decrypt(&keys.path(name), &file).as_deref(), held, "{name}");
    }
    assert_eq!(mode(&file), 0o600);
    assert!(!store.renew(&account).unwrap());
    // one that fails leaves the file as it is
    let whole = fs::read(&file).unwrap();
    let wrong = command.replace("two", "nobody");
    let status = Command::new("sh").args(["-c", &wrong]).status().unwrap();
    assert!(!status.success());
    assert_eq!(fs::read(&file).unwrap(), whole);
}

/// The whole program.
#[test]
fn the_next_run_seals_anew_or_tells_how() {
    let home = Home::new();
    let [old, new] = ["old", "new"].map(|name| generate(&home.path(name)) + "\n");
    let list = home.write("recipients", &old);
    let keys = key_file(&home);
    let (token, folder) = (new_token(), home.path("tokens"));
    let mail = home.write("mail.eml", genuine(ANN, &token, ago(60)));
    let url = format!("age:{}?recipients-file={list}", folder.display());
    let with_identity = format!("{url}&identity={}", home.path("old").display());
    let replay = |url: &str| {
        home.run(&["replay", "--keys", &keys, "--store", url, &mail])
            .check(0)
    };
    let file = folder.join(ANN).join("token.age");
    let held = |name: &str| decrypt(&home.path(name), &file);
    let quiet = replay(&url).err;
    assert!(!quiet.contains("recipients"), "{quiet}");
    assert_eq!([held("old"), held("new")], [Some(token.clone()), None]);

    fs::write(&list, [&*old, &*new].concat()).unwrap();
    let told = replay(&url).err;
    assert!(told.contains("recipients other than"), "{told}");
    assert!(told.contains("age -d -i IDENTITY"), "{told}");
    assert_eq!([held("old"), held("new")], [Some(token.clone()), None]);

    let quiet = replay(&with_identity).err;
    assert!(!quiet.contains("recipients other than"), "{quiet}");
    assert_eq!(
        [held("old"), held("new")],
        [Some(token.clone()), Some(token.clone())]
    );
    let quiet = replay(&url).err;
    assert!(!quiet.contains("recipients other than"), "{quiet}");
}
