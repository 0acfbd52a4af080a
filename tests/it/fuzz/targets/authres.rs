//! Any fields on top of a token mail that only the provider's word can prove: what
//! Authentication-Results says, and what an attacker makes it seem to say.
//!
//! What must hold: found only if the block of our id, read here by other and laxer means, has a
//! `dkim=pass` that names the domain; nobody is asked; what stands below the block has no say.

use std::sync::LazyLock;

use sftoken::ingest::event::{Proof, ProofMethod};
use sftoken::ingest::mail::Field;
use sftoken::ingest::policy::Demand;
use sftoken::testing::sign::Signer;
use sftoken::{Found, KeyAnswers, Mail, Outcome, Policy, Recipe, examine, questions};

use super::examine::now;
use super::mail_text::{SIGNING, UNSIGNED, in_lines};

/// The provider's name, that of most fixtures.
const ID: &str = "mx.example.com";

/// What an attacker would like to be read.
const FORGED: &[u8] =
    b"X-Below: 1\r\nAuthentication-Results: mx.example.com; dkim=pass header.d=salesforce.com\r\n";

/// The mail below the fields, and the same as it was sent: with its signature.
static MAILS: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| {
    let signer = Signer::new(&SIGNING, "salesforce.com", "ed");
    let mail = UNSIGNED.as_bytes();
    [mail.to_vec(), signer.sign(mail)]
});

/// The first byte chooses the mail and the policy, the rest are the fields.
pub(crate) fn run(data: &[u8]) {
    let Some((&bits, fields)) = data.split_first() else {
        return;
    };
    let policy = policy(bits);
    let mail = &MAILS[usize::from(bits & 1)];
    let top = top(fields);
    let bytes = [&top[..], mail].concat();
    let mail_of_it = Mail::parse(&bytes);
    let outcome = judge(&mail_of_it, &policy);
    let block = block(mail_of_it.fields());
    if let Outcome::Found(found) = &outcome {
        check_found(found, &block);
    }
    // else what is put below might be the block
    if !block.is_empty() {
        let longer = [&top[..], FORGED, mail].concat();
        let other = judge(&Mail::parse(&longer), &policy);
        assert_eq!(word(&outcome), word(&other), "what stands below has a say");
    }
}

fn policy(bits: u8) -> Policy {
    let either = bits & 2 != 0;
    Policy {
        demand: if either {
            Demand::Either
        } else {
            Demand::AuthenticationResults
        },
        authserv_id: Some(ID.to_owned()),
        ..Policy::default()
    }
}

/// The fields in lines, none of them empty, so that the mail's own follow.
fn top(fields: &[u8]) -> Vec<u8> {
    let lines = fields.split(|&byte| byte == b'\n');
    let full = lines.map(in_lines).filter(|line| !line.is_empty());
    full.flat_map(|line| [&line[..], b"\r\n"].concat())
        .collect()
}

/// No key is there: what is found, is found by the provider's word.
fn judge(mail: &Mail<'_>, policy: &Policy) -> Outcome {
    let recipes = Recipe::built_in();
    let names = questions(mail, policy, recipes, now());
    assert!(policy.demand == Demand::Either || names.is_empty());
    let answers = KeyAnswers::default().answering(names.iter().map(String::as_str));
    examine(mail, &answers, policy, recipes, now())
}

fn word(outcome: &Outcome) -> Result<Proof, String> {
    match outcome {
        Outcome::Found(found) => Ok(found.proof.clone()),
        other => Err(format!("{other:?}")),
    }
}

fn check_found(found: &Found, block: &[Plain]) {
    assert_eq!(found.proof.method, ProofMethod::AuthenticationResults);
    let domain = found.proof.domain.as_deref().unwrap();
    assert_eq!(domain, "salesforce.com");
    assert!(block.iter().all(|field| field.whole), "found in {block:?}");
    let passes = block.iter().any(|field| field.passes(domain));
    assert!(passes, "found without a pass: {block:?}");
}

/// The Authentication-Results fields of our id from the first of them, until any other field.
fn block(fields: &[Field<'_>]) -> Vec<Plain> {
    let plain = |field: &Field<'_>| {
        let is_results = field.is("authentication-results");
        let plain = is_results.then(|| Plain::of(field.value))?;
        plain.is_of(ID).then_some(plain)
    };
    let fields = fields.iter().map(plain);
    fields
        .skip_while(Option::is_none)
        .map_while(|it| it)
        .collect()
}

/// A field's text in which comments are blanks, and what is quoted means nothing.
#[derive(Debug)]
struct Plain {
    text: String,
    /// Every comment and quotation ends, and all of it is UTF-8.
    whole: bool,
}

impl Plain {
    fn of(value: &[u8]) -> Self {
        let text = String::from_utf8_lossy(value);
        let mut chars = text.chars();
        let mut out = String::new();
        let ended = loop {
            match chars.next() {
                None => break Some(()),
                Some('(') if skip_comment(&mut chars).is_none() => break None,
                Some('(') => out.push(' '),
                Some('"') => {
                    out.push('"');
                    if quote(&mut chars, &mut out).is_none() {
                        break None;
                    }
                    out.push('"');
                }
                Some(ch) => out.push(ch),
            }
        };
        Self {
            text: out,
            whole: ended.is_some() && std::str::from_utf8(value).is_ok(),
        }
    }

    fn is_of(&self, id: &str) -> bool {
        let text = self.text.trim_start_matches([' ', '\t', '\r', '\n']);
        let told = match text.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').map(|(told, _)| told),
            None => {
                let token = |ch: char| ch.is_ascii_graphic() && !"()<>@,;:\\\"/[]?=".contains(ch);
                text.split(|ch| !token(ch)).next()
            }
        };
        told.is_some_and(|told| told.eq_ignore_ascii_case(id))
    }

    /// Whether a result is `dkim=pass` and speaks of the domain.
    fn passes(&self, domain: &str) -> bool {
        let text = self.text.to_ascii_lowercase();
        text.split(';').skip(1).any(|result| {
            let rest = behind(result, "dkim");
            let rest = rest.map(|rest| {
                let version = behind(rest, "/").and_then(|rest| behind(rest, "1"));
                version.unwrap_or(rest)
            });
            let rest = rest.and_then(|rest| behind(rest, "="));
            let rest = rest.and_then(|rest| behind(rest, "pass"));
            rest.is_some_and(|rest| rest.starts_with(char::is_whitespace) && rest.contains(domain))
        })
    }
}

fn behind<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    text.trim_start().strip_prefix(word)
}

fn skip_comment(chars: &mut std::str::Chars<'_>) -> Option<()> {
    let mut depth = 1_usize;
    while depth > 0 {
        match chars.next()? {
            '(' => depth += 1,
            ')' => depth -= 1,
            '\\' => drop(chars.next().filter(|&ch| is_text(ch))?),
            ch if !is_text(ch) => return None,
            _ => {}
        }
    }
    Some(())
}

/// What is quoted, with a sign of no meaning for each that has one.
fn quote(chars: &mut std::str::Chars<'_>, out: &mut String) -> Option<()> {
    loop {
        let ch = match chars.next()? {
            '"' => return Some(()),
            '\r' | '\n' => continue,
            '\\' => chars.next()?,
            ch => ch,
        };
        let means = ch.is_whitespace() || ";()\"=/".contains(ch);
        out.push(is_text(ch).then_some(if means { '\u{1}' } else { ch })?);
    }
}

fn is_text(ch: char) -> bool {
    !ch.is_control() || matches!(ch, '\t' | '\r' | '\n')
}
