//! What happens, and when: as the dice have it.

use std::time::Duration;

use sftoken::store::StoreErrorKind;
use sftoken::testing::server::{Dice, Illness, Odds, Quirks};
use tokio::time::Instant;

use super::stage::{FOLDERS, Stage};

/// The longest pause between two events.
const PAUSE: Duration = Duration::from_secs(8 * 60);
/// Mails that are kept in a folder; older ones are deleted by their owner.
const KEPT: usize = 60;

const MINUTE: Duration = Duration::from_secs(60);

pub(crate) struct Fate(Dice);

impl Fate {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Dice::new(seed))
    }

    /// Lets things happen until `end`.
    pub(crate) async fn play(&mut self, stage: &mut Stage, end: Instant) {
        self.weather(stage);
        loop {
            let next = Instant::now() + self.0.between(Duration::ZERO, PAUSE);
            if next >= end {
                break;
            }
            tokio::time::sleep_until(next).await;
            stage.check_alive();
            let at = usize::try_from(self.0.below(stage.mailboxes())).unwrap();
            self.event(stage, at).await;
        }
        tokio::time::sleep_until(end).await;
    }

    /// The odds of the next hour: fair, bad, or a storm.
    fn weather(&mut self, stage: &Stage) {
        for one in &stage.boxes {
            let odds = match self.0.below(4) {
                0 => Odds::default(),
                1 => Odds {
                    no_connection: 300,
                    silence: 20,
                    cut: 40,
                    ..Odds::rough()
                },
                _ => Odds::rough(),
            };
            one.server.roll(Dice::new(self.0.roll()), odds);
            one.server.set_quirks(self.quirks());
        }
    }

    /// A server is not replaced every hour; but a client meets many kinds.
    fn quirks(&mut self) -> Quirks {
        let mut quirks = match self.0.below(5) {
            0 => Quirks::default().without("NOTIFY"),
            1 => Quirks::default().without("IDLE").without("NOTIFY"),
            2 => Quirks::icloud(),
            3 => Quirks::exchange(),
            _ => Quirks::default(),
        };
        quirks.tells_uid_next = self.0.chance(800);
        quirks.exists_before_plus = self.0.chance(300);
        quirks.keepalive = self.0.chance(500).then_some(2 * MINUTE);
        quirks.odd_case = self.0.chance(200);
        quirks
    }

    async fn event(&mut self, stage: &mut Stage, at: usize) {
        let folder = if self.0.chance(700) { "INBOX" } else { "Junk" };
        match self.0.below(100) {
            0..30 => self.reset(stage, at, folder),
            30..42 => self.other_mail(stage, at, folder),
            42..50 => flood(stage, at, folder),
            50..54 => self.copy(stage, at, folder),
            54..58 => mark(stage, at, folder),
            58..63 => self.tidy(stage, at, folder),
            63..67 => renumber(stage, at, folder),
            67..70 => self.restore(stage, at, folder),
            70..74 => {
                stage.note(&format!("{}: all cut", stage.boxes[at].name));
                stage.boxes[at].server.cut_all();
            }
            74..78 => {
                stage.note(&format!("{}: all silent", stage.boxes[at].name));
                stage.boxes[at].server.silence_all();
            }
            78..81 => stage.boxes[at].server.dismiss_all("Server shutting down."),
            81..83 => stage.boxes[at].server.overflow_all(),
            83..87 => {
                let time = self.0.between(MINUTE, 25 * MINUTE);
                stage.note(&format!("{}: down for {time:?}", stage.boxes[at].name));
                stage.boxes[at].server.down_for(time);
                stage.boxes[at].server.cut_all();
            }
            87..91 => self.lock_store(stage).await,
            91..93 => {
                let time = self.0.between(10 * MINUTE, 180 * MINUTE);
                stage.note(&format!("the machine sleeps for {time:?}"));
                stage.sleep(time);
            }
            _ => self.restart(stage).await,
        }
    }

    /// Somebody resets a token: a mail comes. Now and then the server has its trouble with it.
    fn reset(&mut self, stage: &mut Stage, at: usize, folder: &'static str) {
        if is_quiet(stage, at, folder) {
            return;
        }
        let token = stage.send(at, folder);
        let one = &stage.boxes[at];
        stage.note(&format!("{}: {token} to {folder}", one.name));
        if self.0.chance(150) {
            let illnesses = [
                Illness::NilDate,
                Illness::NilBody,
                Illness::BodyBreaksConnection,
                Illness::BreaksConnection,
            ];
            let illness = self.0.pick(&illnesses).copied();
            let (server, user) = (one.server.clone(), one.user());
            let uid = server.uid_next(user, folder) - 1;
            stage.note(&format!("{}: {folder} {uid} is ill: {illness:?}", one.name));
            server.afflict(user, folder, uid, illness);
        }
        if self.0.chance(500) {
            // ill mails get well
            for folder in FOLDERS {
                for uid in one
                    .server
                    .uids(one.user(), folder)
                    .into_iter()
                    .rev()
                    .skip(1)
                {
                    one.server.afflict(one.user(), folder, uid, None);
                }
            }
        }
    }

    fn other_mail(&mut self, stage: &mut Stage, at: usize, folder: &'static str) {
        if is_quiet(stage, at, folder) {
            return;
        }
        let now = stage.now();
        let username = stage.boxes[at].username();
        let mail = match self.0.chance(300) {
            true => stage.sender.forged(&username, now),
            false => stage.sender.unrelated(),
        };
        stage.boxes[at].deliver(folder, &mail, now);
    }

    /// The same mail once more: a label, a rule that copies, a server that delivers twice.
    fn copy(&mut self, stage: &mut Stage, at: usize, folder: &'static str) {
        if is_quiet(stage, at, folder) {
            return;
        }
        let (one, now) = (&stage.boxes[at], stage.now());
        if let Some(sent) = self.0.pick(&one.sent) {
            stage.note(&format!(
                "{}: {} once more, to {folder}",
                one.name, sent.token
            ));
            one.deliver(folder, &sent.bytes, now);
        }
    }

    /// The owner deletes what is old, once it was dealt with.
    fn tidy(&mut self, stage: &mut Stage, at: usize, folder: &'static str) {
        if !stage.is_up_to_date(at) {
            return;
        }
        let one = &stage.boxes[at];
        let uids = one.server.uids(one.user(), folder);
        let old = uids.len().saturating_sub(KEPT);
        one.server.expunge(one.user(), folder, &uids[..old]);
        // and one or another of the newer ones
        if let Some(&uid) = self.0.pick(&uids[old..]) {
            one.server.expunge(one.user(), folder, &[uid]);
        }
    }

    /// A backup is put back: the last mails, which were dealt with, are gone, and UIDNEXT goes back.
    fn restore(&mut self, stage: &mut Stage, at: usize, folder: &'static str) {
        if !stage.is_up_to_date(at) {
            return;
        }
        let one = &stage.boxes[at];
        let next = one.server.uid_next(one.user(), folder);
        let back = u32::try_from(self.0.below(4)).unwrap() + 1;
        let uid_next = next.saturating_sub(back).max(1);
        stage.restore(at, folder, uid_next);
        let name = stage.boxes[at].name;
        stage.note(&format!("{name}: {folder} restored, UIDNEXT {uid_next}"));
        if next - uid_next > 1 {
            // under a UID that the ledger knows
            stage.send(at, folder);
        }
        // NOTE: once UIDNEXT is again where it was, and before the watch looks, nothing would tell that
        // it went back.
        let until = Instant::now() + 60 * MINUTE;
        stage.boxes[at].quiet_until.insert(folder, until);
    }

    async fn lock_store(&mut self, stage: &Stage) {
        stage.note("the store is locked");
        stage.vault.inner.fail_with(Some(StoreErrorKind::Locked));
        tokio::time::sleep(self.0.between(MINUTE, 15 * MINUTE)).await;
        stage.vault.inner.fail_with(None);
        stage.note("the store is open");
    }

    async fn restart(&mut self, stage: &mut Stage) {
        let gentle = self.0.chance(300);
        stage.note(if gentle {
            "the daemon stops"
        } else {
            "the daemon is killed"
        });
        match gentle {
            true => stage.stop_daemon().await,
            false => stage.kill_daemon().await,
        }
        if self.0.chance(300) {
            tokio::time::sleep(self.0.between(MINUTE, 20 * MINUTE)).await;
        }
        stage.restarts += 1;
        stage.start_daemon();
    }
}

