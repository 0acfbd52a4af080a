//! The account of an examination: it never differs from the verdict, and nothing in it fools a
//! terminal or shows a token.

use std::fmt::Write as _;
use std::path::Path;

use jiff::Timestamp;
use sftoken::ingest::explain::{Explanation, explain};
use sftoken::ingest::policy::Demand;
use sftoken::ingest::witness::{Gate, Verdict};
use sftoken::testing::fixture::{Structure, Subject, TokenMail};
use sftoken::testing::sign::{Signer, SigningKey};
use sftoken::{KeyAnswers, Mail, Outcome, Policy, Recipe, examine};

use crate::support::run::{Home, files_below};

/// Holds the account of a mail against its outcome: as it is asked for, without a demand for proof,
/// and with a DNS that is silent.
#[track_caller]
pub(crate) fn check_accounts(mail: &Mail<'_>, keys: &KeyAnswers, policy: &Policy, now: Timestamp) {
    let unproven = Policy {
        demand: Demand::Nothing,
        ..policy.clone()
    };
    check_account(mail, keys, policy, now);
    check_account(mail, keys, &unproven, now);
    check_account(mail, &KeyAnswers::default(), policy, now);
}

/// The same end as [`examine`] gives, at one gate; what stands before it held, and nothing behind it
/// was reached.
#[track_caller]
fn check_account(mail: &Mail<'_>, keys: &KeyAnswers, policy: &Policy, now: Timestamp) {
    let outcome = &examine(mail, keys, policy, Recipe::built_in(), now);
    let (told, seen) = explain(mail, keys, policy, Recipe::built_in(), now);
    assert_eq!(end(&told), end(outcome), "explain and examine differ");
    let verdicts = Gate::ALL.map(|gate| seen.verdict(gate));
    let held = |verdict: &Verdict| matches!(verdict, Verdict::Held | Verdict::Waived);
    let failed = verdicts.iter().position(|verdict| !held(verdict));
    let reason = failed.and_then(|at| verdicts[at].kind());
    assert_eq!(reason, end(outcome).1, "{verdicts:?}");
    match (failed, outcome) {
        (None, Outcome::Found(found)) => {
            let pair = seen.pair().unwrap();
            assert_eq!(pair.fingerprint, found.token.fingerprint());
            assert_eq!(pair.username, found.username);
        }
        (Some(at), _) => {
            let behind = &verdicts[at + 1..];
            assert!(
                behind.iter().all(|&verdict| verdict == Verdict::NotReached),
                "{verdicts:?}"
            );
            let matches = match outcome {
                Outcome::Found(_) => false,
                Outcome::NotOurs(why) => verdicts[at] == Verdict::NotOurs(*why),
                Outcome::Refused(why) => verdicts[at] == Verdict::Refused(*why),
                Outcome::Undecided(why) => verdicts[at] == Verdict::Unknown(*why),
            };
            assert!(matches, "{verdicts:?} for {outcome:?}");
        }
        (None, _) => panic!("no gate failed, and yet {outcome:?}"),
    }
    check_proofs(&seen, policy);
}

/// What holds is why the gate holds: one signature, or the provider's word.
#[track_caller]
fn check_proofs(seen: &Explanation, policy: &Policy) {
    let signed = seen
        .signatures
        .iter()
        .filter(|dkim| dkim.verdict == Verdict::Held);
    let vouched = seen
        .provider
        .as_ref()
        .filter(|word| word.verdict == Verdict::Held);
    let proven = policy.demand != Demand::Nothing && seen.verdict(Gate::Proof) == Verdict::Held;
    let holding = signed.count() + usize::from(vouched.is_some());
    assert_eq!(holding, usize::from(proven), "{:?}", seen.signatures);
    let asks = matches!(
        policy.demand,
        Demand::AuthenticationResults | Demand::Either
    );
    assert!(asks || seen.provider.is_none());
}

fn end(outcome: &Outcome) -> (u8, Option<&'static str>) {
    match outcome {
        Outcome::Found(_) => (0, None),
        Outcome::NotOurs(why) => (1, Some(why.kind())),
        Outcome::Refused(why) => (2, Some(why.kind())),
        Outcome::Undecided(why) => (3, Some(why.kind())),
    }
}

const TOKEN: &str = "MarkerZq7Xw2Kp9Lm4Tr8Vb6";

/// What could move a cursor, hide text or turn it: control, ANSI, bidi, zero-width, tags.
const ODD: &str = "\u{1b}[2j\u{7}\u{9b}31m\u{202e}\u{200b}\u{feff}\u{e0041}";

fn token_mail() -> TokenMail {
    let date = "2026-11-23T10:00:00Z".parse().unwrap();
    TokenMail::new("integration@acme.example", TOKEN, date)
}

