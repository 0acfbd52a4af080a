//! What befalls a watch, in virtual time, on an IMAP server in memory. Every story ends with what is in the
//! store, or with why nothing can be.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sftoken::dns::Resolver;
use sftoken::ingest::event::Receipt;
use sftoken::ledger::Ledger;
use sftoken::store::{Key, Store as _};
use sftoken::testing::server::{Fault, Illness, On, Quirks, Server};
use sftoken::testing::store::MemoryStore;
use sftoken::watch::{
    Clock, FolderChoice, Handled, MailboxTask, Order, Pipeline, Shutdown, Start, Stopped, Stores,
    Trouble, Verdict, arm, watch,
};
use sftoken::{Account, KeyAnswers, Org, Policy, Recipe};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::support::salesforce::{
    ANN, BOB, SELECTOR, genuine, key_name, key_record, new_token, unrelated,
};

const USER: &str = "ann";
const PASSWORD: &str = "password";
/// Longer than anything here may take.
const LONG: Duration = Duration::from_secs(12 * 3600);

struct World {
    server: Server,
    store: Arc<MemoryStore>,
    begun: (Instant, Timestamp),
    /// How far the wall clock is ahead: the machine slept.
    ahead: Arc<AtomicI64>,
}

/// A watch that goes on.
struct Watch {
    task: JoinHandle<Result<(), Vec<Stopped>>>,
    verdicts: mpsc::UnboundedReceiver<Verdict>,
    _switch: tokio::sync::watch::Sender<bool>,
}

impl World {
    fn new(quirks: Quirks) -> Self {
        let server = Server::with(quirks);
        server.add_user(USER, PASSWORD);
        Self {
            server,
            store: Arc::new(MemoryStore::new()),
            begun: (Instant::now(), Timestamp::now()),
            ahead: Arc::default(),
        }
    }

    fn clock(&self) -> Clock {
        let ((steady, wall), ahead) = (self.begun, Arc::clone(&self.ahead));
        Arc::new(move || {
            let passed = SignedDuration::try_from(steady.elapsed()).unwrap();
            wall + passed + SignedDuration::from_secs(ahead.load(Ordering::SeqCst))
        })
    }

    fn pipeline(&self) -> Pipeline {
        let keys = format!("{} {}\n", key_name(SELECTOR), key_record());
        let store: Arc<dyn sftoken::store::Store> = self.store.clone();
        Pipeline {
            policy: Arc::new(Policy {
                max_age: Some(SignedDuration::from_hours(7 * 24)),
                ..Policy::default()
            }),
            recipes: Recipe::built_in(),
            resolver: Arc::new(Resolver::from_files(
                KeyAnswers::from_key_file(&keys).unwrap(),
            )),
            stores: Arc::new(Stores::all_in(store)),
            ledger: Arc::new(Ledger::in_memory().unwrap()),
            clock: self.clock(),
        }
    }

    fn task(&self) -> MailboxTask {
        MailboxTask::new("ops", Arc::new(self.server.door(USER, PASSWORD)))
    }

    fn watch(&self, task: MailboxTask) -> Watch {
        let (sender, verdicts) = mpsc::unbounded_channel();
        let (switch, shutdown) = Shutdown::new();
        let pipeline = self.pipeline();
        let task =
            tokio::spawn(async move { watch(vec![task], &pipeline, &sender, &shutdown).await });
        Watch {
            task,
            verdicts,
            _switch: switch,
        }
    }

    /// Delivers a token mail of now; its token and UID.
    fn send(&self, username: &str, folder: &str) -> (String, u32) {
        let (token, now) = (new_token(), (self.clock())());
        let mail = genuine(username, &token, now);
        (token, self.server.deliver(USER, folder, &mail, now))
    }

    fn kept(&self, username: &str) -> Option<String> {
        let key = Key {
            username: username.to_owned(),
            org: Org::Production,
        };
        let token = self.store.get(&key).unwrap()?;
        Some(token.expose().to_owned())
    }

