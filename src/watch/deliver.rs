//! A proven token, on its way to every slot of its account.
//!
//! Knows the gates behind the proof (announced? does it log in?), and all slots side by side. What became of them is told
//! by `settle`. Never knows a store's ways, and never examines a mail. Blocks: it is run off the async threads.
//!
//! ```text
//! proven ─► announced? ─► (logs in?) ─► slot: lock, order, write, read back ─► (logs in?) ─► record, plan errands
//!                                       slot: …                    each on its own
//! ```

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::follow::Told;
use super::pipeline::{Letter, Pipeline};
use super::publish::{Proven, Published, publish};
use super::verdict::{TriedLogIn, Trouble, Verdict};
use super::verifier::{Known, Verify, tried};
use crate::ingest::Found;
use crate::ingest::event::{EventWord, Report};
use crate::ingest::order::Rank;
use crate::ingest::refusal::Refusal;
use crate::ledger::LoginState;
use crate::store::{Key, Store};

/// How far Salesforce's clock and ours may differ at the edges of an announced window: both are kept by NTP.
const WINDOW_SKEW: SignedDuration = SignedDuration::from_mins(2);

/// A token that is proven.
pub(super) struct GenuineToken {
    pub(super) found: Found,
    pub(super) report: Report,
}

/// How one slot fared.
pub(super) struct Slot {
    pub(super) name: String,
    pub(super) published: Result<Published, Trouble>,
}

/// One token, one delivery.
pub(super) struct Delivery<'d> {
    pub(super) pipeline: &'d Pipeline,
    pub(super) key: Key,
    pub(super) mail: Proven<'d>,
    pub(super) letter: &'d Letter,
    pub(super) now: Timestamp,
}

impl Pipeline {
    /// Publishes a found token in each slot of its account, on a thread that may block, then records what became
    /// of it. With `elsewhere`, another watcher may have stored the token: a store that holds it is not written to
    /// again.
    pub(super) async fn store(
        &self,
        token: GenuineToken,
        letter: Letter,
        elsewhere: bool,
    ) -> Vec<Verdict> {
        let pipeline = self.clone();
        let report = token.report.clone();
        let work = move || pipeline.deliver(&token, &letter, elsewhere);
        let done = tokio::task::spawn_blocking(work).await;
        done.unwrap_or_else(|_| vec![Verdict::Open(report, Trouble::Worker)])
    }

    fn deliver(&self, token: &GenuineToken, letter: &Letter, elsewhere: bool) -> Vec<Verdict> {
        let GenuineToken { found, report } = token;
        for warning in &found.warnings {
            tracing::warn!(username = %found.username, "{warning}");
        }
        let delivery = Delivery {
            pipeline: self,
            key: Key {
                username: found.username.clone(),
                org: found.org,
            },
            mail: Proven {
                found,
                report,
                arrival: letter.arrival,
                elsewhere,
            },
            letter,
            now: (self.clock)(),
        };
        delivery
            .run()
            .unwrap_or_else(|trouble| vec![Verdict::Open(report.clone(), trouble)])
    }
}

