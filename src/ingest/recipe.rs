//! What counts as a token mail, and where username and token stand in it.
//!
//! Knows subjects, labels and the structure of the two lines. Never knows how the mail was proven:
//! it takes the token only from an [`Authentic`]. Its data is `recipes/*.toml`.

use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;

use super::authentic::Authentic;
use super::fold::folded;
use super::label::{Entry, Known};
use super::policy::{Account, Org};
use super::refusal::Refusal;
use super::text::{Line, View};
use super::token::Token;
use super::vocabulary::{Meaning, Vocabulary};
use super::witness::{Gate, Labels, Nobody, Witness};

/// What counts as one kind of mail: data, read once.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Its name.
    pub name: String,
    subject: Subjects,
    words: Words,
    #[serde(skip)]
    vocabulary: Vocabulary,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Subjects {
    sandbox_prefixes: Vec<String>,
    answer_prefixes: Vec<String>,
    exact: Vec<String>,
    #[serde(deserialize_with = "pattern")]
    branded: Regex,
    brand: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    token: Vec<String>,
    username: Vec<String>,
    attested_username: Vec<String>,
}

/// How well a subject is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SubjectForm {
    /// It may be any mail's subject.
    Unknown,
    /// It speaks of a token of this brand, in some language: the body decides.
    Localised,
    /// A form that other senders use as well ("Your new Acme security token").
    Branded,
    /// A subject that only this mail has.
    Exact,
}

/// What the subject says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject {
    /// How well it is known.
    pub form: SubjectForm,
    /// A sandbox's prefix stands in front of it.
    pub org: Org,
}

/// Username and token of a genuine mail.
#[derive(Debug)]
pub struct Match {
    /// The username, as the mail spells it.
    pub username: String,
    /// The token.
    pub token: Token,
}

static BUILT_IN: LazyLock<Vec<Recipe>> = LazyLock::new(|| {
    let texts = [include_str!("recipes/salesforce.toml")];
    // A recipe that cannot be read is left out here, and fails the test that reads each.
    texts
        .iter()
        .filter_map(|text| Recipe::from_toml(text).ok())
        .collect()
});

