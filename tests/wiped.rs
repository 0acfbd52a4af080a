//! What is freed holds no secret.
//!
//! Knows every block of memory that is given back, and looks for planted secrets in it before it is. Never looks
//! into what libraries keep for themselves. Each story runs code of ours that has a secret in its hands.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    unsafe_code,
    reason = "tests; an allocator is unsafe by its nature"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sftoken::consumer::{Field, Form, Login, Wanted, github_line, github_mask, variables};
use sftoken::ingest::order::{Arrival, Rank};
use sftoken::ingest::secret::Secret;
use sftoken::oauth::{Client, Http, Place, PlaceError, Provider};
use sftoken::secret::{SecretRef, Sources, command, resolve, save, write_private};
use sftoken::store::{Key, Meta, StoreOptions, open};
use sftoken::testing::fixture::{Encoding, Structure, TokenMail};
use sftoken::testing::sign::{Signer, SigningKey};
use sftoken::verify::{LogIn, Way};
use sftoken::{KeyAnswers, Mail, Org, Outcome, Policy, Recipe, Token, examine};

const TOKEN: &[u8] = b"WipedZq7Xw2Kp9Lm4Tr8Vb6Cd";
const PASSWORD: &[u8] = b"planted-to-be-wiped-7Hd3Gs1Jf0";

/// The system's allocator, which looks at what it gets back.
struct Looking;

static LOOKS: AtomicBool = AtomicBool::new(false);
static FOUND: AtomicUsize = AtomicUsize::new(0);
/// One story at a time: what another one is preparing is not its fault.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The middle of a secret: its ends may be overwritten by the allocator's own notes.
fn look(block: &[u8]) {
    if !LOOKS.load(Ordering::Relaxed) {
        return;
    }
    let middles = [&TOKEN[5..20], &PASSWORD[8..25]];
    let holds = |middle: &[u8]| block.windows(middle.len()).any(|piece| piece == middle);
    if middles.into_iter().any(holds) {
        FOUND.fetch_add(1, Ordering::Relaxed);
    }
}

// SAFETY: every call goes on to the system's allocator as it came; blocks are only read, while they are ours.
unsafe impl GlobalAlloc for Looking {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Zeroed, so that each of its bytes may be read when it comes back.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        look(unsafe { std::slice::from_raw_parts(block, layout.size()) });
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // A block that moves leaves its old place behind.
        let moved = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        let new = unsafe { self.alloc(moved) };
        if !new.is_null() {
            unsafe { std::ptr::copy_nonoverlapping(block, new, layout.size().min(size)) };
            unsafe { self.dealloc(block, layout) };
        }
        new
    }
}

#[global_allocator]
static ALLOCATOR: Looking = Looking;

/// That a story leaves nothing behind, on any thread.
#[track_caller]
fn check<T>(story: impl FnOnce() -> T) {
    assert_eq!(
        left_behind(story),
        0,
        "blocks with a secret were given back"
    );
}

fn left_behind<T>(story: impl FnOnce() -> T) -> usize {
    FOUND.store(0, Ordering::Relaxed);
    LOOKS.store(true, Ordering::Relaxed);
    drop(story());
    LOOKS.store(false, Ordering::Relaxed);
    FOUND.load(Ordering::Relaxed)
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn token() -> Token {
    Token::new(text(TOKEN)).unwrap()
}

fn password() -> Secret {
    Secret::new(text(PASSWORD).to_owned())
}

fn read(reference: &str) -> Secret {
    let reference = SecretRef::parse(reference, Path::new("/")).unwrap();
    let sources = Sources {
        keyring: &|_, _| Ok(Some(password())),
        env: &|_| Some(text(PASSWORD).into()),
    };
    resolve(&reference, &sources).unwrap()
}

#[test]
fn what_is_not_wiped_is_found() {
    let _alone = alone();
    assert_eq!(left_behind(|| text(TOKEN).to_owned()), 1);
    // of two, one is what it grew out of
    assert_eq!(left_behind(|| format!("{}!", text(PASSWORD))), 2);
    assert_eq!(left_behind(token), 0);
    let grown = || std::iter::repeat_n(text(PASSWORD), 50).collect::<String>();
    assert!(left_behind(grown) > 1, "a text that grows leaves copies");
}

#[test]
fn a_reference_is_read_without_a_trace() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    write_private(&file, &[PASSWORD, b"\n"].concat()).unwrap();
    check(|| read("env:ANY"));
    check(|| read("keyring:ANY"));
    let reference = format!("file:{}", file.display());
    check(|| read(&reference));
}

#[test]
fn a_command_is_read_without_a_trace() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, [PASSWORD, b"\n", &b"x".repeat(100_000)].concat()).unwrap();
    let argv = ["cat".to_owned(), file.to_str().unwrap().to_owned()];
    check(|| command::first_line(&argv, Duration::from_secs(60)).unwrap());
}

