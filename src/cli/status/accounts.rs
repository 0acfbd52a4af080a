//! Accounts, as `status` shows them: age, slots, log-in, and what comes after.
//!
//! Knows which states there are, and which one of several counts. Never asks a store: what it holds is known from the
//! ledger, and a store is opened only to name its slot. Everything comes from the configuration and the ledger.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::cli::engine;
use crate::cli::exit::{Exit, Failure};
use crate::cli::follow::Followers;
use crate::config::{self, Config, DEFAULT_MAX_AGE};
use crate::ingest::event::Receipt;
use crate::ingest::policy::Org;
use crate::ledger::{Ledger, LoginState, Since, State, StepResult};
use crate::store::Key;
use crate::watch::age_state;

/// One account, as `status --json` prints it.
#[derive(Debug, Serialize)]
pub(super) struct AccountLine {
    pub(super) username: String,
    pub(super) org: Option<Org>,
    /// `ok`, `due` (nine tenths of `max_age`), `overdue`, `missing`, or `failing`: something below went wrong.
    pub(super) state: &'static str,
    /// Of the slot that is read.
    pub(super) slot: Option<String>,
    pub(super) fingerprint: Option<String>,
    pub(super) date: Option<String>,
    pub(super) stored_at: Option<String>,
    pub(super) age_seconds: Option<i64>,
    pub(super) max_age_seconds: i64,
    /// Whether the token logs in; `null` when nobody tried, or nobody knows.
    pub(super) verified: Option<bool>,
    /// Every slot that is to have the token.
    pub(super) slots: Vec<SlotLine>,
    /// The last log-in, if it was not answered with yes.
    pub(super) login: Option<LoginLine>,
    /// Hooks, tests of consumers and messages, each as it went last.
    pub(super) steps: Vec<StepLine>,
    /// Of them, how many are still to be done.
    pub(super) waiting: usize,
    /// The state of its age alone.
    #[serde(skip)]
    pub(super) age: &'static str,
    /// Nobody looks after it any more: it is shown, and no alarm.
    #[serde(skip)]
    pub(super) is_of_the_past: bool,
}

/// A place for the token.
#[derive(Debug, Serialize)]
pub(super) struct SlotLine {
    pub(super) slot: String,
    /// `ok`, `behind` (another slot has a newer token), `pending`, `empty`, or `failing`.
    pub(super) state: &'static str,
    pub(super) fingerprint: Option<String>,
    pub(super) stored_at: Option<String>,
    /// Since when it fails, how often it was tried, and why.
    pub(super) since: Option<String>,
    pub(super) tries: Option<u32>,
    pub(super) reason: Option<String>,
    pub(super) detail: Option<String>,
}

/// A log-in that was refused, or that nobody answered.
#[derive(Debug, Serialize)]
pub(super) struct LoginLine {
    /// `refused` or `unknown`.
    pub(super) state: &'static str,
    pub(super) fingerprint: String,
    pub(super) at: String,
    pub(super) reason: Option<String>,
    pub(super) detail: Option<String>,
    /// The token is stored; otherwise it is kept out until it logs in.
    pub(super) stored: bool,
}

/// How a step went last.
#[derive(Debug, Serialize)]
pub(super) struct StepLine {
    pub(super) step: String,
    pub(super) ok: bool,
    pub(super) at: String,
    pub(super) detail: Option<String>,
    /// It was for the token that is stored now.
    pub(super) current: bool,
}

