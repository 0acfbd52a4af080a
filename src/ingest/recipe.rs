//! What counts as a token mail, and where username and token stand in it.
//!
//! Knows subjects, labels and the structure of the two lines. Never knows how the mail was proven:
//! it takes the token only from an [`Authentic`]. Its data is `recipes/*.toml`.

use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;

use super::authentic::Authentic;
use super::label::{Entry, folded};
use super::policy::{Account, Org};
use super::refusal::Refusal;
use super::text::{Line, View};
use super::token::Token;

/// What counts as one kind of mail: data, read once.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Its name.
    pub name: String,
    subject: Subjects,
    words: Words,
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
        for list in [
            &mut recipe.subject.exact,
            &mut recipe.words.token,
            &mut recipe.words.username,
            &mut recipe.words.attested_username,
        ] {
            for word in list {
                *word = folded(word);
            }
        }
        Ok(recipe)
    }

    /// What a decoded subject says.
    #[must_use]
    pub fn subject(&self, subject: &str) -> Subject {
        let (text, org) = self.without_prefix(subject.trim());
        let plain = folded(text);
        let speaks = || {
            plain.contains(&self.subject.brand)
                && self
                    .words
                    .token
                    .iter()
                    .any(|word| plain.contains(word.as_str()))
        };
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
        let front = plain.split_once(':').map_or("", |(front, _)| front.trim());
        self.subject
            .answer_prefixes
            .iter()
            .any(|prefix| prefix == front)
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

    /// The usernames that stand where a token line follows, in any text of the mail: tells whether
    /// it claims to be a token mail. Nothing is taken from it.
    #[must_use]
    pub fn claimed_usernames(&self, views: &[View], accounts: &[Account]) -> Vec<String> {
        let mut names = Vec::new();
        for view in views {
            let lines: Vec<&str> = view.iter().map(|line| line.text.as_str()).collect();
            let entries = Entry::all(&lines, accounts);
            let pairs = self.pairs(&entries);
            names.extend(
                pairs
                    .iter()
                    .filter_map(|&at| Some(entries[at - 1].username()?.to_owned())),
            );
        }
        names
    }

    /// Username and token of a genuine mail: exactly one of each, the same in every view.
    ///
    /// # Errors
    /// When there is none, more than one, or the views differ.
    pub fn find(&self, mail: &Authentic<'_>, accounts: &[Account]) -> Result<Match, Refusal> {
        let views = mail.mail().views()?;
        let found: Vec<_> = views.iter().map(|view| self.read(view, accounts)).collect();
        let said: Vec<_> = found
            .iter()
            .filter_map(|found| found.as_ref().ok())
            .collect();
        match said.first() {
            Some(first) if said.len() == found.len() && said.iter().all(|said| said == first) => {
                let (username, token) = (first.0.clone(), first.1.clone());
                Ok(Match { username, token })
            }
            _ => Err(worst(&found)),
        }
    }

    /// Reads one view.
    fn read(&self, view: &[Line], accounts: &[Account]) -> Result<(String, Token), Refusal> {
        self.check_unseen(view, accounts)?;
        let lines: Vec<&str> = view
            .iter()
            .filter(|line| line.visible)
            .map(|line| line.text.as_str())
            .collect();
        let entries = Entry::all(&lines, accounts);
        let labelled_tokens = self.count(&entries, Self::is_token_label);
        let labelled_names = self.count(&entries, Self::is_username_label);
        if labelled_tokens > 1 {
            return Err(Refusal::TokenAmbiguous);
        }
        if labelled_names > 1 {
            return Err(Refusal::UsernameAmbiguous);
        }
        let pairs = self.pairs(&entries);
        match pairs.as_slice() {
            [at] => self.take(&entries, *at),
            [] => Err(self.missing(&entries)),
            _ => Err(Refusal::TokenAmbiguous),
        }
    }

    /// Where a username line is followed by a token line: the places of the token lines.
    fn pairs(&self, entries: &[Entry<'_>]) -> Vec<usize> {
        let is_pair = |at: &usize| {
            let (name, token) = (&entries[at - 1], &entries[*at]);
            name.username().is_some()
                && token.follows(name)
                && (self.is_token_label(token)
                    || (token.is_plainly_token() && !self.is_attested(name)))
        };
        (1..entries.len()).filter(is_pair).collect()
    }

    /// Takes username and token from the pair that ends at `at`; labels that are known must be its
    /// own.
    fn take(&self, entries: &[Entry<'_>], at: usize) -> Result<(String, Token), Refusal> {
        let elsewhere = |is_label: fn(&Self, &Entry<'_>) -> bool, own: usize| {
            entries
                .iter()
                .enumerate()
                .any(|(other, entry)| other != own && is_label(self, entry))
        };
        if elsewhere(Self::is_token_label, at) {
            return Err(Refusal::TokenAmbiguous);
        }
        if elsewhere(Self::is_username_label, at - 1) {
            return Err(Refusal::UsernameAmbiguous);
        }
        let username = entries[at - 1].username().ok_or(Refusal::UsernameMissing)?;
        if entries[at].value.is_empty() {
            return Err(Refusal::TokenMissing);
        }
        let value = entries[at].token().ok_or(Refusal::TokenInvalid)?;
        if entries[at].goes_on {
            return Err(Refusal::TokenInvalid);
        }
        let token = Token::new(value).map_err(|_| Refusal::TokenInvalid)?;
        Ok((username.to_owned(), token))
    }

    /// What is missing where there is no pair.
    fn missing(&self, entries: &[Entry<'_>]) -> Refusal {
        let token = entries.iter().find(|entry| self.is_token_label(entry));
        let name = entries.iter().find_map(|entry| entry.username());
        match (name, token) {
            (None, _) => Refusal::UsernameMissing,
            (Some(_), Some(token)) if token.token().is_none() && !token.value.is_empty() => {
                Refusal::TokenInvalid
            }
            (Some(_), Some(token)) if token.token().is_some() => Refusal::UsernameMissing,
            (Some(_), _) => Refusal::TokenMissing,
        }
    }

    /// A label in text that nobody sees makes the mail ambiguous: who hides text has a reason.
    fn check_unseen(&self, view: &[Line], accounts: &[Account]) -> Result<(), Refusal> {
        let unseen: Vec<&str> = view
            .iter()
            .filter(|line| !line.visible)
            .map(|line| line.text.as_str())
            .collect();
        let entries = Entry::all(&unseen, accounts);
        let pair = (1..entries.len())
            .any(|at| entries[at - 1].username().is_some() && entries[at].is_plainly_token());
        if pair || self.count(&entries, Self::is_token_label) > 0 {
            return Err(Refusal::TokenAmbiguous);
        }
        if self.count(&entries, Self::is_username_label) > 0 {
            return Err(Refusal::UsernameAmbiguous);
        }
        Ok(())
    }

    fn count(&self, entries: &[Entry<'_>], is_label: fn(&Self, &Entry<'_>) -> bool) -> usize {
        entries.iter().filter(|entry| is_label(self, entry)).count()
    }

    /// A known token label; or a label that speaks of the token, in front of a bare token.
    fn is_token_label(&self, entry: &Entry<'_>) -> bool {
        entry.is_labelled(&self.words.token)
            || (entry.token().is_some()
                && self
                    .words
                    .token
                    .iter()
                    .any(|word| entry.label.contains(word.as_str())))
    }

    /// A label of a language whose token mail has been seen: there the token's label is known too,
    /// and another one names another thing, such as an org's id.
    fn is_attested(&self, entry: &Entry<'_>) -> bool {
        entry.is_labelled(&self.words.attested_username)
    }

    fn is_username_label(&self, entry: &Entry<'_>) -> bool {
        entry.is_labelled(&self.words.username)
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
