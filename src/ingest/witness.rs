//! Who is told what an examination sees, while it sees it.
//!
//! Knows the gates and how each can end. Never decides anything: the gates do, and tell. `Nobody`
//! listens in [`examine`](super::examine) and costs nothing; an
//! [`Explanation`](super::explain::Explanation) listens in [`explain`](super::explain::explain).

use std::fmt;

use super::event::Proof;
use super::keys::KeyAnswer;
use super::recipe::SubjectForm;
use super::refusal::{NotOurs, Pending, Refusal};
use super::token::Token;

/// A gate of `docs/trust.md`, in its order. The last one there, the order of tokens, is where a
/// token is stored, and no part of an examination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Gate {
    /// Does it claim to bring a token?
    Claim,
    /// Octets and header fields.
    Fields,
    /// The one address in From.
    Sender,
    /// The signature.
    Proof,
    /// The Date.
    Date,
    /// MIME structure, encodings, charsets.
    Structure,
    /// One username and one token.
    Token,
    /// One of our accounts.
    Account,
}

impl Gate {
    /// Every gate, in order.
    pub const ALL: [Self; 8] = [
        Self::Claim,
        Self::Fields,
        Self::Sender,
        Self::Proof,
        Self::Date,
        Self::Structure,
        Self::Token,
        Self::Account,
    ];

    /// One word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Claim => "claim",
            Self::Fields => "fields",
            Self::Sender => "sender",
            Self::Proof => "proof",
            Self::Date => "date",
            Self::Structure => "structure",
            Self::Token => "token",
            Self::Account => "account",
        }
    }
}

/// How a gate, or one proof among several, ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Held,
    /// Nobody asked for it (`--unproven`).
    Waived,
    /// The mail is none of our business.
    NotOurs(NotOurs),
    /// It does not hold.
    Refused(Refusal),
    /// It cannot be told yet.
    Unknown(Pending),
    /// Something before it has decided already.
    NotReached,
}

impl Verdict {
    /// The stable word of the reason, where there is one.
    #[must_use]
    pub fn kind(self) -> Option<&'static str> {
        match self {
            Self::Held | Self::Waived | Self::NotReached => None,
            Self::NotOurs(why) => Some(why.kind()),
            Self::Refused(why) => Some(why.kind()),
            Self::Unknown(why) => Some(why.kind()),
        }
    }

    /// What a person can do about it; empty where nothing is to be done.
    #[must_use]
    pub fn hint(self) -> &'static str {
        match self {
            Self::Held | Self::Waived | Self::NotReached => "",
            Self::NotOurs(why) => why.hint(),
            Self::Refused(why) => why.hint(),
            Self::Unknown(why) => why.hint(),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held => f.write_str("holds"),
            Self::Waived => f.write_str("not asked for"),
            Self::NotReached => f.write_str("not looked at"),
            Self::NotOurs(why) => why.fmt(f),
            Self::Refused(why) => why.fmt(f),
            Self::Unknown(why) => why.fmt(f),
        }
    }
}

impl From<NotOurs> for Verdict {
    fn from(why: NotOurs) -> Self {
        Self::NotOurs(why)
    }
}

impl From<Refusal> for Verdict {
    fn from(why: Refusal) -> Self {
        Self::Refused(why)
    }
}

impl From<Pending> for Verdict {
    fn from(why: Pending) -> Self {
        Self::Unknown(why)
    }
}

/// How many labels stand in the visible text of one view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Labels {
    /// Labels of a token.
    pub token: usize,
    /// Labels of a username.
    pub username: usize,
}

/// Hears what the gates see. Every method may do nothing, and then costs nothing.
pub(super) trait Witness {
    /// How a gate ended; hands the result on.
    fn gate<T, E: Copy + Into<Verdict>>(
        &mut self,
        _gate: Gate,
        result: Result<T, E>,
    ) -> Result<T, E> {
        result
    }

    /// What the header says: how well the subject is known, and whether From or a signature speaks
    /// of a trusted domain.
    fn claim(&mut self, _form: SubjectForm, _named: bool) {}

    /// The usernames in front of a token, where the body had to tell what the mail is.
    fn claimed(&mut self, _usernames: &[String]) {}

    /// How the signatures were judged before any key was asked for, in the order of the mail.
    fn judged<T, E: Copy + Into<Verdict>>(&mut self, _signatures: &[Result<T, E>]) {}

    /// The name that the N-th signature's key was looked up by, and the answer.
    fn key(&mut self, _at: usize, _name: &str, _answer: &KeyAnswer) {}

    /// How the N-th signature ended.
    fn signature<T, E: Copy + Into<Verdict>>(&mut self, _at: usize, _checked: &Result<T, E>) {}

    /// What the mailbox's provider says of the mail's origin.
    fn provider(&mut self, _word: &Result<Proof, Refusal>) {}

    /// The labels of the view that is being read.
    fn labels(&mut self, _labels: Labels) {}

    /// What one view gave.
    fn view(&mut self, _found: &Result<(String, Token), Refusal>) {}
}

/// Nobody listens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nobody;

impl Witness for Nobody {}
