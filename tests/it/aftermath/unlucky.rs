//! What goes wrong around the store: mails out of order, stores that fail together, clocks and ledgers that fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sftoken::ingest::event::EventWord;
use sftoken::ingest::policy::{Account, Org};
use sftoken::ingest::token::Fingerprint;
use sftoken::ledger::{Candidate, Event, Ledger, Plan, Reached};
use sftoken::store::{Key, Put, Store, StoreErrorKind};
use sftoken::testing::store::MemoryStore;
use sftoken::watch::{Attempt, Errands, Follow, Order, Ran, Stores, Told, Verify, WaitError, arm};

use super::fakes::{World, failing};
use super::{ORG, logged_in};
use crate::support::salesforce::{ANN, BOB, ago, genuine, new_token};

fn key() -> Key {
    Key {
        username: ANN.to_owned(),
        org: Org::Production,
    }
}

/// A store under a name of its own, that can be told to have a newer token already.
#[derive(Debug, Default)]
struct Named {
    name: &'static str,
    inner: MemoryStore,
    has_newer: std::sync::atomic::AtomicBool,
}

impl Named {
    fn new(name: &'static str) -> Arc<Self> {
        Arc::new(Self {
            name,
            ..Self::default()
        })
    }
}

impl Store for Named {
    fn slot(&self, key: &Key) -> String {
        format!("{}:{}", self.name, key.username)
    }

    fn capabilities(&self) -> sftoken::store::Capabilities {
        self.inner.capabilities()
    }

    fn check(&self) -> Result<(), sftoken::store::StoreError> {
        self.inner.check()
    }

    fn publish(
        &self,
        key: &Key,
        token: &sftoken::Token,
        meta: &sftoken::store::Meta,
    ) -> Result<Put, sftoken::store::StoreError> {
        match self.has_newer.load(Ordering::Relaxed) {
            true => Ok(Put::Superseded),
            false => self.inner.publish(key, token, meta),
        }
    }

    fn get(&self, key: &Key) -> Result<Option<sftoken::Token>, sftoken::store::StoreError> {
        self.inner.get(key)
    }
}

/// A world whose account has two stores.
fn two(when: Verify) -> (World, Arc<Named>, Arc<Named>) {
    let mut world = World::new(when, []);
    let (one, other) = (Named::new("one"), Named::new("two"));
    let mut stores = Stores::default();
    stores.route(key(), one.clone());
    stores.route(key(), other.clone());
    world.pipeline.stores = Arc::new(stores);
    (world, one, other)
}

#[tokio::test]
async fn what_is_kept_out_is_not_forgotten_for_an_older_mail_that_comes_by() {
    let refused = Attempt::Refused(failing("invalid_login", true));
    let world = World::new(Verify::Before, [logged_in(ORG), refused]);
    let kept_out = || {
        let ledger = &world.pipeline.ledger;
        ledger.kept_out(ANN, Org::Production).unwrap().is_some()
    };
    let old = genuine(ANN, &new_token(), ago(600));
    world.give(&old).await;
    world.give(&genuine(ANN, &new_token(), ago(60))).await;
    assert!(kept_out());
    world.give(&genuine(ANN, &new_token(), ago(1200))).await;
    assert!(kept_out(), "an outdated mail says nothing about it");
    world.give(&old).await;
    assert!(kept_out(), "nor does a copy of the one that is stored");
}

#[tokio::test]
async fn a_token_that_is_kept_out_is_told_of_once() {
    let refused = Attempt::Refused(failing("invalid_login", true));
    let world = World::new(Verify::Before, [refused]);
    let mail = genuine(ANN, &new_token(), ago(60));
    world.give(&mail).await;
    world.give(&mail).await;
    world.finish().await;
    assert_eq!(world.desk.done(), ["message not_verified"]);
    let told = &world.desk.told()[0];
    assert_eq!(told.verified, Some(false));
    assert_eq!(told.reason.as_deref(), Some("invalid_login"));
    assert!(told.slots.is_empty(), "it is stored nowhere");
}

#[tokio::test]
async fn two_stores_that_fail_together_are_both_told() {
    let (world, one, other) = two(Verify::Never);
    for store in [&one, &other] {
        store.inner.fail_with(Some(StoreErrorKind::Locked));
    }
    world.give(&genuine(ANN, &new_token(), ago(60))).await;
    world.finish().await;
    let told = world.desk.told();
    let missing: Vec<&str> = told.iter().map(|told| told.missing[0].as_str()).collect();
    let (one, other) = (one.slot(&key()), other.slot(&key()));
    assert_eq!(missing, [one.as_str(), other.as_str()]);
}

