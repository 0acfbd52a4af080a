//! Which tokens serve a wait.
//!
//! Knows what is fresh, what is whole, and what is proven enough. Never waits: that is `wait`. Receipts come from the
//! mailboxes that are watched meanwhile, and from the ledger, which other processes write to as well.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::verdict::{TriedLogIn, Trouble, Verdict};
use super::verifier::{Failing, Verify, tried};
use super::wait::{Armed, WaitError};
use crate::ingest::event::{OutcomeWord, Receipt, Report};
use crate::ingest::policy::{Account, Org};
use crate::ingest::token::Fingerprint;
use crate::ledger::{LedgerError, LoginState};
use crate::store::Key;

/// Of a token that another process stored, only the date tells whether it is of the reset that is waited for.
const CLOCKS: SignedDuration = SignedDuration::from_mins(2);

impl Armed {
    /// The tokens that were the newest ones when everything was ready, stored or not.
    pub(super) fn newest_now(&self) -> Result<BTreeSet<String>, LedgerError> {
        let mut tokens = BTreeSet::new();
        for key in self.keys() {
            for slot in self.pipeline.stores.slots(&key) {
                let newest = self.pipeline.ledger.newest(&slot)?;
                tokens.extend(newest.map(|newest| newest.mail.fingerprint.to_string()));
            }
        }
        Ok(tokens)
    }

    /// The accounts that still need a token; one without a kind of org may be of either.
    fn keys(&self) -> Vec<Key> {
        let orgs = |org: Option<Org>| match org {
            Some(org) => vec![org],
            None => vec![Org::Production, Org::Sandbox],
        };
        let keys = |account: &Account| {
            let username = account.username.clone();
            orgs(account.org).into_iter().map(move |org| Key {
                username: username.clone(),
                org,
            })
        };
        self.missing.iter().flat_map(keys).collect()
    }

    /// A daemon beside us may have stored the token, and moved or removed the mail before we saw it: then the
    /// receipt is all that there is. It serves if its mail is younger than the arming, as far as clocks can tell.
    ///
    /// NOTE: not before it is recorded, with what is to be done then: who waits for a token waits for its hooks, too.
    pub(super) fn look_into_the_ledger(&mut self) -> Result<(), WaitError> {
        let keys = self.keys();
        if keys.is_empty() {
            return Ok(());
        }
        for receipt in self.pipeline.ledger.receipts()? {
            let key = self.key_of(&receipt.report);
            let Some(key) = key.filter(|key| keys.contains(key)) else {
                continue;
            };
            if self.is_of_this_wait(&receipt) && self.is_recorded(&key, &receipt)? {
                self.serve(receipt)?;
            }
        }
        Ok(())
    }

    /// Stored since everything was ready, and younger than that.
    fn is_of_this_wait(&self, receipt: &Receipt) -> bool {
        let (begun, before) = &self.begun;
        let print = receipt.report.fingerprint.as_ref();
        receipt.stored_at.is_some_and(|at| at >= truncated(*begun))
            && print.is_some_and(|print| !before.contains(print.as_str()))
            && self.is_young(&receipt.report)
    }

    fn is_recorded(&self, key: &Key, receipt: &Receipt) -> Result<bool, WaitError> {
        let (Some(print), Some(slot)) = (&receipt.report.fingerprint, &receipt.slot) else {
            return Ok(false);
        };
        let ledger = &self.pipeline.ledger;
        let slots = ledger.planned_slots(&key.username, key.org, print)?;
        Ok(slots.contains(slot))
    }

    pub(super) fn is_complete(&self) -> bool {
        if self.anyone {
            self.served
        } else {
            self.missing.is_empty()
        }
    }

    /// A stored token that is fresh serves the account that it is for; a token for another account
    /// has been stored as well, and is told in the end.
    pub(super) fn take(&mut self, verdict: Verdict) -> Result<(), WaitError> {
        let receipt = match verdict {
            Verdict::Settled(receipt) => receipt,
            Verdict::Open(report, trouble) => return self.open(report, trouble),
        };
        // what kept the mail open is over
        let source = &receipt.report.source;
        let is_over =
            |other: &Verdict| matches!(other, Verdict::Open(open, _) if open.source == *source);
        self.others.retain(|other| !is_over(other));
        self.serve(receipt)
    }

    fn serve(&mut self, receipt: Receipt) -> Result<(), WaitError> {
        let report = &receipt.report;
        let stored = report.outcome == OutcomeWord::Found && receipt.stored_at.is_some();
        let Some(key) = self
            .key_of(report)
            .filter(|_| stored && self.is_fresh(report))
        else {
            self.others.push(Verdict::Settled(receipt));
            return Ok(());
        };
        // One slot, one receipt, that of the newest token: a mail may come twice, and a newer one meanwhile.
        let same = |known: &&mut Receipt| known.slot == receipt.slot;
        match self.found.iter_mut().find(same) {
            Some(known) if known.report.date > report.date => {}
            Some(known) => *known = receipt,
            None => self.found.push(receipt),
        }
        if self.is_in_every_slot(&key) && self.is_verified(&key)? {
            self.missing.retain(|account| !serves(&key, account));
            self.served = true;
        }
        Ok(())
    }