impl Recipe {
    /// The built-in recipes.
    #[must_use]
    pub fn built_in() -> &'static [Self] {
        &BUILT_IN
    }

    /// Reads a recipe.
    ///
    /// # Errors
    /// When the text is not TOML of the shape of `recipes/salesforce.toml`.
    pub fn from_toml(text: &str) -> Result<Self, toml::de::Error> {
        let mut recipe: Self = toml::from_str(text)?;
        for subject in &mut recipe.subject.exact {
            *subject = folded(subject);
        }
        let words = &recipe.words;
        recipe.vocabulary =
            Vocabulary::new(&words.token, &words.username, &words.attested_username);
        Ok(recipe)
    }

    /// What a decoded subject says.
    #[must_use]
    pub fn subject(&self, subject: &str) -> Subject {
        let (text, org) = self.without_prefix(subject.trim());
        let plain = folded(text);
        let speaks =
            || plain.contains(&self.subject.brand) && self.vocabulary.speaks_of_token(&plain);
        let form = if self.is_answer(&plain) {
            SubjectForm::Unknown
        } else if self.subject.exact.contains(&plain) {
            SubjectForm::Exact
        } else if self.subject.branded.is_match(&plain) {
            SubjectForm::Branded
        } else if speaks() {
            SubjectForm::Localised
        } else {
            SubjectForm::Unknown
        };
        Subject { form, org }
    }

    /// An answer or a forward: somebody writes about such a mail.
    fn is_answer(&self, plain: &str) -> bool {
        let front = plain.split_once(':').map_or("", |(front, _)| front);
        // `Re[2]:`, `Re(2):`, `Re^2:`
        let front = front.trim_end_matches(|ch: char| ch.is_ascii_digit() || "[]()^ ".contains(ch));
        let mut prefixes = self.subject.answer_prefixes.iter();
        prefixes.any(|prefix| prefix == front)
    }

    fn known<'k>(&'k self, accounts: &'k [Account]) -> Known<'k> {
        let words = &self.vocabulary;
        Known { words, accounts }
    }

    fn without_prefix<'s>(&self, subject: &'s str) -> (&'s str, Org) {
        for prefix in &self.subject.sandbox_prefixes {
            let front = subject.get(..prefix.len()).unwrap_or_default();
            if front.eq_ignore_ascii_case(prefix) {
                return (subject[prefix.len()..].trim_start(), Org::Sandbox);
            }
        }
        (subject, Org::Production)
    }

    /// The usernames that stand where a token line follows: tells whether the mail claims to be a
    /// token mail. Nothing is taken from it. Text that nobody sees, or that is quoted, counts only
    /// when `unseen` is set.
    #[must_use]
    pub fn claimed_usernames(
        &self,
        views: &[View],
        accounts: &[Account],
        unseen: bool,
    ) -> Vec<String> {
        let mut names = Vec::new();
        for view in views {
            let lines = view.iter().filter(|line| unseen || line.visible);
            let entries = Entry::all(lines.map(|line| line.text.as_str()), self.known(accounts));
            let named = pairs(&entries).filter_map(|at| entries[at - 1].username);
            names.extend(named.map(str::to_owned));
        }
        names
    }

    /// Username and token of a genuine mail: exactly one of each, the same in every view.
    ///
    /// # Errors
    /// When there is none, more than one, or the views differ.
    pub fn find(&self, mail: &Authentic<'_>, accounts: &[Account]) -> Result<Match, Refusal> {
        self.find_before(&mut Nobody, mail, accounts)
    }

    /// [`find`](Self::find) before a witness.
    pub(super) fn find_before(
        &self,
        witness: &mut impl Witness,
        mail: &Authentic<'_>,
        accounts: &[Account],
    ) -> Result<Match, Refusal> {
        let views = witness.gate(Gate::Structure, mail.mail().views())?;
        let mut found = Vec::with_capacity(views.len());
        for view in views {
            let read = self.read(witness, view, accounts);
            witness.view(&read);
            found.push(read);
        }
        witness.gate(Gate::Token, agreed(&found))
    }

    /// Reads one view.
    fn read(
        &self,
        witness: &mut impl Witness,
        view: &[Line],
        accounts: &[Account],
    ) -> Result<(String, Token), Refusal> {
        self.check_unseen(view, accounts)?;
        let seen = view.iter().filter(|line| line.visible);
        let entries = Entry::all(seen.map(|line| line.text.as_str()), self.known(accounts));
        let labels = labels(&entries);
        witness.labels(labels);
        if labels.token > 1 {
            return Err(Refusal::TokenAmbiguous);
        }
        if labels.username > 1 {
            return Err(Refusal::UsernameAmbiguous);
        }
        let mut pairs = pairs(&entries);
        match (pairs.next(), pairs.next()) {
            (Some(at), None) => take(&entries, at),
            (None, _) => Err(missing(&entries)),
            _ => Err(Refusal::TokenAmbiguous),
        }
    }

    /// A label in text that nobody sees makes the mail ambiguous: who hides text has a reason.
    fn check_unseen(&self, view: &[Line], accounts: &[Account]) -> Result<(), Refusal> {
        if view.iter().all(|line| line.visible) {
            return Ok(());
        }
        let unseen = view.iter().filter(|line| !line.visible);
        let entries = Entry::all(unseen.map(|line| line.text.as_str()), self.known(accounts));
        let is_pair = |pair: &[Entry<'_>]| pair[0].username.is_some() && pair[1].could_be_token();
        let labels = labels(&entries);
        match (labels.token, labels.username) {
            (1.., _) => Err(Refusal::TokenAmbiguous),
            _ if entries.windows(2).any(is_pair) => Err(Refusal::TokenAmbiguous),
            (_, 1..) => Err(Refusal::UsernameAmbiguous),
            _ => Ok(()),
        }
    }
}