    fn flags(&self, uid: u32) -> Vec<String> {
        self.server.flags(USER, "INBOX", uid)
    }
}

impl Watch {
    /// The next token that is stored; how long it took.
    async fn stored(&mut self) -> (Receipt, Duration) {
        let begun = Instant::now();
        loop {
            let verdict = timeout(LONG, self.verdicts.recv()).await;
            if let Verdict::Settled(receipt) = verdict.expect("in time").expect("it goes on")
                && receipt.stored_at.is_some()
            {
                return (receipt, begun.elapsed());
            }
        }
    }

    /// The kinds of trouble that were told so far.
    fn troubles(&mut self) -> Vec<&'static str> {
        let mut kinds = Vec::new();
        while let Ok(verdict) = self.verdicts.try_recv() {
            if let Verdict::Open(_, trouble) = verdict {
                kinds.push(trouble.kind());
            }
        }
        kinds
    }

    /// Why it ended.
    async fn end(self) -> (&'static str, Duration) {
        let begun = Instant::now();
        let ended = timeout(LONG, self.task).await.expect("in time").unwrap();
        (ended.unwrap_err()[0].error.kind(), begun.elapsed())
    }
}

#[tokio::test(start_paused = true)]
async fn a_mail_that_cannot_be_fetched_is_set_aside_and_holds_up_no_other() {
    for illness in [
        Illness::BreaksConnection,
        Illness::BodyBreaksConnection,
        Illness::NilBody,
    ] {
        let world = World::new(Quirks::default());
        let (bad, uid) = world.send(BOB, "INBOX");
        world.server.afflict(USER, "INBOX", uid, Some(illness));
        let mut watching = world.watch(world.task());
        // a first connection may break before it is known which mail does it
        let (good, _) = world.send(ANN, "INBOX");
        let (_, took) = watching.stored().await;
        assert!(took < Duration::from_secs(60), "{illness:?}: {took:?}");
        assert_eq!(world.kept(ANN), Some(good));
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert_eq!(
            watching.troubles(),
            [Trouble::SetAside.kind()],
            "{illness:?}"
        );
        let log_ins = world.server.counts().log_ins;
        assert!(log_ins <= 20, "{illness:?}: {log_ins} in an hour");
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert_eq!(world.server.counts().log_ins, log_ins, "{illness:?}");
        // kept, not dropped
        assert_eq!(world.kept(BOB), None);
        world.server.afflict(USER, "INBOX", uid, None);
        watching.stored().await;
        assert_eq!(world.kept(BOB), Some(bad), "{illness:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_mail_without_a_date_of_arrival_is_stored_all_the_same() {
    let world = World::new(Quirks::default());
    let (token, uid) = world.send(ANN, "INBOX");
    world
        .server
        .afflict(USER, "INBOX", uid, Some(Illness::NilDate));
    let mut watching = world.watch(world.task());
    let (_, took) = watching.stored().await;
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!(world.kept(ANN), Some(token));
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_nobody_follows_up_expires() {
    let world = World::new(Quirks::default());
    let (token, uid) = world.send(ANN, "INBOX");
    let claimed = ["$SftokenClaimed", "$SftokenConfirmed"];
    world.server.set_flags(USER, "INBOX", uid, &claimed);
    let mut watching = world.watch(MailboxTask {
        claim: true,
        ..world.task()
    });
    tokio::time::sleep(Duration::from_secs(115)).await;
    assert_eq!(world.kept(ANN), None);
    let (_, took) = watching.stored().await;
    assert!(took < Duration::from_secs(200), "{took:?}");
    assert_eq!(world.kept(ANN), Some(token));
    assert!(world.flags(uid).iter().any(|flag| flag == "$SftokenStored"));
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_is_followed_up_is_respected() {
    let world = World::new(Quirks::default());
    let (token, uid) = world.send(ANN, "INBOX");
    let claimed = ["$SftokenClaimed", "$SftokenConfirmed"];
    world.server.set_flags(USER, "INBOX", uid, &claimed);
    let mut watching = world.watch(MailboxTask {
        claim: true,
        ..world.task()
    });
    // its owner works on it again and again
    for round in 0..10 {
        tokio::time::sleep(Duration::from_secs(60)).await;
        let more: &[&str] = if round % 2 == 0 { &["$Other"] } else { &[] };
        let flags = [&claimed[..], more].concat();
        world.server.set_flags(USER, "INBOX", uid, &flags);
        assert_eq!(world.kept(ANN), None);
    }
    // and says that it is done; what this store lacks is written
    let done = ["$SftokenClaimed", "$SftokenConfirmed", "$SftokenStored"];
    world.server.set_flags(USER, "INBOX", uid, &done);
    watching.stored().await;
    assert_eq!(world.kept(ANN), Some(token));
}

/// The token is stored, and the connection breaks before the others are told: the claim is known as our own.
#[tokio::test(start_paused = true)]
async fn a_claim_whose_end_was_cut_is_ended_at_once() {
    let world = World::new(Quirks::default());
    let (token, uid) = world.send(ANN, "INBOX");
    // two steps of the claim, then its end
    for fault in [
        Fault::Slow(Duration::ZERO),
        Fault::Slow(Duration::ZERO),
        Fault::Bye("shutting down".to_owned()),
    ] {
        world.server.befall(On::Command("STORE"), fault);
    }
    let mut watching = world.watch(MailboxTask {
        claim: true,
        ..world.task()
    });
    watching.stored().await;
    assert_eq!(world.kept(ANN), Some(token));
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert!(world.flags(uid).iter().any(|flag| flag == "$SftokenStored"));
    assert_eq!(world.store.publishes(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_server_without_claims_is_watched_without_them() {
    let mut quirks = Quirks::default();
    quirks.keywords = false;
    for quirks in [quirks, Quirks::default().without("CONDSTORE")] {
        let world = World::new(quirks);
        let mut watching = world.watch(MailboxTask {
            claim: true,
            ..world.task()
        });
        let (token, _) = world.send(ANN, "INBOX");
        watching.stored().await;
        assert_eq!(world.kept(ANN), Some(token));
        assert_eq!(world.server.counts().writes, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_slept_connects_at_once() {
    let world = World::new(Quirks::default());
    let mut watching = world.watch(MailboxTask {
        limits: sftoken::inbox::Limits {
            // what is tested is the clock, not the probe
            liveness: Duration::from_secs(3600),
            ..Default::default()
        },
        ..world.task()
    });
    world.send(ANN, "INBOX");
    watching.stored().await;
    for _ in 0..5 {
        // the server has forgotten the connection meanwhile
        world.server.silence_all();
        world.ahead.fetch_add(7_200, Ordering::SeqCst);
        let (token, _) = world.send(ANN, "INBOX");
        let (_, took) = watching.stored().await;
        assert!(took < Duration::from_secs(10), "{took:?}");
        assert_eq!(world.kept(ANN), Some(token));
    }
}

#[tokio::test(start_paused = true)]
async fn a_password_that_is_refused_is_tried_three_times() {
    let world = World::new(Quirks::default());
    let watching = world.watch(MailboxTask::new(
        "ops",
        Arc::new(world.server.door(USER, "wrong")),
    ));
    let (kind, took) = watching.end().await;
    assert_eq!(kind, "login_refused");
    assert!(took < Duration::from_secs(60), "{took:?}");
    assert_eq!(world.server.counts().refused_log_ins, 3);
}

#[tokio::test(start_paused = true)]
async fn who_asks_to_slow_down_is_asked_seldom_and_not_given_up() {
    for plea in [
        "NO [UNAVAILABLE] later",
        "NO [LIMIT] sessions",
        "NO [ALERT] Too many simultaneous connections",
        "NO [THROTTLED] slow down",
    ] {
        let world = World::new(Quirks::default());
        for _ in 0..10 {
            let refused = Fault::Refuse(plea.to_owned());
            world.server.befall(On::Command("AUTHENTICATE"), refused);
        }
        let mut watching = world.watch(world.task());
        let (token, _) = world.send(ANN, "INBOX");
        tokio::time::sleep(Duration::from_secs(600)).await;
        let tries = world.server.counts().log_ins;
        assert!((2..=8).contains(&tries), "{plea}: {tries} in ten minutes");
        watching.stored().await;
        assert_eq!(world.kept(ANN), Some(token));
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ends_with_its_token_is_begun_anew_at_once() {
    let world = World::new(Quirks::default());
    let mut watching = world.watch(world.task());
    for text in [
        "Session invalidated - AccessTokenExpired",
        "Session expired, please login again",
    ] {
        tokio::time::sleep(Duration::from_secs(3500)).await;
        world.server.dismiss_all(text);
        let (token, _) = world.send(ANN, "INBOX");
        let (_, took) = watching.stored().await;
        assert!(took < Duration::from_secs(1), "{took:?}");
        assert_eq!(world.kept(ANN), Some(token));
    }
}

#[tokio::test(start_paused = true)]
async fn a_mail_is_not_removed_where_that_would_remove_others() {
    let quirks = Quirks::default().without("UIDPLUS").without("MOVE");
    let ways = [Handled::Delete, Handled::MoveTo("Done".to_owned())];
    for (handled, copies) in ways.into_iter().zip([0, 1]) {
        let world = World::new(quirks.clone());
        let now = (world.clock())();
        let other = world.server.deliver(USER, "INBOX", unrelated(1), now);
        world.server.set_flags(USER, "INBOX", other, &["\\Deleted"]);
        let (token, uid) = world.send(ANN, "INBOX");
        let mut watching = world.watch(MailboxTask {
            handled,
            folders: vec![FolderChoice::required("INBOX")],
            ..world.task()
        });
        watching.stored().await;
        assert_eq!(world.kept(ANN), Some(token));
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(world.server.uids(USER, "INBOX"), [other, uid]);
        assert_eq!(world.flags(uid), ["\\Deleted"]);
        assert_eq!(world.server.uids(USER, "Done").len(), copies);
        assert!(!world.server.counts().commands.contains_key("EXPUNGE"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_is_made_for_the_mail_is_new_in_whole() {
    let world = World::new(Quirks::default());
    let account = Account {
        username: ANN.to_owned(),
        org: None,
    };
    let mailbox = MailboxTask {
        folders: vec![
            FolderChoice::required("INBOX"),
            FolderChoice::if_there("\\Archive"),
        ],
        start: Start::Now,
        ..world.task()
    };
    let order = Order {
        accounts: vec![account],
        mailboxes: vec![mailbox],
        since: (world.clock())(),
    };
    let armed = arm(order, &world.pipeline()).await.unwrap();
    world.server.add_folder(USER, "Later", Some("\\Archive"));
    let (token, _) = world.send(ANN, "Later");
    let receipts = armed.collect(Duration::from_secs(1200)).await.unwrap();
    assert_eq!(receipts.len(), 1);
    assert_eq!(world.kept(ANN), Some(token));
}

#[tokio::test(start_paused = true)]
async fn hours_of_silence_cost_no_log_in_and_every_mail_is_prompt() {
    for quirks in [
        Quirks::default(),
        Quirks::default().without("NOTIFY"),
        Quirks::default().without("IDLE").without("NOTIFY"),
    ] {
        let world = World::new(quirks);
        let mut watching = world.watch(world.task());
        for hours in [1, 10] {
            tokio::time::sleep(Duration::from_secs(hours * 3600)).await;
            for folder in ["INBOX", "Junk"] {
                let (token, _) = world.send(ANN, folder);
                let (_, took) = watching.stored().await;
                assert!(took <= Duration::from_secs(61), "{folder}: {took:?}");
                // a mail of the same second would have to win by its UID, which is another folder's
                tokio::time::sleep(Duration::from_secs(2)).await;
                assert_eq!(world.kept(ANN), Some(token));
            }
        }
        assert_eq!(world.server.counts().log_ins, 1);
        assert_eq!(world.server.counts().writes, 0);
    }
}
