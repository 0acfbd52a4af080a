//! What all connections share: the world behind its lock, and the news of it.
//!
//! Knows that something changed, not what. Never waits with the lock held. Its data comes from the
//! test and from the connections.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::faults::Fault;
use super::world::World;

/// The world, and news.
pub(super) struct Shared {
    world: Mutex<World>,
    news: Mutex<News>,
    /// NOTE: no `tokio::sync::watch`: it wakes who waits in an order of its own dice, and the same seed would
    /// not be the same story.
    told: Notify,
}

/// How often each thing has happened: a connection compares it with what it knew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct News {
    /// Mails came, went, or bear other flags.
    pub(super) changes: u64,
    /// All connections are cut.
    pub(super) cuts: u64,
    /// All connections fall silent.
    pub(super) silences: u64,
    /// All clients are sent away, with this text.
    pub(super) farewells: u64,
    pub(super) farewell: Arc<str>,
    /// All NOTIFY are given up.
    pub(super) overflows: u64,
}

/// What happened so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Connections that were accepted.
    pub connections: u64,
    /// Connections that were not.
    pub refused_connections: u64,
    /// Log-ins, refused ones among them.
    pub log_ins: u64,
    /// Log-ins that were refused.
    pub refused_log_ins: u64,
    /// Commands that change something or would, refused ones among them: STORE, COPY, MOVE, EXPUNGE,
    /// APPEND, CREATE, a FETCH that sets `\Seen`, a CLOSE that expunges.
    pub writes: u64,
    /// Misfortunes that befell a connection.
    pub faults: u64,
    /// The most connections of one user at one time.
    pub most_connected: usize,
    /// Commands by name, without `UID`; unknown ones are not counted.
    pub commands: BTreeMap<String, u64>,
}

impl Shared {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            world: Mutex::default(),
            news: Mutex::default(),
            told: Notify::new(),
        })
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn news(&self) -> News {
        self.lock_news().clone()
    }

    /// Returns when there is other news than is `known`.
    pub(super) async fn news_after(&self, known: &News) {
        loop {
            let mut told = pin!(self.told.notified());
            // from here on nothing is missed
            told.as_mut().enable();
            if self.news() != *known {
                return;
            }
            told.await;
        }
    }

    pub(super) fn tell(&self, what: impl FnOnce(&mut News)) {
        what(&mut self.lock_news());
        self.told.notify_waiters();
    }

    fn lock_news(&self) -> MutexGuard<'_, News> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something changed in the mailboxes.
    pub(super) fn changed(&self) {
        self.tell(|news| news.changes += 1);
    }

    /// What befalls a greeting.
    pub(super) fn greeted(&self) -> Option<Fault> {
        let mut world = self.world();
        world.counts.connections += 1;
        let fault = world.faults.at_greeting();
        world.counts.faults += u64::from(fault.is_some());
        fault
    }

    /// Counts a command; what befalls it.
    pub(super) fn commanded(&self, name: &str, line: String) -> Option<Fault> {
        let mut world = self.world();
        world.note(line);
        world.counts.log_ins += u64::from(matches!(name, "LOGIN" | "AUTHENTICATE"));
        *world.counts.commands.entry(name.to_owned()).or_default() += 1;
        let fault = world.faults.at_command(name);
        world.counts.faults += u64::from(fault.is_some());
        fault
    }
}
