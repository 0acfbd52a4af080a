//! A proven token, on its way to every slot of its account.
//!
//! Knows the gates behind the proof (announced? does it log in?), all slots side by side, and what is planned then.
//! Never knows a store's ways, and never examines a mail. Blocks: it is run off the async threads.
//!
//! ```text
//! proven ─► announced? ─► (logs in?) ─► slot: lock, order, write, read back ─► (logs in?) ─► record, plan errands
//!                                       slot: …                    each on its own
//! ```

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::errands::Told;
use super::pipeline::{Letter, Pipeline, decision};
use super::publish::{Proven, Published, publish};
use super::verdict::{TriedLogIn, Trouble, Verdict};
use super::verifier::{Failing, Known, Verify, tried};
use crate::ingest::Found;
use crate::ingest::event::{EventWord, Receipt, Report};
use crate::ingest::order::Rank;
use crate::ingest::refusal::Refusal;
use crate::ledger::{Decision, LoginState, Plan, Reached, SlotTrouble};
use crate::store::{Key, Store};

/// How far Salesforce's clock and ours may differ at the edges of an announced window: both are kept by NTP.
const WINDOW_SKEW: SignedDuration = SignedDuration::from_mins(2);

/// The reason of a decision about a mail whose token its slot had already: a copy, or another try.
const STORED_BEFORE: &str = "stored_before";

/// A token that is proven.
pub(super) struct GenuineToken {
    pub(super) found: Found,
    pub(super) report: Report,
}

/// How one slot fared.
struct Slot {
    name: String,
    published: Result<Published, Trouble>,
}

