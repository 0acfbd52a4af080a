//! The world of one run: mailboxes, the machines that watch them, and their store.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sftoken::ingest::token::Token;
use sftoken::store::StoreErrorKind;
use sftoken::testing::server::{Dice, Fault, Illness, Odds, On, Server};
use sftoken::watch::Clock;
use tokio::time::Instant;

mod holds;
mod machines;

use machines::Machine;

use super::ear::Ear;
use super::post::{Sender, Vault};

/// Each with a server of its own; the last one is watched from two machines, which make claims.
const NAMES: [&str; 4] = ["ops", "billing", "night", "shared"];
const SHARED: usize = NAMES.len() - 1;
pub(crate) const FOLDERS: [&str; 2] = ["INBOX", "Junk"];
const USER: &str = "ann";
const PASSWORD: &str = "password";

/// A genuine mail that was delivered.
pub(crate) struct Sent {
    pub(crate) token: String,
    pub(crate) date: Timestamp,
    pub(crate) bytes: Vec<u8>,
}

/// A mailbox, its server, and the account whose mails come to it.
pub(crate) struct Postbox {
    pub(crate) name: &'static str,
    pub(crate) server: Server,
    pub(crate) sent: Vec<Sent>,
    /// Folders to which nothing is delivered before: UIDs that are used again can only be noticed while
    /// UIDNEXT is low.
    pub(crate) quiet_until: BTreeMap<&'static str, Instant>,
}

pub(crate) struct Stage {
    pub(crate) boxes: Vec<Postbox>,
    pub(crate) sender: Sender,
    pub(crate) vault: Arc<Vault>,
    pub(crate) restarts: u64,
    /// Lines and log-ins of the worst hour of one mailbox, or of all.
    worst: (u64, u64),
    locked_until: Option<Instant>,
    events: BTreeMap<&'static str, u32>,
    seed: u64,
    ear: Ear,
    begun: Instant,
    /// How far the wall clock is ahead of the other: the machine slept.
    ahead: Arc<AtomicI64>,
    home: tempfile::TempDir,
    machines: Vec<Machine>,
    /// How often a daemon was started.
    starts: u64,
    /// Nobody can ask for keys.
    deaf: Arc<AtomicBool>,
    deaf_until: Option<Instant>,
}

impl Postbox {
    pub(crate) fn username(&self) -> String {
        format!("{}@acme.example", self.name)
    }

    /// Delivers, now or never.
    pub(crate) fn deliver(&self, folder: &str, bytes: &[u8], date: Timestamp) {
        self.server.deliver(USER, folder, bytes, date);
    }

    pub(crate) fn user(&self) -> &'static str {
        USER
    }
}

impl Stage {
    pub(crate) fn new(seed: u64, ear: Ear) -> Self {
        // in memory where there is such a place: the ledger is synced hundreds of thousands of times
        let home = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let boxes = NAMES.map(|name| {
            let server = Server::new();
            server.add_user(USER, PASSWORD);
            Postbox {
                name,
                server,
                sent: Vec::new(),
                quiet_until: BTreeMap::new(),
            }
        });
        Self {
            boxes: boxes.into(),
            sender: Sender::new(),
            vault: Vault::new(),
            restarts: 0,
            worst: (0, 0),
            locked_until: None,
            events: BTreeMap::new(),
            seed,
            ear,
            begun: Instant::now(),
            ahead: Arc::default(),
            home: home.unwrap(),
            machines: Machine::all(),
            starts: 0,
            deaf: Arc::default(),
            deaf_until: None,
        }
    }

    pub(crate) fn mailboxes(&self) -> u64 {
        u64::try_from(self.boxes.len()).unwrap()
    }

    // --- time ---