/// What the ledger knows.
pub(super) struct Known {
    receipts: Vec<Receipt>,
    troubles: Vec<Since>,
    results: Vec<StepResult>,
    waiting: BTreeMap<(String, &'static str), usize>,
    followers: Followers,
}

impl Known {
    pub(super) fn read(config: &Config, ledger: &Ledger) -> Result<Self, Failure> {
        let mut waiting = BTreeMap::new();
        for errand in ledger.errands(None)? {
            *waiting
                .entry((errand.username, errand.org.as_str()))
                .or_default() += 1;
        }
        Ok(Self {
            receipts: ledger.receipts()?,
            troubles: ledger.slot_troubles()?,
            results: ledger.step_results()?,
            waiting,
            followers: Followers::of(config),
        })
    }
}

/// Configured accounts first, then others that the ledger knows.
pub(super) fn accounts(
    config: &Config,
    ledger: &Ledger,
    now: Timestamp,
) -> Result<Vec<AccountLine>, Failure> {
    let known = Known::read(config, ledger)?;
    let mut lines: Vec<AccountLine> = Vec::new();
    for account in &config.accounts {
        let key = Key {
            username: account.username.clone(),
            org: account.org,
        };
        let slots = configured_slots(config, account, &key);
        lines.push(line(&key, slots, account.max_age, &known, ledger, now)?);
    }
    for receipt in &known.receipts {
        let (Some(username), Some(org)) = (&receipt.report.username, receipt.report.org) else {
            continue;
        };
        let is_there = |line: &AccountLine| line.username == *username && line.org == Some(org);
        if lines.iter().any(is_there) {
            continue;
        }
        let key = Key {
            username: username.clone(),
            org,
        };
        let same = known.receipts.iter().filter(|other| belongs(other, &key));
        let slots = same
            .filter_map(|other| other.slot.clone())
            .map(Ok)
            .collect();
        let line = line(&key, slots, DEFAULT_MAX_AGE, &known, ledger, now)?;
        lines.push(AccountLine {
            // with none configured, any account's token is kept
            is_of_the_past: !config.accounts.is_empty(),
            ..line
        });
    }
    Ok(lines)
}

/// A slot's name, or the store that cannot be opened and why.
type Named = Result<String, (String, Failure)>;

fn configured_slots(config: &Config, account: &config::Account, key: &Key) -> Vec<Named> {
    let named = |url| match engine::open_store(url, config) {
        Ok(store) => Ok(store.slot(key)),
        Err(failure) => Err(failure),
    };
    let names = account.stores.iter().zip(config.store_urls(account));
    names
        .map(|(name, url)| named(url).map_err(|failure| (format!("[store.{name}]"), failure)))
        .collect()
}

fn belongs(receipt: &Receipt, key: &Key) -> bool {
    receipt.report.username.as_deref() == Some(&key.username) && receipt.report.org == Some(key.org)
}

fn line(
    key: &Key,
    slots: Vec<Named>,
    max_age: SignedDuration,
    known: &Known,
    ledger: &Ledger,
    now: Timestamp,
) -> Result<AccountLine, Failure> {
    let mine = known
        .receipts
        .iter()
        .filter(|receipt| belongs(receipt, key));
    let newest = mine.max_by_key(|receipt| receipt.report.date);
    let print = newest.and_then(|receipt| receipt.report.fingerprint.clone());
    let slots: Result<Vec<SlotLine>, Failure> = slots
        .into_iter()
        .map(|slot| match slot {
            Ok(slot) => slot_line(slot, newest, known, ledger),
            Err((store, failure)) => Ok(broken(store, &failure)),
        })
        .collect();
    let mut slots = slots?;
    // a slot of an earlier configuration is shown as long as it is the only one that has a token
    let shown = slots.iter().any(|line| line.stored_at.is_some());
    if let Some(slot) = newest
        .and_then(|receipt| receipt.slot.clone())
        .filter(|_| !shown)
    {
        slots.push(slot_line(slot, newest, known, ledger)?);
    }
    let login = login_line(key, newest, ledger)?;
    let results = known.results.iter();
    let steps: Vec<StepLine> = results
        .filter(|result| result.username == key.username && result.org == key.org)
        // a step that was removed will never go better
        .filter(|result| known.followers.has(key, &result.step))
        .map(|result| StepLine {
            step: result.step.clone(),
            ok: result.ok,
            at: format!("{:.0}", result.at),
            detail: result.detail.clone(),
            current: result.fingerprint == print,
        })
        .collect();
    let date = newest.and_then(|receipt| receipt.report.date);
    let age = date.map(|date| now.duration_since(date));
    let by_age = age_state(age, max_age);
    let fails = slots.iter().any(|slot| slot.state == "failing")
        || login.is_some()
        || steps.iter().any(|step| !step.ok);
    Ok(AccountLine {
        username: key.username.clone(),
        org: Some(key.org),
        state: if fails { "failing" } else { by_age },
        slot: newest.and_then(|receipt| receipt.slot.clone()),
        fingerprint: print.as_ref().map(ToString::to_string),
        date: date.map(|date| format!("{date:.0}")),
        stored_at: newest
            .and_then(|receipt| receipt.stored_at)
            .map(|at| format!("{at:.0}")),
        age_seconds: age.map(|age| age.as_secs()),
        max_age_seconds: max_age.as_secs(),
        verified: newest.and_then(|receipt| receipt.verified),
        slots,
        login,
        steps,
        waiting: known
            .waiting
            .get(&(key.username.clone(), key.org.as_str()))
            .copied()
            .unwrap_or_default(),
        age: by_age,
        is_of_the_past: false,
    })
}

fn slot_line(
    slot: String,
    newest: Option<&Receipt>,
    known: &Known,
    ledger: &Ledger,
) -> Result<SlotLine, Failure> {
    let held = known
        .receipts
        .iter()
        .find(|receipt| receipt.slot.as_ref() == Some(&slot));
    let trouble = known
        .troubles
        .iter()
        .find(|since| since.trouble.slot == slot);
    let pending = ledger
        .newest(&slot)?
        .is_some_and(|newest| newest.state == State::Pending);
    let print = held.and_then(|receipt| receipt.report.fingerprint.as_ref());
    let wanted = newest.and_then(|receipt| receipt.report.fingerprint.as_ref());
    let state = match (trouble, pending, print) {
        (Some(_), ..) => "failing",
        (None, true, _) => "pending",
        (None, false, None) => "empty",
        (None, false, print) if print == wanted => "ok",
        _ => "behind",
    };
    Ok(SlotLine {
        state,
        fingerprint: print.map(ToString::to_string),
        stored_at: held
            .and_then(|receipt| receipt.stored_at)
            .map(|at| format!("{at:.0}")),
        since: trouble.map(|since| format!("{:.0}", since.since)),
        tries: trouble.map(|since| since.tries),
        reason: trouble.map(|since| since.trouble.kind.clone()),
        detail: trouble.map(|since| since.trouble.problem.clone()),
        slot,
    })
}

/// A store that cannot be opened has no slots.
fn broken(store: String, failure: &Failure) -> SlotLine {
    SlotLine {
        slot: store,
        state: "failing",
        fingerprint: None,
        stored_at: None,
        since: None,
        tries: None,
        reason: Some("store_misconfigured".to_owned()),
        detail: Some(failure.problem.clone()),
    }
}

/// The log-in of a token that is kept out, or that of the stored one, unless it was answered with yes.
fn login_line(
    key: &Key,
    newest: Option<&Receipt>,
    ledger: &Ledger,
) -> Result<Option<LoginLine>, Failure> {
    let kept_out = ledger.kept_out(&key.username, key.org)?;
    let stored = kept_out.is_none();
    let print = newest.and_then(|receipt| receipt.report.fingerprint.as_ref());
    let found = match kept_out {
        Some(found) => Some(found),
        None => {
            let mut logins = ledger.logins(&key.username, key.org)?.into_iter();
            logins.find(|(tried, _)| Some(tried) == print)
        }
    };
    Ok(found.and_then(|(fingerprint, login)| {
        let state = match login.state {
            LoginState::LoggedIn => return None,
            LoginState::Refused => "refused",
            LoginState::Begun | LoginState::Unknown => "unknown",
        };
        Some(LoginLine {
            state,
            fingerprint: fingerprint.to_string(),
            at: format!("{:.0}", login.at),
            reason: login.reason,
            detail: login.problem,
            stored,
        })
    }))
}

impl AccountLine {
    /// What a monitor should know of it first; `strictly`: also that there is no token yet.
    pub(super) fn exit(&self, strictly: bool) -> Exit {
        if self.is_of_the_past {
            return Exit::Done;
        }
        if self.slots.iter().any(|slot| slot.state == "failing") {
            return Exit::Store;
        }
        match &self.login {
            Some(login) if login.state == "refused" => return Exit::Verification,
            Some(_) => return Exit::Failed,
            None => {}
        }
        if self.steps.iter().any(|step| !step.ok) {
            return Exit::Failed;
        }
        match self.age {
            "due" | "overdue" => Exit::Nothing,
            "missing" if strictly => Exit::Nothing,
            _ => Exit::Done,
        }
    }
}
