//! One run of a store's program, with a token or without.
//!
//! Knows that what the program was given, or gives back, is a token, so that its last words are told without it.
//! Never leaves the token in an argument or the environment. Everything about the run comes from [`Call`].

use std::io;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::ingest::token::Token;
use crate::process;
use crate::store::token_in;

/// What to run.
pub(super) struct Call<'a> {
    pub(super) program: &'a Path,
    pub(super) arguments: &'a [String],
    /// Variables that are kept from it, whatever they are called.
    pub(super) private: &'a [String],
    /// Credentials of our environment that the program may see.
    pub(super) kept: &'a [String],
    pub(super) deadline: Duration,
    /// What is told to it in the environment.
    pub(super) told: Vec<(&'static str, String)>,
    pub(super) input: Option<&'a Token>,
}

/// How it ended.
pub(super) struct Ended {
    /// `None`: not in time.
    pub(super) status: Option<ExitStatus>,
    /// The first bytes of standard output.
    pub(super) output: Zeroizing<Vec<u8>>,
    /// The end of an error text: what it said last, or nothing.
    pub(super) last_words: String,
}

impl Call<'_> {
    /// Runs the program to its end, or ends it.
    pub(super) fn run(&self) -> io::Result<Ended> {
        let call = process::Call {
            program: self.program,
            arguments: self.arguments,
            private: self.private,
            kept: self.kept,
            deadline: self.deadline,
            told: self.told.clone(),
            input: self.input.map_or(&[], |token| token.expose().as_bytes()),
        };
        let ended = call.run()?;
        let given_back = token_in(&ended.output);
        let token = self.input.or(given_back.as_ref());
        Ok(Ended {
            status: ended.status,
            last_words: ended.last_words(token),
            output: ended.output,
        })
    }
}