#[test]
fn a_secret_is_saved_without_a_trace() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    let reference = SecretRef::File(path);
    check(|| save(&reference, &password(), &|_, _, _| Ok(())).unwrap());
}

#[test]
fn consumers_are_served_without_a_trace() {
    let _alone = alone();
    let (token, password) = (token(), password());
    let login = Login {
        username: "integration@acme.example",
        org: Org::Production,
        token: &token,
        password: Some(&password),
    };
    let wanted: Vec<Wanted> = Field::ALL
        .iter()
        .map(|field| Wanted::parse(&format!("{0}={0}", field.word())).unwrap())
        .collect();
    let all = variables(&login, &wanted).unwrap();
    check(|| variables(&login, &wanted));
    for form in [Form::Env, Form::Shell, Form::Dotenv] {
        check(|| form.lines(&all).unwrap());
    }
    for one in &all {
        check(|| (github_line(one).unwrap(), github_mask(&one.value)));
    }
}

#[derive(Debug)]
struct Drawer;

impl Place for Drawer {
    fn load(&self) -> Result<Secret, PlaceError> {
        Ok(password())
    }

    fn save(&self, _: &Secret) -> Result<(), PlaceError> {
        Ok(())
    }
}

/// Nobody answers: what is sent is put together all the same.
#[test]
fn a_provider_is_asked_without_a_trace() {
    let _alone = alone();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/token", nobody.local_addr().unwrap());
    drop(nobody);
    for secret in [None, Some(Arc::new(Drawer) as Arc<dyn Place>)] {
        let client = Client::new(Provider::generic(&url), "client", secret, Http::new());
        check(|| client.refresh(&password()).unwrap_err());
    }
}

/// Nobody answers here either.
#[test]
fn a_token_is_tried_without_a_trace() {
    let _alone = alone();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let app = Way::OauthPassword {
        client_id: "app".to_owned(),
        client_secret: Some(password()),
    };
    for way in [Way::soap(), app] {
        let log_in = LogIn::new(way, &url, Http::new());
        check(|| {
            let outcome = log_in.attempt("a@acme.example", &password(), &token());
            assert_eq!(outcome.kind(), "unreachable");
        });
    }
}

/// A program gets the token, gives it back, and shouts it out.
#[test]
fn a_program_keeps_a_token_without_a_trace() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("keep");
    let script = "#!/bin/sh\nkept=\"${0%/*}/kept\"\ncase $SFTOKEN_ACTION in\n\
        put) cat > \"$kept\";;\nget) cat \"$kept\";;\nesac\ncat \"$kept\" >&2\n";
    std::fs::write(&program, script).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(&program, mode).unwrap();
    let url = format!("exec:{}?get=1", program.display());
    let store = open(&url, &StoreOptions::default()).unwrap();
    let key = Key {
        username: "integration@acme.example".to_owned(),
        org: Org::Production,
    };
    let meta = Meta {
        fingerprint: token().fingerprint(),
        rank: Rank {
            date: "2026-04-01T15:08:44Z".parse().unwrap(),
            arrival: Arrival::default(),
        },
        message_id: None,
        org: Org::Production,
    };
    check(|| store.publish(&key, &token(), &meta).unwrap());
    check(|| store.get(&key).unwrap().unwrap());
}

/// From a mail's bytes to its token; the bytes themselves are wiped by whoever holds them.
#[test]
fn a_mail_is_judged_without_a_trace() {
    let _alone = alone();
    let pem = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/keys/rsa-2048.pem");
    let key = SigningKey::from_pem(&std::fs::read_to_string(pem).unwrap()).unwrap();
    let record = format!("test1._domainkey.salesforce.com {}\n", key.dns_record());
    let keys = KeyAnswers::from_key_file(&record).unwrap();
    let now: jiff::Timestamp = "2026-04-01T15:30:00Z".parse().unwrap();
    for (structure, encoding) in [
        (Structure::Text, Encoding::SevenBit),
        (Structure::Text, Encoding::SoftBreak),
        (Structure::Alternative, Encoding::Base64),
        (Structure::Html, Encoding::QuotedPrintable),
    ] {
        let mut mail = TokenMail::new("integration@acme.example", text(TOKEN), now);
        (mail.structure, mail.encoding) = (structure, encoding);
        let signed = Signer::new(&key, "salesforce.com", "test1").sign(&mail.bytes().unwrap());
        let judged = |bytes: &[u8]| {
            let parsed = Mail::parse(bytes);
            examine(&parsed, &keys, &Policy::default(), Recipe::built_in(), now)
        };
        assert!(matches!(judged(&signed), Outcome::Found(_)));
        check(|| judged(&signed));
    }
}
