//! The words that labels are known by.
//!
//! Knows what a folded label names: the token, the username, or something else. Never sees a line
//! or a value. Filled from a recipe, once.

use std::collections::HashMap;

use super::fold::folded;

/// What a label names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The token.
    Token,
    /// The username; in a language whose whole mail has been seen (`attested`) the token's label is
    /// known too, and another one names another thing, such as an org's id.
    Username { attested: bool },
    /// Nothing that matters.
    #[default]
    Other,
}

/// Words and what they mean.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    labels: HashMap<String, Meaning>,
    token: Vec<String>,
}

impl Vocabulary {
    /// Folds and files the words of a recipe.
    pub(super) fn new(token: &[String], username: &[String], attested: &[String]) -> Self {
        let mut labels = HashMap::new();
        let mut file = |words: &[String], meaning: Meaning| {
            labels.extend(words.iter().map(|word| (folded(word), meaning)));
        };
        file(username, Meaning::Username { attested: false });
        file(attested, Meaning::Username { attested: true });
        file(token, Meaning::Token);
        let token = token.iter().map(|word| folded(word)).collect();
        Self { labels, token }
    }

    /// What a whole label means.
    pub(super) fn meaning(&self, label: &str) -> Meaning {
        self.labels.get(label).copied().unwrap_or_default()
    }

    /// Whether a text speaks of the token.
    pub(super) fn speaks_of_token(&self, text: &str) -> bool {
        self.token.iter().any(|word| text.contains(word.as_str()))
    }
}