fn signed(mail: &TokenMail, change: impl FnOnce(&mut Signer<'_>)) -> Vec<u8> {
    let key = SigningKey::from_pem(include_str!("../../fixtures/keys/ed25519.pem")).unwrap();
    let mut signer = Signer::new(&key, "salesforce.com", "s1");
    change(&mut signer);
    signer.sign(&mail.bytes().unwrap())
}

fn replaced(mail: &[u8], old: &str, new: &str) -> Vec<u8> {
    let text = String::from_utf8(mail.to_vec()).unwrap();
    assert!(text.contains(old), "{old} is not in\n{text}");
    text.replacen(old, new, 1).into_bytes()
}

/// What `parse` prints of a mail in a file of this name, by itself and among others.
fn printed(name: &str, mail: &[u8]) -> String {
    let home = Home::new();
    home.write(&format!("mails/{name}"), mail);
    home.write("mails/other.eml", "Subject: lunch\r\n\r\nAt noon?\r\n");
    let keys = home.write("none.keys", "");
    let path = home.path("mails").join(name);
    let path = path.to_str().unwrap().to_owned();
    let mut text = String::new();
    for words in [
        ["parse", "--keys", &keys, &path].as_slice(),
        &["parse", "--keys", &keys, "--unproven", &path],
        &["parse", "--keys", &keys, "-v", "--unproven", "mails"],
        &["parse", "--keys", &keys, "--unproven", "mails"],
    ] {
        let ended = home.start(words).end();
        writeln!(text, "{}{}", ended.out, ended.err).unwrap();
    }
    text
}

/// Plants a text where the mail has it shown, and looks for it in what is printed: escaped, if it is
/// shown at all.
#[track_caller]
fn check_planted(name: &str, mail: &[u8], shown: bool) {
    let text = printed(name, mail);
    let raw = ['\u{202e}', '\u{200b}', '\u{feff}', '\u{e0041}'];
    assert!(!text.contains(raw), "one of {raw:?} stands in\n{text}");
    let odd = |letter: char| letter.is_control() && letter != '\n';
    assert!(!text.contains(odd), "a control character stands in\n{text}");
    let escaped = "\\u{1b}[2j\\u{7}\\u{9b}31m\\u{202e}\\u{200b}\\u{feff}\\u{e0041}";
    assert_eq!(text.contains(escaped), shown, "{text}");
}

#[test]
fn mail_text_is_escaped_wherever_it_is_shown() {
    let plain = token_mail().bytes().unwrap();
    let subject = TokenMail {
        subject: Subject::Custom(format!("Your Salesforce token {ODD}")),
        ..token_mail()
    };
    check_planted("subject.eml", &subject.bytes().unwrap(), true);
    let folded = replaced(
        &plain,
        "Subject: ",
        &format!("Subject: {ODD} Salesforce token "),
    );
    check_planted("raw-subject.eml", &folded, true);
    let from = replaced(&plain, "From: ", &format!("From: {ODD}"));
    check_planted("from.eml", &from, true);
    let id = replaced(&plain, "Message-ID: <", &format!("Message-ID: <{ODD}"));
    check_planted("message-id.eml", &id, true);
    let parts = TokenMail {
        structure: Structure::Alternative,
        ..token_mail()
    };
    let parts = String::from_utf8(parts.bytes().unwrap()).unwrap();
    let parts = parts.replace("----=_Part", &format!("{ODD}Part"));
    check_planted("boundary.eml", parts.as_bytes(), true);
    let charset = replaced(&plain, "charset=UTF-8", &format!("charset=\"{ODD}\""));
    check_planted("charset.eml", &charset, true);
    let encoding = replaced(
        &plain,
        "Content-Transfer-Encoding: ",
        &format!("Content-Transfer-Encoding: {ODD}"),
    );
    check_planted("encoding.eml", &encoding, true);
    check_planted(&format!("{ODD}.eml"), &plain, true);
}

/// Tags hold printable ASCII (RFC 6376, 3.2); another one makes the field unreadable, and not shown.
#[test]
fn tags_of_a_signature_are_escaped_or_not_shown() {
    let good = signed(&token_mail(), |_| {});
    for (old, new) in [
        ("d=salesforce.com", format!("d=salesforce.com{ODD}")),
        ("s=s1", format!("s=s1{ODD}")),
        ("h=", format!("h={ODD}:")),
        ("a=", format!("a={ODD}")),
        ("c=", format!("c={ODD}")),
        (
            "DKIM-Signature: ",
            format!("DKIM-Signature: i={ODD}@salesforce.com; "),
        ),
    ] {
        check_planted("tag.eml", &replaced(&good, old, &new), false);
    }
}

#[test]
fn a_token_is_in_no_detail() {
    let mail = TokenMail {
        subject: Subject::Custom(format!("Your Salesforce security token {TOKEN}")),
        structure: Structure::Alternative,
        ..token_mail()
    };
    let marked = signed(&mail, |signer| {
        signer.more.push(format!("i={TOKEN}@salesforce.com"))
    });
    let marked = replaced(&marked, "From: ", &format!("From: {TOKEN} "));
    let marked = replaced(&marked, "h=", &format!("h={TOKEN}:"));
    let marked = String::from_utf8(marked)
        .unwrap()
        .replace("----=_Part", &format!("{TOKEN}="));
    for mail in [marked.as_bytes(), &token_mail().bytes().unwrap()] {
        let text = printed("marked.eml", mail);
        assert!(text.contains("held    fields"), "{text}");
        assert!(!text.contains(TOKEN), "{text}");
    }
}

/// Every word and every line's length: no mail of the corpus is told in an unfit way.
#[test]
fn every_mail_of_the_corpus_is_told() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let home = Home::new();
    let folder = root.join("fixtures/mails");
    let ended = home
        .start(&[
            "parse",
            "-v",
            folder.to_str().unwrap(),
            "--dns",
            "127.0.0.1:1",
            "--unproven",
        ])
        .end();
    let mails = files_below(&folder);
    let mails = mails
        .iter()
        .filter(|(path, _)| path.extension().is_some_and(|ext| ext == "eml"));
    assert_eq!(ended.out.matches("\n  checked\n").count(), mails.count());
    for line in ended.out.lines() {
        assert!(line.chars().count() < 260, "{line}");
        assert_eq!(line.trim_end(), line, "blanks at the end");
    }
}