    fn clock(&self) -> Clock {
        let (begun, ahead) = (self.begun, Arc::clone(&self.ahead));
        let base: Timestamp = "2026-11-02T00:00:00Z".parse().unwrap();
        Arc::new(move || {
            let steady = SignedDuration::try_from(begun.elapsed()).unwrap();
            base + steady + SignedDuration::from_secs(ahead.load(Ordering::SeqCst))
        })
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock())()
    }

    /// The machine sleeps: its connections are forgotten meanwhile.
    pub(crate) fn sleep(&self, time: Duration) {
        let seconds = i64::try_from(time.as_secs()).unwrap();
        self.ahead.fetch_add(seconds, Ordering::SeqCst);
        self.boxes.iter().for_each(|one| one.server.silence_all());
    }

    // --- what happens ---

    /// A genuine mail for the account, dated a little before now, but after the one before.
    pub(crate) fn send(&mut self, at: usize, folder: &str) -> String {
        let now = self.now();
        let one = &mut self.boxes[at];
        let earliest = one
            .sent
            .last()
            .map(|sent| sent.date + SignedDuration::from_secs(1));
        let date = Timestamp::from_second(now.as_second() - 5).unwrap();
        let date = earliest.map_or(date, |earliest| earliest.max(date));
        let (token, bytes) = self.sender.genuine(&one.username(), date);
        one.deliver(folder, &bytes, now);
        one.sent.push(Sent {
            token: token.clone(),
            date,
            bytes,
        });
        token
    }

    /// The server says this with each answer to a command.
    pub(crate) fn always(&self, at: usize, command: &'static str, line: &str) {
        for _ in 0..5_000 {
            let fault = Fault::Say(vec![line.to_owned()]);
            self.boxes[at].server.befall(On::Command(command), fault);
        }
    }

    /// Puts a backup back.
    pub(crate) fn restore(&self, at: usize, folder: &str, uid_next: u32) {
        self.boxes[at].server.restore(USER, folder, uid_next);
    }

    /// Gives a folder new UIDs.
    pub(crate) fn renumber(&self, at: usize, folder: &str) {
        self.boxes[at].server.renumber(USER, folder);
    }

    /// Makes the newest mail of a folder ill.
    pub(crate) fn afflict_last(&self, at: usize, folder: &str, illness: Illness) {
        let server = &self.boxes[at].server;
        let uid = server.uid_next(USER, folder) - 1;
        server.afflict(USER, folder, uid, Some(illness));
    }

    /// Another client changes the newest mail of a folder so often.
    pub(crate) fn mark_last(&self, at: usize, folder: &str, times: usize) {
        let server = &self.boxes[at].server;
        let uid = server.uid_next(USER, folder) - 1;
        for time in 0..times {
            let flags: &[&str] = if time % 2 == 0 { &["\\Seen"] } else { &[] };
            server.set_flags(USER, folder, uid, flags);
        }
    }

    /// A mail that has nothing to do with tokens.
    pub(crate) fn send_other(&mut self, at: usize, folder: &str) {
        let mail = self.sender.unrelated();
        self.boxes[at].deliver(folder, &mail, self.now());
    }

    /// The token that the store holds for a mailbox's account.
    pub(crate) fn newest(&self, at: usize) -> Option<String> {
        self.vault.puts(&self.boxes[at].username()).pop()
    }

    pub(crate) fn end_all_misfortune(&mut self) {
        self.vault.inner.fail_with(None);
        self.deaf.store(false, Ordering::SeqCst);
        for one in &self.boxes {
            one.server.roll(Dice::new(0), Odds::default());
            one.server.down_for(Duration::ZERO);
            for folder in FOLDERS {
                for uid in one.server.uids(USER, folder) {
                    one.server.afflict(USER, folder, uid, None);
                }
            }
        }
    }

    /// Whether a mail may be deleted by its owner: it is no genuine one, or it has its outcome.
    pub(crate) fn is_dealt_with(&self, at: usize, folder: &str, uid: u32) -> bool {
        let one = &self.boxes[at];
        let bytes = one.server.bytes(USER, folder, uid);
        let is_it = |sent: &&Sent| Some(&sent.bytes[..]) == bytes.as_deref();
        let Some(sent) = one.sent.iter().find(is_it) else {
            return true;
        };
        let fingerprint = Token::new(&sent.token).unwrap().fingerprint();
        self.histories(at).iter().all(|history| {
            history.iter().any(|decision| {
                decision.fingerprint.as_ref() == Some(&fingerprint)
                    && decision.outcome != "undecided"
            })
        })
    }

    /// Locks the store for so long; other things happen meanwhile.
    pub(crate) fn lock_store(&mut self, time: Duration) {
        self.locked_until = Some(Instant::now() + time);
        self.vault.inner.fail_with(Some(StoreErrorKind::Locked));
    }

    pub(crate) fn unlock_store_in_time(&mut self) {
        if self
            .locked_until
            .take_if(|until| *until <= Instant::now())
            .is_some()
        {
            self.note("the store is open");
            self.vault.inner.fail_with(None);
        }
    }

    /// The DNS is down for so long: keys are neither there nor absent.
    pub(crate) fn lose_dns(&mut self, time: Duration) {
        self.deaf_until = Some(Instant::now() + time);
        self.deaf.store(true, Ordering::SeqCst);
    }

    pub(crate) fn find_dns_in_time(&mut self) {
        let now = Instant::now();
        if self.deaf_until.take_if(|until| *until <= now).is_some() {
            self.note("the DNS answers");
            self.deaf.store(false, Ordering::SeqCst);
        }
    }

    /// Counts an event, so that the summary tells what was tried.
    pub(crate) fn count(&mut self, event: &'static str) {
        *self.events.entry(event).or_default() += 1;
    }

    pub(crate) fn note(&self, line: &str) {
        let hours = self.begun.elapsed().as_secs_f64() / 3600.0;
        self.ear.note(format!("{hours:9.4} h {line}"));
    }

    /// For whoever reads a failure.
    pub(crate) fn story(&self) -> String {
        let hours = self.begun.elapsed().as_secs_f64() / 3600.0;
        let mut story = format!("seed {}, hour {hours:.4}\n{}", self.seed, self.ear.last());
        for one in &self.boxes {
            let recent = one.server.recent();
            let recent = recent.iter().rev().take(25).rev();
            story += &format!("{}:\n", one.name);
            recent.for_each(|line| story += &format!("    {line}\n"));
        }
        story
    }

    pub(crate) fn summary(&self) -> String {
        let (sent, stored) = self.sent_and_stored();
        let counts: Vec<_> = self.boxes.iter().map(|one| one.server.counts()).collect();
        let faults: u64 = counts.iter().map(|counts| counts.faults).sum();
        let log_ins: u64 = counts.iter().map(|counts| counts.log_ins).sum();
        let hours = self.begun.elapsed().as_secs() / 3600;
        format!(
            "{stored} of {sent} tokens stored, the others overtaken; {faults} faults, {log_ins} log-ins, \
             {} restarts, {} lines ({} errors) in {hours} h; in the worst hour, {} lines and {} log-ins a mailbox; {:?}",
            self.restarts,
            self.ear.lines(),
            self.ear.errors(),
            self.worst.0,
            self.worst.1,
            self.events,
        )
    }
}
