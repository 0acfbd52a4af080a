//! What is done after something happened to a token: hooks, tests of consumers, messages.
//!
//! Knows the order of the steps, their turns across processes, and when a failed one is tried again. Never knows what
//! a step does: a [`Follow`] does it. Errands stand in the ledger until they have their result, so that a process that
//! dies leaves them to the next one: a step may be done twice, and is never forgotten.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;

use super::follow::{Follow, NoFollow, Ran, Told};
use super::pipeline::Pipeline;
use crate::ingest::event::EventWord;
use crate::ingest::policy::Org;
use crate::ledger::{Errand, LedgerError, Plan, Record, StepResult};
use crate::store::Key;

/// Whatever the other side asks for, it is not left alone for longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// Errands that another process left behind are looked for this often.
const PATROL: Duration = Duration::from_secs(60);

/// Whoever does the steps, and the bell that says that there is something to do.
#[derive(Clone, Debug)]
pub struct Errands {
    follow: Arc<dyn Follow>,
    bell: Arc<Notify>,
}

impl Default for Errands {
    fn default() -> Self {
        Self::by(Arc::new(NoFollow))
    }
}

impl Errands {
    /// Steps are done by `follow`.
    #[must_use]
    pub fn by(follow: Arc<dyn Follow>) -> Self {
        Self {
            follow,
            bell: Arc::default(),
        }
    }

    pub(super) fn steps(&self, key: &Key, event: EventWord) -> Vec<String> {
        self.follow.steps(key, event)
    }

    pub(super) fn ring(&self) {
        self.bell.notify_one();
    }
}