impl Delivery<'_> {
    fn run(&self) -> Result<Vec<Verdict>, Trouble> {
        let stores = self.pipeline.stores.of(&self.key)?;
        if self.pipeline.policy.armed_only && !self.is_announced()? {
            return Ok(vec![self.refused(Refusal::OutsideWindow)?]);
        }
        if self.is_outdated(stores)? {
            let kept = |store: &Arc<dyn Store>| Slot {
                name: store.slot(&self.key),
                published: Ok(Published::Kept(Refusal::OlderThanCurrent)),
            };
            return self.settle(stores.iter().map(kept).collect(), None);
        }
        let when = self.pipeline.verifier.when(&self.key);
        let mut known = None;
        if when == Verify::Before {
            let stopped = |why, tried| Err(Trouble::LogIn { why, tried });
            known = match self.would_be_new(stores)? {
                // a try before this one may have died between the store and the record
                false => self.has_logged_in()?.then_some(Known::LogsIn),
                true => match self.log_in(true)? {
                    Known::LogsIn => Some(Known::LogsIn),
                    Known::Refused(why) => return stopped(why, TriedLogIn::Refused),
                    Known::Unknown(why) => return stopped(why, TriedLogIn::Unanswered),
                    Known::Later(why) => return stopped(why, TriedLogIn::NotYet),
                },
            };
        }
        let slots = self.publish_all(stores);
        if when == Verify::After && slots.iter().any(Slot::has_it) {
            known = Some(self.log_in(false)?);
        }
        self.settle(slots, known)
    }

    fn is_announced(&self) -> Result<bool, Trouble> {
        let (ledger, key) = (&self.pipeline.ledger, &self.key);
        let date = self.mail.found.date;
        Ok(ledger.is_announced(&key.username, key.org, date, WINDOW_SKEW)?)
    }

    /// Whether any slot of the account has seen a later mail: a slot that has not, because it was added since, is no
    /// place for a dead token.
    fn is_outdated(&self, stores: &[Arc<dyn Store>]) -> Result<bool, Trouble> {
        for store in stores {
            let newest = self.pipeline.ledger.newest(&store.slot(&self.key))?;
            let mail = newest.map(|newest| newest.mail);
            let is_later = |rank: &Rank| rank.date > self.mail.found.date;
            if mail.is_some_and(|mail| mail.org == self.key.org && is_later(&mail.rank)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A mail that no slot will take is not worth a log-in.
    fn would_be_new(&self, stores: &[Arc<dyn Store>]) -> Result<bool, Trouble> {
        let candidate = self.mail.candidate();
        for store in stores {
            let newest = self.pipeline.ledger.newest(&store.slot(&self.key))?;
            if crate::ledger::order::admit(newest.as_ref(), &candidate).writes() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn has_logged_in(&self) -> Result<bool, Trouble> {
        let fingerprint = self.mail.found.token.fingerprint();
        let login = self.pipeline.ledger.login(tried(&self.key, &fingerprint))?;
        Ok(login.is_some_and(|login| login.state == LoginState::LoggedIn))
    }

    fn log_in(&self, kept_out: bool) -> Result<Known, Trouble> {
        let token = &self.mail.found.token;
        let (known, is_news) = self.pipeline.log_in_once(&self.key, token, kept_out)?;
        let username = &self.key.username;
        match &known {
            Known::LogsIn => tracing::info!(username, "the token logs in"),
            Known::Refused(why) => {
                tracing::error!(
                    username,
                    kind = why.kind,
                    hint = why.hint,
                    "the token does not log in: {}",
                    why.problem
                );
            }
            Known::Unknown(why) | Known::Later(why) => {
                tracing::warn!(
                    username,
                    kind = why.kind,
                    hint = why.hint,
                    "it is not known whether the token logs in: {}",
                    why.problem
                );
            }
        }
        if kept_out && is_news {
            self.tell_kept_out(&known);
        }
        Ok(known)
    }

    /// A token that is stored nowhere until a person has seen to it: it must not be overlooked.
    fn tell_kept_out(&self, known: &Known) {
        let (Known::Refused(why) | Known::Unknown(why)) = known else {
            return;
        };
        let told = Told {
            date: Some(self.mail.found.date),
            fingerprint: Some(self.mail.found.token.fingerprint()),
            verified: known.as_bool(),
            reason: Some(why.kind.clone()),
            detail: Some(why.problem.clone()),
            ..Told::of(&self.key, EventWord::NotVerified, (self.pipeline.clock)())
        };
        self.pipeline.announce(&self.key, told);
    }

    /// Each slot on its own: one that hangs or fails holds back none.
    fn publish_all(&self, stores: &[Arc<dyn Store>]) -> Vec<Slot> {
        let one = |store: &Arc<dyn Store>| Slot {
            name: store.slot(&self.key),
            published: publish(
                &self.mail,
                &**store,
                &self.key,
                &self.pipeline.ledger,
                self.now,
            ),
        };
        if let [store] = stores {
            return vec![one(store)];
        }
        std::thread::scope(|scope| {
            let running: Vec<_> = stores
                .iter()
                .map(|store| (store, scope.spawn(move || one(store))))
                .collect();
            let ended = running.into_iter().map(|(store, worker)| {
                worker.join().unwrap_or_else(|_| Slot {
                    name: store.slot(&self.key),
                    published: Err(Trouble::Worker),
                })
            });
            ended.collect()
        })
    }
}

impl Slot {
    pub(super) fn has_it(&self) -> bool {
        matches!(
            &self.published,
            Ok(Published::Stored(_) | Published::Before(_))
        )
    }
}
