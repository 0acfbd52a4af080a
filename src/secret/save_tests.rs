//! Each place, and what a reader finds in it afterwards.

use std::cell::RefCell;

use super::*;
use crate::secret::{Sources, resolve};

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

fn no_keyring(_: &str, _: &str, _: &Secret) -> Result<(), String> {
    Err("the keyring is locked".to_owned())
}

fn read(reference: &SecretRef) -> Secret {
    let sources = Sources {
        keyring: &|_, _| Ok(None),
        env: &|_| None,
    };
    resolve(reference, &sources).unwrap()
}

#[cfg(unix)]
#[test]
fn a_file_is_replaced_whole_private_and_behind_its_link() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let folder = tempfile::tempdir().unwrap();
    let (path, link) = (folder.path().join("rt"), folder.path().join("link"));
    let reference = SecretRef::File(path.clone());
    for text in ["first", "second"] {
        check_file(&reference).unwrap();
        save(&reference, &secret(text), &no_keyring).unwrap();
        assert_eq!(read(&reference), secret(text));
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    symlink(&path, &link).unwrap();
    save(
        &SecretRef::File(link.clone()),
        &secret("third"),
        &no_keyring,
    )
    .unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(read(&reference), secret("third"));
    let names = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(names, 2, "a temporary file is left");
}

#[test]
fn a_file_that_cannot_be_written_is_told_with_its_folder() {
    let reference = SecretRef::File("/nonexistent/folder/rt".into());
    let error = save(&reference, &secret("planted"), &no_keyring).unwrap_err();
    assert_eq!(check_file(&reference), Err(error.clone()));
    assert!(
        error
            .to_string()
            .starts_with("file:/nonexistent/folder/rt: cannot be written")
    );
    assert!(
        error.hint().contains("/nonexistent/folder"),
        "{}",
        error.hint()
    );
    assert!(!format!("{error:?}").contains("planted"));
}

#[test]
fn the_keyring_is_written_through_its_writer() {
    let written = RefCell::new(Vec::new());
    let writer = |service: &str, user: &str, secret: &Secret| {
        let entry = (service.to_owned(), user.to_owned(), secret.clone());
        written.borrow_mut().push(entry);
        Ok(())
    };
    let reference = SecretRef::parse("keyring:mail/ops", Path::new("")).unwrap();
    save(&reference, &secret("x"), &writer).unwrap();
    let expected = ("mail".to_owned(), "ops".to_owned(), secret("x"));
    assert_eq!(*written.borrow(), [expected]);
    let error = save(&reference, &secret("x"), &no_keyring).unwrap_err();
    assert_eq!(error.to_string(), "keyring:mail/ops: the keyring is locked");
}

#[test]
fn what_is_only_read_is_never_written() {
    for text in ["env:X", "command:pass show x", "systemd:x"] {
        let reference = SecretRef::parse(text, Path::new("")).unwrap();
        assert!(!reference.is_writable());
        let error = save(&reference, &secret("x"), &no_keyring).unwrap_err();
        assert!(matches!(error, SaveError::ReadOnly { .. }), "{error}");
    }
}