#[tokio::test]
async fn a_store_that_has_a_newer_token_when_it_is_back_is_in_no_trouble() {
    let (world, _, other) = two(Verify::Never);
    let mail = genuine(ANN, &new_token(), ago(60));
    other.inner.fail_with(Some(StoreErrorKind::Unreachable));
    world.give(&mail).await;
    let troubles = || world.pipeline.ledger.slot_troubles().unwrap().len();
    assert_eq!(troubles(), 1);
    other.inner.fail_with(None);
    other.has_newer.store(true, Ordering::Relaxed);
    world.give(&mail).await;
    assert_eq!(troubles(), 0);
}

#[tokio::test]
async fn a_store_that_has_a_newer_token_is_noted_once_while_another_one_fails() {
    let (world, one, other) = two(Verify::Never);
    one.has_newer.store(true, Ordering::Relaxed);
    other.inner.fail_with(Some(StoreErrorKind::Unreachable));
    let mail = genuine(ANN, &new_token(), ago(60));
    for _ in 0..5 {
        world.give(&mail).await;
    }
    other.inner.fail_with(None);
    world.give(&mail).await;
    let history = world.pipeline.ledger.history(Some(ANN), 100).unwrap();
    let refused = history.iter().filter(|row| row.outcome == "refused");
    assert_eq!(refused.count(), 1, "{history:?}");
    let reasons: Vec<_> = history.iter().map(|row| row.reason.as_deref()).collect();
    assert!(reasons.contains(&Some("older_than_current")), "{reasons:?}");
}

#[tokio::test]
async fn an_older_token_does_not_get_into_a_store_that_was_added_later() {
    let (mut world, one, other) = two(Verify::Never);
    let both = Arc::clone(&world.pipeline.stores);
    let mut only = Stores::default();
    only.route(key(), one.clone());
    world.pipeline.stores = Arc::new(only);
    world.give(&genuine(ANN, &new_token(), ago(60))).await;
    world.pipeline.stores = both;
    let verdicts = world.give(&genuine(ANN, &new_token(), ago(600))).await;
    assert_eq!(other.get(&key()).unwrap(), None, "it is dead");
    assert!(
        verdicts
            .iter()
            .all(|verdict| verdict.receipt().unwrap().superseded)
    );
}

/// A clock that can be set.
#[derive(Clone)]
struct Hand(Arc<AtomicI64>);

impl Hand {
    fn at(time: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(time.as_second())))
    }

    fn turn(&self, by: SignedDuration) {
        self.0.fetch_add(by.as_secs(), Ordering::Relaxed);
    }

    fn clock(&self) -> sftoken::watch::Clock {
        let second = Arc::clone(&self.0);
        Arc::new(move || Timestamp::from_second(second.load(Ordering::Relaxed)).unwrap())
    }
}

#[tokio::test]
async fn errands_do_not_wait_for_a_clock_that_went_back() {
    let mut world = World::new(Verify::Never, []);
    let hand = Hand::at(ago(0));
    world.pipeline.clock = hand.clock();
    world.give(&genuine(ANN, &new_token(), ago(60))).await;
    hand.turn(SignedDuration::from_hours(-48));
    let finishing = tokio::time::timeout(Duration::from_secs(20), world.finish());
    finishing.await.expect("it waits for two days");
    assert_eq!(world.desk.done(), ["hook stored", "message stored"]);
}

/// Does its step, and then the audit trail has lost its end: nothing can be noted any more.
#[derive(Debug)]
struct Saboteur {
    path: std::path::PathBuf,
    runs: AtomicUsize,
}

impl Follow for Saboteur {
    fn steps(&self, _: &Key, _: EventWord) -> Vec<String> {
        vec!["hook".to_owned()]
    }

    fn run(&self, _: &Key, _: &str, _: &Told) -> Ran {
        self.runs.fetch_add(1, Ordering::Relaxed);
        let file = rusqlite::Connection::open(&self.path).unwrap();
        file.execute("DELETE FROM trail_ends", []).unwrap();
        Ran::Done(None)
    }

    fn pause(&self, _: &str, _: u32) -> Option<Duration> {
        None
    }

    fn trace(&self, _: &str, _: bool) -> Event {
        Event::HookDone
    }

    fn is_waited_for(&self, _: &str) -> bool {
        true
    }

    fn comes_after(&self, _: &str, _: &str) -> bool {
        false
    }