/// How many labels name the token, and how many the username.
fn labels(entries: &[Entry<'_>]) -> Labels {
    let count = |is: fn(Meaning) -> bool| entries.iter().filter(|entry| is(entry.meaning)).count();
    Labels {
        token: count(is_token),
        username: count(is_username),
    }
}

fn is_token(meaning: Meaning) -> bool {
    meaning == Meaning::Token
}

fn is_username(meaning: Meaning) -> bool {
    matches!(meaning, Meaning::Username { .. })
}

/// Where a username line is followed by a token line: the places of the token lines.
fn pairs(entries: &[Entry<'_>]) -> impl Iterator<Item = usize> {
    let is_pair = |at: &usize| {
        let (name, token) = (&entries[at - 1], &entries[*at]);
        let attested = name.meaning == Meaning::Username { attested: true };
        name.username.is_some()
            && token.follows(name)
            && (is_token(token.meaning) || (!attested && token.is_plainly_token()))
    };
    (1..entries.len()).filter(is_pair)
}

/// Takes username and token from the pair that ends at `at`; labels that are known must be its own.
fn take(entries: &[Entry<'_>], at: usize) -> Result<(String, Token), Refusal> {
    let elsewhere = |is_label: fn(Meaning) -> bool, own: usize| {
        let mut others = entries
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != own);
        others.any(|(_, entry)| is_label(entry.meaning))
    };
    if elsewhere(is_token, at) {
        return Err(Refusal::TokenAmbiguous);
    }
    if elsewhere(is_username, at - 1) {
        return Err(Refusal::UsernameAmbiguous);
    }
    let username = entries[at - 1].username.ok_or(Refusal::UsernameMissing)?;
    if entries[at].value.is_empty() {
        return Err(Refusal::TokenMissing);
    }
    let value = entries[at].token.ok_or(Refusal::TokenInvalid)?;
    if entries[at].goes_on {
        return Err(Refusal::TokenInvalid);
    }
    let token = Token::new(value).map_err(|_| Refusal::TokenInvalid)?;
    Ok((username.to_owned(), token))
}

/// What is missing where there is no pair.
fn missing(entries: &[Entry<'_>]) -> Refusal {
    let token = entries.iter().find(|entry| is_token(entry.meaning));
    let is_named = entries.iter().any(|entry| entry.username.is_some());
    match token {
        _ if !is_named => Refusal::UsernameMissing,
        Some(token) if token.token.is_some() => Refusal::UsernameMissing,
        Some(token) if !token.value.is_empty() => Refusal::TokenInvalid,
        _ => Refusal::TokenMissing,
    }
}

/// The one pair that all views give.
fn agreed(found: &[Result<(String, Token), Refusal>]) -> Result<Match, Refusal> {
    let said: Vec<_> = found
        .iter()
        .filter_map(|found| found.as_ref().ok())
        .collect();
    match said.first() {
        Some(first) if said.len() == found.len() && said.iter().all(|said| said == first) => {
            let (username, token) = (first.0.clone(), first.1.clone());
            Ok(Match { username, token })
        }
        _ => Err(worst(found)),
    }
}

/// Of several views that do not agree: an ambiguous one, else a difference, else what all lack.
fn worst(found: &[Result<(String, Token), Refusal>]) -> Refusal {
    let ambiguous = [
        Refusal::TokenAmbiguous,
        Refusal::UsernameAmbiguous,
        Refusal::TokenInvalid,
    ];
    let said: Vec<Refusal> = found
        .iter()
        .filter_map(|found| found.as_ref().err().copied())
        .collect();
    let first = said.iter().find(|refusal| ambiguous.contains(refusal));
    match first {
        Some(refusal) => *refusal,
        None if said.len() == found.len() => {
            said.first().copied().unwrap_or(Refusal::UsernameMissing)
        }
        None => Refusal::PartsDisagree,
    }
}

fn pattern<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Regex, D::Error> {
    let text = String::deserialize(from)?;
    Regex::new(&text).map_err(serde::de::Error::custom)
}

#[cfg(test)]
#[path = "recipe_tests.rs"]
mod tests;
