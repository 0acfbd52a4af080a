//! What `wait` says when time is up: how far each token got, and what to look at.
//!
//! Knows receipts and the mails that did not serve. Never waits. Both come from the library, when a wait has ended
//! without every token.

use std::time::Duration;

use super::exit::{Exit, Failure};
use super::receipts::Tally;
use crate::ingest::event::Receipt;
use crate::ingest::refusal::NotOurs;
use crate::watch::{Trouble, Verdict};

/// What to look at when nothing came, in the order of likelihood (Salesforce's help on resets).
const NOTHING_CAME: &str = "was the reset confirmed? If it was, look at these in turn:
1. API-only users get no mail: the permission \"API Only User\" hides the reset
2. login IP ranges in the user's profile: Salesforce sends no token then
3. a sandbox's address may end in .invalid since its last refresh: correct it
4. Setup > Deliverability must not be \"No access\"
5. the junk folder, a filter or a gateway may have the mail: watch that folder too
6. a mail may take up to 24 hours: wait again with --since, or let sftoken watch run";

/// How far a token got that did not get all the way, in the order in which it is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Got {
    /// No mail brought one.
    Nowhere,
    /// A genuine mail brought it, and no store has it.
    Here,
    /// Some of the stores have it.
    Partly,
    /// All of them have it, and nobody could try it.
    Stored,
}

impl Got {
    const ALL: [Self; 4] = [Self::Nowhere, Self::Here, Self::Partly, Self::Stored];

    fn of(username: &str, stored: &[Receipt], seen: &[Verdict]) -> Self {
        let mut troubles = seen.iter().filter_map(|verdict| match verdict {
            Verdict::Open(report, trouble) if report.username.as_deref() == Some(username) => {
                Some(trouble)
            }
            _ => None,
        });
        let is_stored = stored
            .iter()
            .any(|receipt| receipt.report.username.as_deref() == Some(username));
        // each look tells first of the stores, and then of the log-in
        let (last, before) = (troubles.next_back(), troubles.next_back());
        let is_log_in = |trouble| matches!(trouble, Some(&Trouble::LogIn { .. }));
        match (is_stored, last) {
            (true, last) if is_log_in(last) && !matches!(before, Some(Trouble::Store(_))) => {
                Self::Stored
            }
            (true, _) => Self::Partly,
            (false, Some(_)) => Self::Here,
            (false, None) => Self::Nowhere,
        }
    }

    fn sentence(self, names: &str, seconds: u64) -> String {
        match self {
            Self::Nowhere => format!("no token came within {seconds} s for {names}"),
            Self::Here => format!("the token of {names} came, and is not stored after {seconds} s"),
            Self::Partly => {
                format!("after {seconds} s, the token of {names} is stored in part only")
            }
            Self::Stored => format!(
                "the token of {names} is stored, and could not be tried at a log-in within {seconds} s"
            ),
        }
    }
}

/// The end of a wait for these accounts, some of whose tokens may be stored.
pub(crate) fn failure(
    missing: &[String],
    stored: &[Receipt],
    seen: &[Verdict],
    timeout: Duration,
) -> Failure {
    let mut tally = Tally::default();
    for verdict in seen {
        tally.count(verdict);
    }
    let exit = match tally.exit(Exit::Nothing) {
        Exit::Done => Exit::Nothing,
        exit => exit,
    };
    let problems = Got::ALL.iter().filter_map(|&got| {
        let names = missing
            .iter()
            .filter(|name| Got::of(name, stored, seen) == got);
        let names: Vec<&str> = names.map(String::as_str).collect();
        (!names.is_empty()).then(|| got.sentence(&names.join(", "), timeout.as_secs()))
    });
    let problems: Vec<String> = problems.collect();
    let hint = seen
        .iter()
        .rev()
        .find_map(reason)
        .unwrap_or_else(|| NOTHING_CAME.to_owned());
    Failure::new(exit, problems.join("; "), hint)
}

/// Why the last mail that came did not serve.
fn reason(verdict: &Verdict) -> Option<String> {
    use Verdict::{Open, Settled};
    match verdict {
        Open(report, trouble) => Some(format!(
            "{} is kept: {trouble}; {}",
            report.source,
            trouble.hint()
        )),
        Settled(receipt) => {
            let why = receipt.report.reason.as_deref()?;
            (why != NotOurs::NotCandidate.kind()).then(|| {
                format!(
                    "{} came, and did not serve: {why} (docs/trust.md tells what it means)",
                    receipt.report.source
                )
            })
        }
    }
}
