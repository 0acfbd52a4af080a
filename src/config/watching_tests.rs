use super::super::{Config, ConfigError, load};
use super::*;

fn read_keys(keys: &str) -> Result<Config, ConfigError> {
    let text = format!("[mailbox.a]\nurl = \"imaps://a@b.example\"\n{keys}\n");
    load(&text, std::path::Path::new("/etc/sftoken.toml"), [])
}

fn watching(keys: &str) -> Watching {
    read_keys(keys).unwrap().mailboxes.remove(0).watching
}

#[track_caller]
fn check_wrong(keys: &str, problem: &str, hint: &str) {
    let error = read_keys(keys).expect_err(keys);
    let told = error.to_string();
    assert!(told.contains(problem), "{told}");
    assert!(error.hint().contains(hint), "{}", error.hint());
}

#[test]
fn a_mailbox_is_left_as_it_is_unless_told_otherwise() {
    let usual = watching("");
    assert_eq!(usual, Watching::default());
    assert_eq!(usual.handled, Handled::Leave);
    assert!(!usual.claim);
    assert_eq!(usual.folders, None);
    assert_eq!(usual.liveness.as_secs(), 30);
    assert_eq!(usual.renewal.as_secs(), 540);
}

#[test]
fn each_way_to_handle_mail_is_understood() {
    for (text, expected) in [
        ("leave", Handled::Leave),
        ("seen", Handled::Seen),
        ("flag", Handled::Flag),
        ("move:Done/2026", Handled::MoveTo("Done/2026".to_owned())),
        ("delete", Handled::Delete),
    ] {
        assert_eq!(watching(&format!("handled = \"{text}\"")).handled, expected);
    }
    check_wrong(
        "handled = \"purge\"",
        "\"purge\" is not known here",
        "move:FOLDER",
    );
    check_wrong("handled = \"move:\"", "has no name", "move:FOLDER");
}

#[test]
fn lengths_have_bounds() {
    let set = watching("liveness = \"2m\"\nrenewal = \"20m\"\nclaim = true");
    assert_eq!((set.liveness.as_secs(), set.renewal.as_mins()), (120, 20));
    assert!(set.claim);
    for wrong in ["5s", "30m", "often", "0s"] {
        check_wrong(&format!("liveness = \"{wrong}\""), wrong, "\"30s\"");
    }
    for wrong in ["59s", "1h"] {
        check_wrong(&format!("renewal = \"{wrong}\""), wrong, "\"9m\"");
    }
}

#[test]
fn a_list_without_folders_is_a_mistake() {
    check_wrong(
        "folders = []",
        "names no folder",
        "the default is the inbox",
    );
    check_wrong("folders = [\"\"]", "has no name", "remove it");
}