    fn failure(&self, _: &str) -> Option<EventWord> {
        None
    }
}

fn order(username: &str, timeout: Duration) -> Order {
    Order {
        accounts: vec![Account {
            username: username.to_owned(),
            org: Some(Org::Production),
        }],
        mailboxes: Vec::new(),
        since: ago(0),
        timeout,
    }
}

#[tokio::test]
async fn a_hook_whose_end_cannot_be_noted_is_not_run_without_a_pause() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let mut world = World::new(Verify::Never, []);
    world.pipeline.ledger = Arc::new(Ledger::open(&path).unwrap());
    let follow = Arc::new(Saboteur {
        path,
        runs: AtomicUsize::new(0),
    });
    world.pipeline.errands = Errands::by(follow.clone());
    let length = Duration::from_secs(3);
    let armed = arm(order(BOB, length), &world.pipeline).await.unwrap();
    world.give(&genuine(ANN, &new_token(), ago(0))).await;
    let _ = armed.collect(length).await;
    assert_eq!(follow.runs.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_reset_that_takes_longer_than_the_wait_is_still_announced() {
    let mut world = World::new(Verify::Never, []);
    let hand = Hand::at(ago(0));
    world.pipeline.clock = hand.clock();
    let length = Duration::from_secs(2);
    let armed = arm(order(ANN, length), &world.pipeline).await.unwrap();
    // a person presses the button at last
    hand.turn(SignedDuration::from_mins(10));
    let now = (world.pipeline.clock)();
    let ledger = Arc::clone(&world.pipeline.ledger);
    let announced = || {
        let skew = SignedDuration::from_mins(2);
        ledger
            .is_announced(ANN, Org::Production, now, skew)
            .unwrap()
    };
    let (_, during) = tokio::join!(armed.collect(length), async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        announced()
    });
    assert!(during, "the wait has begun: its mail may come now");
    let later = now + SignedDuration::from_mins(10);
    let skew = SignedDuration::from_mins(2);
    assert!(
        !ledger
            .is_announced(ANN, Org::Production, later, skew)
            .unwrap()
    );
}

#[tokio::test(start_paused = true)]
async fn a_reset_is_announced_as_long_as_it_takes() {
    let mut world = World::new(Verify::Never, []);
    let hand = Hand::at(ago(0));
    world.pipeline.clock = hand.clock();
    let length = Duration::from_secs(2);
    let armed = arm(order(ANN, length), &world.pipeline).await.unwrap();
    let resetting = async {
        tokio::time::sleep(Duration::from_secs(20)).await;
        hand.turn(SignedDuration::from_mins(10));
        tokio::time::sleep(Duration::from_secs(40)).await;
        let (now, skew) = ((world.pipeline.clock)(), SignedDuration::from_mins(2));
        let ledger = &world.pipeline.ledger;
        ledger.is_announced(ANN, Org::Production, now, skew)
    };
    assert!(armed.during(length, resetting).await.unwrap());
}

#[tokio::test]
async fn a_wait_does_not_end_before_another_process_has_planned_the_hooks() {
    let world = World::new(Verify::Never, []);
    let length = Duration::from_secs(3);
    let armed = arm(order(ANN, length), &world.pipeline).await.unwrap();
    // as a daemon leaves it between the store and the record
    let receipt = {
        let apart = World::new(Verify::Never, []);
        let verdicts = apart.give(&genuine(ANN, &new_token(), ago(0))).await;
        verdicts[0].receipt().unwrap().clone()
    };
    let report = &receipt.report;
    let (slot, date) = (receipt.slot.clone().unwrap(), report.date.unwrap());
    let mail = Candidate {
        rank: sftoken::ingest::order::Rank {
            date,
            arrival: Default::default(),
        },
        fingerprint: report.fingerprint.clone().unwrap(),
        message_id: report.message_id.clone(),
        org: Org::Production,
    };
    world.pipeline.ledger.intend(&slot, &mail).unwrap();
    world.pipeline.ledger.commit(&slot, &receipt).unwrap();
    let ended = armed.collect(length).await;
    assert!(matches!(ended, Err(WaitError::Late { .. })), "{ended:?}");
}

/// Plans what is to be done with a token that these slots have; whether it is news.
fn plan(world: &World, fingerprint: &Fingerprint, slots: &[&str]) -> bool {
    let plan = Plan {
        username: ANN,
        org: Org::Production,
        event: "stored",
        replaces: true,
        steps: &["hook".to_owned()],
        told: &|_| fingerprint.to_string(),
        at: ago(0),
    };
    let slots: Vec<String> = slots.iter().map(|&slot| slot.to_owned()).collect();
    let reached = Reached {
        fingerprint,
        slots: &slots,
    };
    let ledger = &world.pipeline.ledger;
    ledger.record_stored(&[], Some((plan, reached))).unwrap()
}