fn is_quiet(stage: &Stage, at: usize, folder: &str) -> bool {
    let until = stage.boxes[at].quiet_until.get(folder);
    until.is_some_and(|&until| Instant::now() < until)
}

/// A hundred and fifty mails come and go in one moment, and one stays.
fn flood(stage: &mut Stage, at: usize, folder: &'static str) {
    if is_quiet(stage, at, folder) {
        return;
    }
    let (now, mail) = (stage.now(), stage.sender.unrelated());
    let one = &stage.boxes[at];
    let crowd: Vec<u32> = (0..150)
        .map(|_| one.server.deliver(one.user(), folder, &mail, now))
        .collect();
    one.server.expunge(one.user(), folder, &crowd);
    one.deliver(folder, &mail, now);
}

/// Another client reads.
fn mark(stage: &Stage, at: usize, folder: &str) {
    let one = &stage.boxes[at];
    if let Some(&uid) = one.server.uids(one.user(), folder).last() {
        one.server.set_flags(one.user(), folder, uid, &["\\Seen"]);
    }
}

fn renumber(stage: &Stage, at: usize, folder: &str) {
    let one = &stage.boxes[at];
    let validity = one.server.renumber(one.user(), folder);
    stage.note(&format!(
        "{}: {folder} has UIDVALIDITY {validity}",
        one.name
    ));
}