    /// A mail that is kept: one that nobody can decide about yet, or a token that has to log in and does not.
    fn open(&mut self, report: Report, trouble: Trouble) -> Result<(), WaitError> {
        let key = self.key_of(&report);
        let needed = key.filter(|key| self.is_young(&report) && self.is_needed(key));
        match (needed, trouble) {
            (Some(key), Trouble::LogIn { why, tried }) if tried != TriedLogIn::NotYet => {
                let answered = tried == TriedLogIn::Refused;
                Err(self.not_verified(key.username, why, answered))
            }
            (_, trouble) => {
                self.note_open(report, trouble);
                Ok(())
            }
        }
    }

    /// Once, however often it is tried.
    fn note_open(&mut self, report: Report, trouble: Trouble) {
        let same = |other: &Verdict| {
            matches!(other, Verdict::Open(open, before)
                if open.source == report.source && before.place() == trouble.place())
        };
        self.others.retain(|other| !same(other));
        self.others.push(Verdict::Open(report, trouble));
    }

    fn is_fresh(&self, report: &Report) -> bool {
        report.date.is_some_and(|date| date >= self.fresh_from)
    }

    /// Younger than the arming, as far as clocks can tell. A token that may be of an earlier reset serves if it logs in;
    /// if it does not, it is dead, and the one that is waited for is still to come.
    fn is_young(&self, report: &Report) -> bool {
        let young = self.since.checked_sub(CLOCKS).unwrap_or(self.since);
        report.date.is_some_and(|date| date >= young)
    }

    fn is_needed(&self, key: &Key) -> bool {
        self.anyone || self.missing.iter().any(|account| serves(key, account))
    }

    fn key_of(&self, report: &Report) -> Option<Key> {
        Some(Key {
            username: report.username.clone()?,
            org: report.org?,
        })
    }

    /// The account's newest token, and the receipts of the slots that have it.
    fn newest_of(&self, key: &Key) -> Option<(Fingerprint, Vec<&Receipt>)> {
        let is_theirs = |known: &&Receipt| {
            known.report.username.as_deref() == Some(&key.username)
                && known.report.org == Some(key.org)
        };
        let mine = || self.found.iter().filter(is_theirs);
        let newest = mine().max_by_key(|known| known.report.date)?;
        let print = newest.report.fingerprint.clone()?;
        let have_it = mine().filter(|known| known.report.fingerprint.as_ref() == Some(&print));
        Some((print.clone(), have_it.collect()))
    }

    /// The account's consumers look into each of its slots.
    fn is_in_every_slot(&self, key: &Key) -> bool {
        let have_it = self.newest_of(key).map(|(_, receipts)| receipts);
        let reached: BTreeSet<&str> = have_it
            .iter()
            .flatten()
            .filter_map(|known| known.slot.as_deref())
            .collect();
        let slots = self.pipeline.stores.slots(key);
        slots.iter().all(|slot| reached.contains(slot.as_str()))
    }

    /// Whether nothing is to be tried any more, if anything was. What was tried in vain ends the wait.
    fn is_verified(&mut self, key: &Key) -> Result<bool, WaitError> {
        if self.pipeline.verifier.when(key) == Verify::Never {
            return Ok(true);
        }
        let Some((fingerprint, receipts)) = self.newest_of(key) else {
            return Ok(false);
        };
        let report = receipts.first().map(|known| known.report.clone());
        let Some(login) = self.pipeline.ledger.login(tried(key, &fingerprint))? else {
            return Ok(false);
        };
        let username = key.username.clone();
        let answered = match login.state {
            LoginState::LoggedIn => return Ok(true),
            LoginState::Begun => return Ok(false),
            LoginState::Refused => true,
            LoginState::Unknown => false,
        };
        let why = Failing::from(login);
        match report {
            Some(report) if !self.is_young(&report) => {
                let tried = match answered {
                    true => TriedLogIn::Refused,
                    false => TriedLogIn::Unanswered,
                };
                self.note_open(report, Trouble::LogIn { why, tried });
                Ok(false)
            }
            _ => Err(self.not_verified(username, why, answered)),
        }
    }

    fn not_verified(&mut self, username: String, why: Failing, answered: bool) -> WaitError {
        WaitError::NotVerified {
            username,
            why: Box::new(why),
            answered,
            stored: std::mem::take(&mut self.found),
        }
    }
}

/// Receipts have whole seconds.
fn truncated(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

fn serves(key: &Key, account: &Account) -> bool {
    key.username == account.username && account.org.is_none_or(|org| org == key.org)
}