#[tokio::test]
async fn an_older_token_that_is_recorded_late_takes_no_hook_away_from_a_newer_one() {
    let world = World::new(Verify::Never, []);
    world.give(&genuine(ANN, &new_token(), ago(60))).await;
    let older = sftoken::Token::new(&new_token()).unwrap().fingerprint();
    // stored before the newer one, and recorded after it: its log-in took so long
    let slot = format!("memory:production/{ANN}");
    assert!(!plan(&world, &older, &[&slot]));
    world.finish().await;
    assert_eq!(world.desk.done(), ["hook stored", "message stored"]);
}

#[tokio::test]
async fn whoever_saw_one_slot_fail_plans_nothing_that_was_planned_for_both() {
    let (world, one, other) = two(Verify::Never);
    let token = new_token();
    world.give(&genuine(ANN, &token, ago(60))).await;
    world.finish().await;
    let print = sftoken::Token::new(&token).unwrap().fingerprint();
    let (one, other) = (one.slot(&key()), other.slot(&key()));
    assert!(!plan(&world, &print, &[&one]));
    assert!(!plan(&world, &print, &[&one, &other]));
}

#[tokio::test]
async fn a_process_that_dies_after_the_store_does_not_lose_that_the_token_logged_in() {
    let mut world = World::new(Verify::Before, [logged_in(ORG)]);
    let mail = genuine(ANN, &new_token(), ago(60));
    // the record cannot be written, as if the process had died before it
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    world.pipeline.ledger = Arc::new(Ledger::open(&path).unwrap());
    let file = rusqlite::Connection::open(&path).unwrap();
    let (stop, go_on) = (
        "CREATE TRIGGER stop BEFORE INSERT ON decisions BEGIN SELECT RAISE(ABORT, 'stop'); END;
        CREATE TRIGGER stop_too BEFORE UPDATE ON slots WHEN NEW.receipt LIKE '%\"verified\":true%'
        BEGIN SELECT RAISE(ABORT, 'stop'); END",
        "DROP TRIGGER stop; DROP TRIGGER stop_too",
    );
    file.execute_batch(stop).unwrap();
    world.give(&mail).await;
    file.execute_batch(go_on).unwrap();
    let verdicts = world.give(&mail).await;
    assert_eq!(verdicts[0].receipt().unwrap().verified, Some(true));
    world.finish().await;
    assert_eq!(world.attempts(), 1);
    let done = world.desk.done();
    assert!(done.contains(&"message verified".to_owned()), "{done:?}");
}

/// Somebody else's step that panics: it is no end, and not tried again without a pause.
#[derive(Debug, Default)]
struct Panics(AtomicUsize);

impl Follow for Panics {
    fn steps(&self, _: &Key, _: EventWord) -> Vec<String> {
        vec!["hook".to_owned()]
    }

    fn run(&self, _: &Key, _: &str, _: &Told) -> Ran {
        self.0.fetch_add(1, Ordering::SeqCst);
        panic!("a fault of the step")
    }

    fn pause(&self, _: &str, _: u32) -> Option<Duration> {
        None
    }

    fn trace(&self, _: &str, _: bool) -> Event {
        Event::HookFailed
    }

    fn is_waited_for(&self, _: &str) -> bool {
        true
    }

    fn comes_after(&self, _: &str, _: &str) -> bool {
        false
    }

    fn failure(&self, _: &str) -> Option<EventWord> {
        None
    }
}

#[tokio::test]
async fn a_step_that_panics_is_not_run_for_ever() {
    let world = World::new(Verify::Never, []);
    let follow = Arc::new(Panics::default());
    let pipeline = sftoken::watch::Pipeline {
        errands: Errands::by(follow.clone()),
        ..world.pipeline.clone()
    };
    world
        .give_to(&pipeline, &genuine(ANN, &new_token(), ago(60)))
        .await;
    let finishing = tokio::spawn(async move { pipeline.finish_errands(None).await });
    let ended = tokio::time::timeout(Duration::from_secs(20), finishing).await;
    assert!(ended.expect("it ends").unwrap_err().is_panic());
    assert_eq!(follow.0.load(Ordering::SeqCst), 1);
}