/// An account, as the workers know it.
type Of = (String, &'static str);

/// The workers, one for an account at most, and the accounts where one has failed.
#[derive(Default)]
struct Crew {
    working: JoinSet<bool>,
    at_work: HashMap<Id, Of>,
    /// NOTE: what was done may not be noted, on a full disk: without a pause, a hook would be run again and again.
    resting: HashMap<Of, Instant>,
}

impl Crew {
    /// How long until a worker may be sent; `None`: one is at work.
    fn until_sent(&self, account: &Of) -> Option<Duration> {
        if self.at_work.values().any(|busy| busy == account) {
            return None;
        }
        let until = self.resting.get(account);
        Some(until.map_or(Duration::ZERO, |until| {
            until.saturating_duration_since(Instant::now())
        }))
    }

    /// One that failed, or died, leaves its errands to the next patrol.
    fn is_back(&mut self, ended: Result<(Id, bool), JoinError>) {
        let (id, went_well) = match ended {
            Ok((id, went_well)) => (id, went_well),
            Err(error) => (error.id(), false),
        };
        if let Some(account) = self.at_work.remove(&id) {
            match went_well {
                true => self.resting.remove(&account),
                false => self.resting.insert(account, Instant::now() + PATROL),
            };
        }
    }
}

impl Pipeline {
    /// Plans what an event asks for. A ledger that does not answer is told of: nothing else depends on it.
    pub(super) fn announce(&self, key: &Key, told: Told) {
        let steps = self.errands.steps(key, told.event);
        if steps.is_empty() {
            return;
        }
        use EventWord::{ConsumerFailed, HookFailed, StoreFailed};
        let plan = Plan {
            username: &key.username,
            org: key.org,
            event: told.event.as_str(),
            replaces: !matches!(told.event, ConsumerFailed | HookFailed | StoreFailed),
            steps: &steps,
            told: &|head| told.with(head).to_json(),
            at: told.at,
        };
        match self.ledger.plan(&plan) {
            Ok(()) => self.errands.ring(),
            Err(error) => tracing::warn!(hint = error.hint(), "{error}"),
        }
    }

    /// The errands that wait for no other one.
    fn ready(&self, of: Option<(&str, Org)>) -> Result<Vec<Errand>, LedgerError> {
        let all = self.ledger.errands(of)?;
        let waits = |errand: &Errand| {
            all.iter().any(|other| {
                (&other.username, other.org, &other.event)
                    == (&errand.username, errand.org, &errand.event)
                    && other.id < errand.id
                    && self.errands.follow.comes_after(&errand.step, &other.step)
            })
        };
        Ok(all
            .iter()
            .filter(|errand| !waits(errand))
            .cloned()
            .collect())
    }

    /// Does errands as they come, for ever; what other processes left behind too.
    pub(super) async fn follow_up(self) {
        let mut crew = Crew::default();
        loop {
            let pause = match self.ready(None) {
                Ok(errands) => self.send_out(&errands, &mut crew),
                Err(error) => {
                    tracing::warn!(hint = error.hint(), "{error}");
                    PATROL
                }
            };
            tokio::select! {
                () = self.errands.bell.notified() => {}
                Some(ended) = crew.working.join_next_with_id() => crew.is_back(ended),
                () = tokio::time::sleep(pause.min(PATROL)) => {}
            }
        }
    }

    /// A worker for each account with something to do that has none; how long until the next is due.
    fn send_out(&self, errands: &[Errand], crew: &mut Crew) -> Duration {
        let now = (self.clock)();
        let mut pause = PATROL;
        for errand in errands {
            let account = (errand.username.clone(), errand.org.as_str());
            let rest = crew.until_sent(&account);
            if rest != Some(Duration::ZERO) {
                pause = pause.min(rest.unwrap_or(PATROL));
                continue;
            }
            let wait = until_due(errand, now);
            if wait > Duration::ZERO {
                pause = pause.min(wait);
                continue;
            }
            let (pipeline, key) = (self.clone(), key_of(errand));
            let worker = crew.working.spawn_blocking(move || {
                let done = pipeline.work_off(&key);
                if let Err(error) = &done {
                    tracing::warn!(hint = error.hint(), "{error}");
                }
                done.is_ok()
            });
            crew.at_work.insert(worker.id(), account);
        }
        pause
    }

    /// Does an account's errands that are due, one after the other. Another process that is at it is waited for:
    /// then they are done. Blocks.
    fn work_off(&self, key: &Key) -> Result<(), LedgerError> {
        let lock = format!("errands {} {}", key.org.as_str(), key.username);
        let _alone = self.ledger.lock(&lock)?;
        loop {
            let now = (self.clock)();
            let of = Some((key.username.as_str(), key.org));
            let next = self.ready(of)?;
            let is_due = |errand: &Errand| until_due(errand, now).is_zero();
            let Some(errand) = next.into_iter().find(is_due) else {
                return Ok(());
            };
            self.errand(key, &errand)?;
        }
    }

    fn errand(&self, key: &Key, errand: &Errand) -> Result<(), LedgerError> {
        let Ok(told) = serde_json::from_str::<Told>(&errand.told) else {
            // a newer version planned it
            return self.ledger.drop_errand(errand.id);
        };
        let follow = &self.errands.follow;
        let (username, step) = (&key.username, &errand.step);
        let (ok, detail) = match follow.run(key, step, &told) {
            Ran::Gone => return self.ledger.drop_errand(errand.id),
            Ran::Done(detail) => (true, detail),
            Ran::Failed(why) => (false, Some(why)),
            Ran::Again(why, after) => match follow.pause(step, errand.tries + 1) {
                None => (false, Some(why)),
                Some(pause) => {
                    let pause = after.unwrap_or(pause).max(pause).min(LONGEST_PAUSE);
                    let pause = SignedDuration::try_from(pause).unwrap_or(SignedDuration::MAX);
                    tracing::warn!(username, step, "failed, and is tried again: {why}");
                    let due = (self.clock)().checked_add(pause).unwrap_or(Timestamp::MAX);
                    return self.ledger.try_errand_again(errand.id, due);
                }
            },
        };
        let result = StepResult {
            username: username.clone(),
            org: key.org,
            step: step.clone(),
            fingerprint: told.fingerprint.clone(),
            at: (self.clock)(),
            ok,
            detail,
        };
        let record = Record {
            username: Some(username.clone()),
            org: Some(key.org),
            fingerprint: told.fingerprint.clone(),
            slot: told.slots.first().cloned(),
            reason: Some(step.clone()),
            detail: result.detail.clone(),
            ..Record::new(result.at, follow.trace(step, ok))
        };
        self.ledger.finish_errand(errand.id, &result, &record)?;
        match (ok, &result.detail) {
            (true, _) => tracing::info!(username, step, event = errand.event, "done"),
            (false, why) => {
                let why = why.as_deref().unwrap_or_default();
                tracing::error!(username, step, event = errand.event, "failed: {why}");
                // a failure to tell of a failure is told in the log only
                let is_of_a_failure = follow.failure(step) == Some(told.event);
                if let Some(event) = follow.failure(step).filter(|_| !is_of_a_failure) {
                    self.announce(
                        key,
                        Told {
                            event,
                            at: result.at,
                            reason: Some(step.clone()),
                            detail: result.detail,
                            ..told
                        },
                    );
                }
            }
        }
        Ok(())
    }

    /// Does what is to be done for these accounts, or for all, until nothing is left that is [waited
    /// for](Follow::is_waited_for): also what is tried again later, and what another process is at.
    ///
    /// # Errors
    /// When the ledger does not answer.
    ///
    /// # Panics
    /// When a step does.
    pub async fn finish_errands(&self, of: Option<&[Key]>) -> Result<(), LedgerError> {
        loop {
            let follow = &self.errands.follow;
            let meant = |errand: &Errand| {
                let is_theirs = of.is_none_or(|keys| keys.contains(&key_of(errand)));
                is_theirs && (errand.tries == 0 || follow.is_waited_for(&errand.step))
            };
            let mut errands = self.ready(None)?;
            errands.retain(meant);
            let now = (self.clock)();
            let Some(wait) = errands.iter().map(|errand| until_due(errand, now)).min() else {
                return Ok(());
            };
            tokio::time::sleep(wait).await;
            let keys: HashSet<Key> = errands.iter().map(key_of).collect();
            let mut working = JoinSet::new();
            for key in keys {
                let pipeline = self.clone();
                working.spawn_blocking(move || pipeline.work_off(&key));
            }
            while let Some(ended) = working.join_next().await {
                match ended {
                    Ok(done) => done?,
                    // NOTE: it must not pass for an end: its errand would be due again at once, for ever
                    Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                    Err(_) => {}
                }
            }
        }
    }
}

/// How long until an errand is due. None is put off for longer than [`LONGEST_PAUSE`]: one that seems to be was put off
/// before the clock went back.
fn until_due(errand: &Errand, now: Timestamp) -> Duration {
    let wait = Duration::try_from(errand.due.duration_since(now)).unwrap_or_default();
    match wait > LONGEST_PAUSE {
        true => Duration::ZERO,
        false => wait,
    }
}

fn key_of(errand: &Errand) -> Key {
    Key {
        username: errand.username.clone(),
        org: errand.org,
    }
}
