//! What became of a delivery: recorded, told, planned.
//!
//! Knows receipts, decisions and events of a token in its slots. Never writes a slot: that is `deliver`. What happened
//! comes from there.

use super::deliver::{Delivery, Slot};
use super::follow::Told;
use super::pipeline::decision;
use super::publish::Published;
use super::verdict::{TriedLogIn, Trouble, Verdict};
use super::verifier::{Failing, Known};
use crate::ingest::event::{EventWord, Receipt};
use crate::ingest::refusal::Refusal;
use crate::ledger::{Decision, Plan, Reached, SlotTrouble};

/// The reason of a decision about a mail whose token its slot had already: a copy, or another try.
const STORED_BEFORE: &str = "stored_before";

impl Delivery<'_> {
    /// Records what became of each slot, and plans what is to be done then.
    pub(super) fn settle(
        &self,
        slots: Vec<Slot>,
        known: Option<Known>,
    ) -> Result<Vec<Verdict>, Trouble> {
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
    pub(super) fn refused(&self, why: Refusal) -> Result<Verdict, Trouble> {
        let receipt = Receipt::kept_out(self.mail.report.clone(), why);
        let decision = self.decision(&receipt, false);
        self.pipeline.ledger.record(&decision)?;
        Ok(Verdict::Settled(receipt))
    }
}

impl Known {
    pub(super) fn as_bool(&self) -> Option<bool> {
        match self {
            Self::LogsIn => Some(true),
            Self::Refused(why) if why.against_token => Some(false),
            Self::Refused(_) | Self::Unknown(_) | Self::Later(_) => None,
        }
    }

    pub(super) fn why(&self) -> Option<&Failing> {
        match self {
            Self::LogsIn => None,
            Self::Refused(why) | Self::Unknown(why) | Self::Later(why) => Some(why),
        }
    }
}