/// One token, one delivery.
struct Delivery<'d> {
    pipeline: &'d Pipeline,
    key: Key,
    mail: Proven<'d>,
    letter: &'d Letter,
    now: Timestamp,
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

    /// Records what became of each slot, and plans what is to be done then.
    fn settle(&self, slots: Vec<Slot>, known: Option<Known>) -> Result<Vec<Verdict>, Trouble> {
        let later = match &known {
            Some(Known::Later(why)) => Some(why.clone()),
            _ => None,
        };
        let is_open = later.is_some() || slots.iter().any(|slot| slot.published.is_err());
        let reached: Vec<String> = slots
            .iter()
            .filter(|slot| slot.has_it())
            .map(|slot| slot.name.clone())
            .collect();
        let missing: Vec<String> = slots
            .iter()
            .filter(|slot| slot.published.is_err())
            .map(|slot| slot.name.clone())
            .collect();
        let (mut verdicts, mut decisions) = (Vec::new(), Vec::new());
        let mut troubles = Vec::new();
        for slot in slots {
            match slot.published {
                Err(trouble) => {
                    self.note(&slot.name, &trouble);
                    troubles.push(trouble);
                }
                Ok(published) => {
                    // NOTE: what is not stored is told at the end: each try finds the same again
                    let is_news = matches!(published, Published::Stored(_));
                    let is_before = matches!(published, Published::Before(_));
                    let receipt = self.receipt(published, known.as_ref())?;
                    if is_news || !is_open {
                        let decision = self.decision(&receipt, is_open);
                        decisions.push(match is_before {
                            false => decision,
                            true => Decision {
                                reason: Some(STORED_BEFORE.to_owned()),
                                ..decision
                            },
                        });
                        verdicts.push(Verdict::Settled(receipt));
                    }
                }
            }
        }
        self.record(&decisions, &reached, &missing, known.as_ref())?;
        let open = |trouble| Verdict::Open(self.mail.report.clone(), trouble);
        verdicts.extend(troubles.into_iter().map(open));
        verdicts.extend(later.map(|why| {
            open(Trouble::LogIn {
                why,
                tried: TriedLogIn::NotYet,
            })
        }));
        Ok(verdicts)
    }

    /// The receipt of a slot, with what the log-in said.
    fn receipt(&self, published: Published, known: Option<&Known>) -> Result<Receipt, Trouble> {
        let username = &self.key.username;
        let source = &self.letter.name;
        let (mut receipt, is_new) = match published {
            Published::Kept(why) => return Ok(Receipt::kept_out(self.mail.report.clone(), why)),
            Published::Stored(receipt) => (receipt, true),
            Published::Before(receipt) => (receipt, false),
        };
        let slot = receipt.slot.clone();
        match is_new {
            true => tracing::info!(source, slot, username, "token stored"),
            false => tracing::info!(source, slot, username, "this token was stored before"),
        }
        let verified = match known {
            Some(Known::LogsIn) => Some(true),
            Some(Known::Refused(why)) if why.against_token => Some(false),
            _ => receipt.verified,
        };
        if verified != receipt.verified {
            receipt.verified = verified;
            if let Some(slot) = &slot {
                self.pipeline.ledger.commit(slot, &receipt)?;
            }
        }
        Ok(receipt)
    }

    fn decision(&self, receipt: &Receipt, more_to_come: bool) -> Decision {
        let hash = Some(self.letter.hash());
        let at = (self.pipeline.clock)();
        Decision {
            more_to_come,
            ..decision(receipt, &self.letter.source, hash, at)
        }
    }

    /// One transaction: what was decided, and what is to be done now that these slots have the token.
    fn record(
        &self,
        decisions: &[Decision],
        reached: &[String],
        missing: &[String],
        known: Option<&Known>,
    ) -> Result<(), Trouble> {
        // Consumers that try a bad token lock the user out: none is started again.
        let happened = match known {
            Some(Known::Refused(why)) if why.against_token => EventWord::NotVerified,
            _ => EventWord::Stored,
        };
        let steps = self.pipeline.errands.steps(&self.key, happened);
        let told = Told {
            slots: reached.to_vec(),
            missing: missing.to_vec(),
            date: Some(self.mail.found.date),
            fingerprint: Some(self.mail.found.token.fingerprint()),
            verified: known.and_then(Known::as_bool),
            reason: known.and_then(Known::why).map(|why| why.kind.clone()),
            detail: known.and_then(Known::why).map(|why| why.problem.clone()),
            ..Told::of(&self.key, happened, (self.pipeline.clock)())
        };
        let fingerprint = self.mail.found.token.fingerprint();
        let plan = Plan {
            username: &self.key.username,
            org: self.key.org,
            event: happened.as_str(),
            replaces: true,
            steps: &steps,
            told: &|head| told.with(head).to_json(),
            at: told.at,
        };
        let reached = Reached {
            fingerprint: &fingerprint,
            slots: reached,
        };
        // a log-in that can still be made comes before whatever is to be done with the token
        let waits = matches!(known, Some(Known::Later(_)));
        let planned = (!reached.slots.is_empty() && !waits).then_some((plan, reached));
        if !self.pipeline.ledger.record_stored(decisions, planned)? {
            return Ok(());
        }
        self.pipeline.errands.ring();
        if matches!(known, Some(Known::LogsIn)) {
            let told = Told {
                event: EventWord::Verified,
                ..told
            };
            self.pipeline.announce(&self.key, told);
        }
        Ok(())
    }

    /// A slot failed: `status` shows it until it has the token; whoever wants to be told is told the first time.
    fn note(&self, slot: &str, trouble: &Trouble) {
        let told = SlotTrouble {
            slot: slot.to_owned(),
            username: self.key.username.clone(),
            org: self.key.org,
            fingerprint: self.mail.found.token.fingerprint(),
            kind: trouble.kind().to_owned(),
            problem: trouble.to_string(),
            at: self.now,
        };
        let noted = self.pipeline.ledger.note_slot_trouble(&told);
        match noted {
            Ok(1) => self.pipeline.announce(
                &self.key,
                Told {
                    missing: vec![told.slot],
                    date: Some(self.mail.found.date),
                    fingerprint: Some(told.fingerprint),
                    reason: Some(told.kind),
                    detail: Some(told.problem),
                    ..Told::of(&self.key, EventWord::StoreFailed, self.now)
                },
            ),
            Ok(_) => {}
            Err(error) => tracing::warn!(hint = error.hint(), "{error}"),
        }
    }

    /// A genuine mail that is not to be stored anywhere.
    fn refused(&self, why: Refusal) -> Result<Verdict, Trouble> {
        let receipt = Receipt::kept_out(self.mail.report.clone(), why);
        let decision = self.decision(&receipt, false);
        self.pipeline.ledger.record(&decision)?;
        Ok(Verdict::Settled(receipt))
    }
}

impl Slot {
    fn has_it(&self) -> bool {
        matches!(
            &self.published,
            Ok(Published::Stored(_) | Published::Before(_))
        )
    }
}

impl Known {
    fn as_bool(&self) -> Option<bool> {
        match self {
            Self::LogsIn => Some(true),
            Self::Refused(why) if why.against_token => Some(false),
            Self::Refused(_) | Self::Unknown(_) | Self::Later(_) => None,
        }
    }

    fn why(&self) -> Option<&Failing> {
        match self {
            Self::LogsIn => None,
            Self::Refused(why) | Self::Unknown(why) | Self::Later(why) => Some(why),
        }
    }
}
