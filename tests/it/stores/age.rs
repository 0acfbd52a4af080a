//! The age store against the real `age`.

mod rotation;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use sftoken::ingest::policy::Org;
use sftoken::store::{Key, Store, StoreError, StoreErrorKind, StoreOptions, open};
use tempfile::TempDir;

use super::{NEW, OLD, USERNAME, key, meta, token};

/// A folder with the keys of two consumers and a list of their public halves.
struct Keys {
    home: TempDir,
    public: Vec<String>,
}

impl Keys {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let public = ["one", "two"].map(|name| generate(&home.path().join(name)));
        let list = format!("# consumers\n\n{}\n{}\n", public[0], public[1]);
        fs::write(home.path().join("recipients"), list).unwrap();
        Self {
            home,
            public: public.to_vec(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn url(&self, more: &str) -> String {
        let home = self.home.path().display();
        format!("age:{home}/tokens?recipients-file={home}/recipients{more}")
    }

    fn store(&self, more: &str) -> Arc<dyn Store> {
        open(&self.url(more), &StoreOptions::default()).unwrap()
    }

    /// A store that can also read, as consumer `one`.
    fn readable(&self) -> Arc<dyn Store> {
        self.store(&format!("&identity={}", self.path("one").display()))
    }

    fn token_file(&self, folder: &str) -> PathBuf {
        self.path("tokens").join(folder).join("token.age")
    }
}

/// Makes an identity; its public half.
fn generate(path: &Path) -> String {
    let made = Command::new("age-keygen").arg("-o").arg(path).output();
    let made = made.expect("age-keygen must be installed (Debian: age)");
    assert!(made.status.success(), "{made:?}");
    let public = Command::new("age-keygen")
        .arg("-y")
        .arg(path)
        .output()
        .unwrap();
    String::from_utf8(public.stdout).unwrap().trim().to_owned()
}

/// What the real `age` makes of a file.
fn decrypt(identity: &Path, file: &Path) -> Option<String> {
    let output = Command::new("age")
        .arg("-d")
        .arg("-i")
        .arg(identity)
        .arg(file)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    output.status.success().then_some(text)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[track_caller]
fn publish(store: &dyn Store, key: &Key, value: &str) {
    let token = token(value);
    store.publish(key, &token, &meta(&token)).unwrap();
}

#[track_caller]
fn check_misconfigured(url: &str, words: &str) -> StoreError {
    let error = open(url, &StoreOptions::default()).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Misconfigured, "{error}");
    assert!(error.problem.contains(words), "{error}");
    error
}

#[test]
fn each_recipient_reads_what_the_watcher_cannot() {
    let keys = Keys::new();
    let store = keys.store("");
    store.check().unwrap();
    for value in [OLD, NEW] {
        publish(&*store, &key(USERNAME), value);
        let file = keys.token_file(USERNAME);
        assert_eq!(decrypt(&keys.path("one"), &file).as_deref(), Some(value));
        assert_eq!(decrypt(&keys.path("two"), &file).as_deref(), Some(value));
        generate_stranger(&keys, &file);
    }
    assert!(!store.capabilities().readable);
    let error = store.get(&key(USERNAME)).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::WriteOnly);
    assert!(
        error.hint.contains("age -d -i IDENTITY '/"),
        "{}",
        error.hint
    );
}

fn generate_stranger(keys: &Keys, file: &Path) {
    let stranger = keys.path("stranger");
    let _ = fs::remove_file(&stranger);
    generate(&stranger);
    assert_eq!(decrypt(&stranger, file), None);
}

/// The hint is a command: it works when pasted.
#[test]
fn the_hint_of_a_write_only_machine_works() {
    let keys = Keys::new();
    let store = keys.store("");
    publish(&*store, &key("o'brien@acme.example"), NEW);
    let hint = store.get(&key("o'brien@acme.example")).unwrap_err().hint;
    let command = hint
        .split(": ")
        .nth(1)
        .unwrap()
        .split("; or")
        .next()
        .unwrap();
    let command = command.replace("IDENTITY", keys.path("two").to_str().unwrap());
    let output = Command::new("sh").args(["-c", &command]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), NEW, "{command}");
}

