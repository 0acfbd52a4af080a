//! A variable that a consumer wants, and the variable that it gets.
//!
//! Knows how `NAME` and `NAME=FIELD` are read. Never shows a value. Names come from the user or from a
//! preset, values from a log-in.

use std::fmt;

use zeroize::Zeroizing;

use super::field::{Field, Login};

/// The variable that holds the token when nobody says otherwise.
pub const DEFAULT_NAME: &str = "SF_SECURITY_TOKEN";

/// A variable that a consumer wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its name.
    pub name: String,
    /// What is to stand in it.
    pub field: Field,
    /// Whether it is left out where no password is known.
    pub if_known: bool,
}

/// A variable with its value, which is wiped when it is dropped; `Debug` is redacted.
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Zeroizing<String>,
    /// Whether the value holds the token or the password.
    pub secret: bool,
}

/// The text names no variable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAVariable {
    /// POSIX shells, and the tools around them, take no other names.
    #[error("{0:?} is not the name of a variable: letters, digits and _, no digit in front")]
    Name(String),
    /// Nothing of a log-in is called so.
    #[error("{0:?} is not a part of a log-in: {fields}", fields = Field::ALL.map(Field::word).join(", "))]
    Field(String),
}

/// A variable wants a password, and none is known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} wants the password, and none is configured for the account")]
pub struct NoPassword {
    /// The variable.
    pub name: String,
}

impl Wanted {
    pub(super) fn named(name: &str, field: Field, if_known: bool) -> Self {
        Self {
            name: name.to_owned(),
            field,
            if_known,
        }
    }

    /// The token, under its usual name.
    #[must_use]
    pub fn usual() -> Self {
        Self::named(DEFAULT_NAME, Field::Token, false)
    }

    /// Reads `NAME` (the token) or `NAME=FIELD`.
    ///
    /// # Errors
    /// When the name is none that a shell takes, or there is no such field.
    pub fn parse(text: &str) -> Result<Self, NotAVariable> {
        let (name, word) = text.split_once('=').unwrap_or((text, Field::Token.word()));
        if !is_name(name) {
            return Err(NotAVariable::Name(name.to_owned()));
        }
        let field = Field::ALL.into_iter().find(|field| field.word() == word);
        let field = field.ok_or_else(|| NotAVariable::Field(word.to_owned()))?;
        Ok(Self::named(name, field, false))
    }
}

fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.bytes().all(fits)
        && text
            .bytes()
            .next()
            .is_some_and(|byte| !byte.is_ascii_digit())
}

/// The variables that are wanted of a log-in, in their order.
///
/// # Errors
/// When one cannot do without a password that is not known.
pub fn variables(login: &Login<'_>, wanted: &[Wanted]) -> Result<Vec<Variable>, NoPassword> {
    let mut variables = Vec::with_capacity(wanted.len());
    for Wanted {
        name,
        field,
        if_known,
    } in wanted
    {
        match field.of(login) {
            Some(value) => variables.push(Variable {
                name: name.clone(),
                value,
                secret: field.is_secret(),
            }),
            None if *if_known => {}
            None => return Err(NoPassword { name: name.clone() }),
        }
    }
    Ok(variables)
}

impl fmt::Debug for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Variable({}, redacted)", self.name)
    }
}
