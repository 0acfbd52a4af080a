//! The world of these stories: a server in memory, a store, a ledger, and a watch that goes on.
//!
//! Knows how they fit together, and virtual time. Never touches a network or a file.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sftoken::dns::Resolver;
use sftoken::ingest::event::Receipt;
use sftoken::ledger::Ledger;
use sftoken::store::{Key, Store as _};
use sftoken::testing::server::{Quirks, Server};
use sftoken::testing::store::MemoryStore;
use sftoken::watch::{Clock, MailboxTask, Pipeline, Shutdown, Stopped, Stores, Verdict, watch};
use sftoken::{KeyAnswers, Org, Policy, Recipe};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::support::salesforce::{SELECTOR, genuine, key_name, key_record, new_token};

pub(crate) const USER: &str = "ann";
pub(crate) const PASSWORD: &str = "password";
/// Longer than anything here may take.
pub(crate) const LONG: Duration = Duration::from_secs(12 * 3600);

pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) store: Arc<MemoryStore>,
    begun: (Instant, Timestamp),
    /// How far the wall clock is ahead: the machine slept.
    pub(crate) ahead: Arc<AtomicI64>,
}

/// A watch that goes on.
pub(crate) struct Watch {
    task: JoinHandle<Result<(), Vec<Stopped>>>,
    verdicts: mpsc::UnboundedReceiver<Verdict>,
    _switch: tokio::sync::watch::Sender<bool>,
}

impl World {
    pub(crate) fn new(quirks: Quirks) -> Self {
        let server = Server::with(quirks);
        server.add_user(USER, PASSWORD);
        Self {
            server,
            store: Arc::new(MemoryStore::new()),
            begun: (Instant::now(), Timestamp::now()),
            ahead: Arc::default(),
        }
    }

    pub(crate) fn clock(&self) -> Clock {
        let ((steady, wall), ahead) = (self.begun, Arc::clone(&self.ahead));
        Arc::new(move || {
            let passed = SignedDuration::try_from(steady.elapsed()).unwrap();
            wall + passed + SignedDuration::from_secs(ahead.load(Ordering::SeqCst))
        })
    }

    pub(crate) fn pipeline(&self) -> Pipeline {
        let keys = format!("{} {}\n", key_name(SELECTOR), key_record());
        let store: Arc<dyn sftoken::store::Store> = self.store.clone();
        Pipeline {
            policy: Arc::new(Policy {
                max_age: Some(SignedDuration::from_hours(7 * 24)),
                ..Policy::default()
            }),
            recipes: Recipe::built_in(),
            verifier: Arc::new(sftoken::watch::NoVerifier),
            errands: sftoken::watch::Errands::default(),
            limits: Arc::default(),
            keep: None,
            resolver: Arc::new(Resolver::from_files(
                KeyAnswers::from_key_file(&keys).unwrap(),
            )),
            stores: Arc::new(Stores::all_in(store)),
            ledger: Arc::new(Ledger::in_memory().unwrap()),
            clock: self.clock(),
        }
    }

    pub(crate) fn task(&self) -> MailboxTask {
        MailboxTask::new("ops", Arc::new(self.server.door(USER, PASSWORD)))
    }

    pub(crate) fn watch(&self, task: MailboxTask) -> Watch {
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
    pub(crate) fn send(&self, username: &str, folder: &str) -> (String, u32) {
        let (token, now) = (new_token(), (self.clock())());
        let mail = genuine(username, &token, now);
        (token, self.server.deliver(USER, folder, &mail, now))
    }

    pub(crate) fn kept(&self, username: &str) -> Option<String> {
        let key = Key {
            username: username.to_owned(),
            org: Org::Production,
        };
        let token = self.store.get(&key).unwrap()?;
        Some(token.expose().to_owned())
    }

    pub(crate) fn flags(&self, uid: u32) -> Vec<String> {
        self.server.flags(USER, "INBOX", uid)
    }
}

impl Watch {
    /// The next token that is stored; how long it took.
    pub(crate) async fn stored(&mut self) -> (Receipt, Duration) {
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
    pub(crate) fn troubles(&mut self) -> Vec<&'static str> {
        let mut kinds = Vec::new();
        while let Ok(verdict) = self.verdicts.try_recv() {
            if let Verdict::Open(_, trouble) = verdict {
                kinds.push(trouble.kind());
            }
        }
        kinds
    }

    /// Why it ended.
    pub(crate) async fn end(self) -> (&'static str, Duration) {
        let begun = Instant::now();
        let ended = timeout(LONG, self.task).await.expect("in time").unwrap();
        (ended.unwrap_err()[0].error.kind(), begun.elapsed())
    }
}