#[test]
fn files_are_private_and_hold_nothing_in_the_clear() {
    let keys = Keys::new();
    publish(&*keys.readable(), &key(USERNAME), NEW);
    let folder = keys.path("tokens").join(USERNAME);
    assert_eq!(mode(&keys.path("tokens")), 0o700);
    assert_eq!(mode(&folder), 0o700);
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        assert!(!fs::read_to_string(&path).unwrap().contains(NEW));
        names.push(path.file_name().unwrap().to_owned());
    }
    names.sort();
    assert_eq!(names, ["meta.json", "token.age"]);
    let note = fs::read_to_string(folder.join("meta.json")).unwrap();
    let note: serde_json::Value = serde_json::from_str(&note).unwrap();
    assert_eq!(note["state"], "stored");
    assert_eq!(note["username"], USERNAME);
    assert_eq!(note["org"], "production");
    assert_eq!(note["fingerprint"], token(NEW).fingerprint().as_str());
}

#[test]
fn with_an_identity_it_reads_back() {
    let keys = Keys::new();
    let store = keys.readable();
    store.check().unwrap();
    assert_eq!(store.get(&key(USERNAME)).unwrap(), None);
    publish(&*store, &key(USERNAME), NEW);
    assert_eq!(store.get(&key(USERNAME)).unwrap(), Some(token(NEW)));
}

#[test]
fn what_the_real_age_writes_we_read() {
    let keys = Keys::new();
    let store = keys.readable();
    publish(&*store, &key(USERNAME), OLD);
    for armor in [&["-a"][..], &[]] {
        let mut age = Command::new("age")
            .args(armor)
            .args(["-r", &keys.public[0], "-o"])
            .arg(keys.token_file(USERNAME))
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        writeln!(age.stdin.take().unwrap(), "{NEW}").unwrap();
        assert!(age.wait().unwrap().success());
        assert_eq!(store.get(&key(USERNAME)).unwrap(), Some(token(NEW)));
    }
}

#[test]
fn ssh_keys_are_recipients_and_identities() {
    let keys = Keys::new();
    for (kind, bits) in [("ed25519", "256"), ("rsa", "2048")] {
        let path = keys.path(kind);
        let made = Command::new("ssh-keygen")
            .args([
                "-q",
                "-N",
                "",
                "-C",
                "ops@acme.example",
                "-t",
                kind,
                "-b",
                bits,
                "-f",
            ])
            .arg(&path)
            .status();
        assert!(made.expect("ssh-keygen (Debian: openssh-client)").success());
        let home = keys.home.path().display();
        let url = format!(
            "age:{home}/{kind}-tokens?recipients-file={home}/{kind}.pub&identity={home}/{kind}"
        );
        let store = open(&url, &StoreOptions::default()).unwrap();
        store.check().unwrap();
        publish(&*store, &key(USERNAME), NEW);
        assert_eq!(store.get(&key(USERNAME)).unwrap(), Some(token(NEW)));
        let file = keys.path(&format!("{kind}-tokens/{USERNAME}/token.age"));
        assert_eq!(decrypt(&path, &file).as_deref(), Some(NEW));
    }
}

#[test]
fn production_and_sandbox_of_one_username_stand_apart() {
    let keys = Keys::new();
    let store = keys.readable();
    let sandbox = Key {
        org: Org::Sandbox,
        ..key(USERNAME)
    };
    publish(&*store, &key(USERNAME), OLD);
    publish(&*store, &sandbox, NEW);
    assert_ne!(store.slot(&key(USERNAME)), store.slot(&sandbox));
    assert_eq!(store.get(&key(USERNAME)).unwrap(), Some(token(OLD)));
    assert_eq!(store.get(&sandbox).unwrap(), Some(token(NEW)));
}

#[test]
fn a_username_does_not_climb_out_of_the_folder() {
    let keys = Keys::new();
    let store = keys.readable();
    for username in ["../../climber", "/etc/climber", ".."] {
        publish(&*store, &key(username), NEW);
        assert_eq!(store.get(&key(username)).unwrap(), Some(token(NEW)));
    }
    let inside = fs::read_dir(keys.path("tokens")).unwrap().count();
    assert_eq!(inside, 3);
    assert!(!keys.path("climber").exists());
}

#[test]
fn a_damaged_file_is_not_a_token() {
    let keys = Keys::new();
    let store = keys.readable();
    publish(&*store, &key(USERNAME), NEW);
    let file = keys.token_file(USERNAME);
    let whole = fs::read_to_string(&file).unwrap();
    for damaged in [
        &whole[..whole.len() / 2],
        "",
        NEW,
        &whole.replace("AGE", "EGA"),
    ] {
        fs::write(&file, damaged).unwrap();
        let error = store.get(&key(USERNAME)).unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Corrupt, "{error}");
        assert!(!format!("{error:?}").contains(NEW));
    }
}

#[test]
fn an_identity_that_fits_no_recipient_is_found_before_the_first_token() {
    let keys = Keys::new();
    generate(&keys.path("stranger"));
    let store = keys.store(&format!("&identity={}", keys.path("stranger").display()));
    let error = store.check().unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Misconfigured);
}

#[test]
fn keys_that_do_not_hold_are_told_by_line_and_not_repeated() {
    let keys = Keys::new();
    let secret = fs::read_to_string(keys.path("one")).unwrap();
    fs::write(keys.path("recipients"), &secret).unwrap();
    let error = check_misconfigured(&keys.url(""), "line 3, is a private key");
    assert!(
        !format!("{error:?}").contains("AGE-SECRET-KEY-1"),
        "{error:?}"
    );
    fs::write(keys.path("recipients"), "# nobody\n").unwrap();
    check_misconfigured(&keys.url(""), "no recipient");
    fs::write(keys.path("recipients"), "age1nonsense\n").unwrap();
    check_misconfigured(&keys.url(""), "line 1, is no recipient");
    fs::remove_file(keys.path("recipients")).unwrap();
    check_misconfigured(&keys.url(""), "cannot read the recipients");
}

/// It was: an ordinary key whose first letters are `pq`, one of 1024, was taken for a post-quantum one.
#[test]
fn an_ordinary_recipient_may_begin_with_pq() {
    let keys = Keys::new();
    let recipients = keys.path("recipients");
    let ordinary = "age1pqmpn93yllmn9qngzstuwh8shgax4an3jctfwr69ycgfmdtd4vksujfwaa\n";
    fs::write(&recipients, ordinary).unwrap();
    keys.store("").check().unwrap();
    fs::write(&recipients, "age1pq1mpn93yllmn9\n").unwrap();
    check_misconfigured(&keys.url(""), "post-quantum");
}

#[test]
fn an_identity_that_others_can_read_is_refused() {
    let keys = Keys::new();
    fs::set_permissions(keys.path("one"), fs::Permissions::from_mode(0o644)).unwrap();
    let url = keys.url(&format!("&identity={}", keys.path("one").display()));
    let error = check_misconfigured(&url, "can be read by others");
    assert!(error.hint.starts_with("chmod 600 '/"), "{}", error.hint);
}

#[test]
fn paths_start_at_the_root() {
    check_misconfigured("age:tokens?recipient=age1", "does not start at the root");
    check_misconfigured("age:/t?recipients-file=~/r", "does not start at the root");
}

#[test]
fn a_folder_that_cannot_be_is_found_by_check() {
    let keys = Keys::new();
    fs::write(keys.path("tokens"), "a file").unwrap();
    let error = keys.store("").check().unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Refused, "{error}");
}

/// rage writes and reads with the same library as we do; this is the program itself. To try it:
/// `cargo install rage --locked`, then
/// `SFTOKEN_TEST_RAGE=/PATH/rage cargo test --all-features --test it stores::age::rage_live -- --ignored`.
#[test]
#[ignore = "rage is not in Debian, and takes minutes to build"]
fn rage_live() {
    let rage = std::env::var_os("SFTOKEN_TEST_RAGE").expect("SFTOKEN_TEST_RAGE names rage");
    let keys = Keys::new();
    let store = keys.readable();
    publish(&*store, &key(USERNAME), NEW);
    let file = keys.token_file(USERNAME);
    let read = |name: &str| {
        let mut rage = Command::new(&rage);
        rage.arg("-d").arg("-i").arg(keys.path(name)).arg(&file);
        let output = rage.output().unwrap();
        assert!(output.status.success(), "{name}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!([read("one"), read("two")], [NEW, NEW]);
    for armor in [&["-a"][..], &[]] {
        let mut rage = Command::new(&rage)
            .args(armor)
            .args(["-r", &keys.public[0], "-o"])
            .arg(&file)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        rage.stdin
            .take()
            .unwrap()
            .write_all(OLD.as_bytes())
            .unwrap();
        assert!(rage.wait().unwrap().success());
        assert_eq!(store.get(&key(USERNAME)).unwrap(), Some(token(OLD)));
    }
}
