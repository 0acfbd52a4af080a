//! What happens, and when: as the dice have it.

use std::time::Duration;

use sftoken::testing::server::{Dice, Fault, Illness, Odds, On, Quirks};
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
            stage.unlock_store_in_time();
            stage.find_dns_in_time();
            let at = usize::try_from(self.0.below(stage.mailboxes())).unwrap();
            self.event(stage, at).await;
        }
        tokio::time::sleep_until(end).await;
    }

    /// The odds of the next hour: fair, bad, or a storm.
    fn weather(&mut self, stage: &Stage) {
        for (at, one) in stage.boxes.iter().enumerate() {
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
            let claims = stage.watchers(at) > 1;
            one.server.set_quirks(self.quirks(claims));
        }
    }

    /// A server is not replaced every hour; but a client meets many kinds. Claims need CONDSTORE, which
    /// Exchange has not.
    fn quirks(&mut self, claims: bool) -> Quirks {
        let mut quirks = match self.0.below(6) {
            0 => Quirks::default().without("NOTIFY"),
            1 => Quirks::default().without("IDLE").without("NOTIFY"),
            2 => Quirks::icloud(),
            3 if !claims => Quirks::exchange(),
            4 => Quirks::rev2(),
            _ => Quirks::default(),
        };
        quirks.tells_uid_next = self.0.chance(800);
        quirks.exists_before_plus = self.0.chance(300);
        quirks.keepalive = self.0.chance(500).then_some(2 * MINUTE);
        quirks.odd_case = self.0.chance(200);
        quirks
    }

    async fn event(&mut self, stage: &mut Stage, at: usize) {
        let mut folder = if self.0.chance(700) { "INBOX" } else { "Junk" };
        if stage.watchers(at) > 1 {
            // NOTE: two machines with a ledger each agree on the order within a folder; what another one has
            // stored from a mail in another folder is known once both folders were looked through
            folder = "INBOX";
        }
        let rolled = self.0.below(100);
        stage.count(match rolled {
            0..30 => "reset",
            30..40 => "other",
            40..46 => "flood",
            46..50 => "copy",
            50..54 => "mark",
            54..59 => "tidy",
            59..66 => "renumber",
            66..73 => "restore",
            73..83 => "connections",
            83..87 => "down",
            87..90 => "lock",
            90..92 => "sleep",
            92..94 => "DNS",
            _ => "restart",
        });
        match rolled {
            0..30 => self.reset(stage, at, folder),
            30..40 => self.other_mail(stage, at, folder),
            40..46 => flood(stage, at, folder),
            46..50 => self.copy(stage, at, folder),
            50..54 => mark(stage, at, folder),
            54..59 => self.tidy(stage, at, folder),
            59..66 => self.renumber(stage, at, folder),
            66..73 => self.restore(stage, at, folder),
            73..83 => self.connections(stage, at),
            83..87 => {
                let time = self.0.between(MINUTE, 25 * MINUTE);
                stage.note(&format!("{}: down for {time:?}", stage.boxes[at].name));
                stage.boxes[at].server.down_for(time);
                stage.boxes[at].server.cut_all();
            }
            87..90 => {
                let time = self.0.between(MINUTE, 60 * MINUTE);
                stage.note(&format!("the store is locked for {time:?}"));
                stage.lock_store(time);
            }
            90..92 => {
                let time = self.0.between(10 * MINUTE, 180 * MINUTE);
                stage.note(&format!("the machine sleeps for {time:?}"));
                stage.sleep(time);
            }
            92..94 => {
                let time = self.0.between(MINUTE, 90 * MINUTE);
                stage.note(&format!("the DNS is down for {time:?}"));
                stage.lose_dns(time);
            }
            _ => self.restart(stage).await,
        }
    }

    /// Something happens to every connection to a server.
    fn connections(&mut self, stage: &Stage, at: usize) {
        let (one, how) = (&stage.boxes[at], self.0.below(4));
        stage.note(&format!("{}: connections, {how}", one.name));
        match how {
            0 => one.server.cut_all(),
            1 => one.server.silence_all(),
            2 => one.server.dismiss_all("Server shutting down."),
            _ => one.server.overflow_all(),
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
        // the moments that matter
        for command in ["SEARCH", "FETCH", "FETCH", "EXAMINE", "STATUS"] {
            if self.0.chance(150) {
                let fault = self.fault();
                stage.note(&format!("{}: {command}: {fault:?}", one.name));
                one.server.befall(On::Command(command), fault);
            }
        }
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

    fn fault(&mut self) -> Fault {
        match self.0.below(6) {
            0 => Fault::Cut,
            1 => Fault::Silence,
            2 => Fault::Slow(self.0.between(MINUTE / 20, MINUTE / 2)),
            3 => Fault::Bye("Session expired".to_owned()),
            _ => Fault::Refuse("NO [UNAVAILABLE] later".to_owned()),
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

    /// The owner deletes what is old, once it was dealt with, and one or another of the newer ones.
    fn tidy(&mut self, stage: &mut Stage, at: usize, folder: &'static str) {
        let one = &stage.boxes[at];
        let mut uids = one.server.uids(one.user(), folder);
        let newer = uids.split_off(uids.len().saturating_sub(KEPT));
        uids.extend(self.0.pick(&newer));
        uids.retain(|&uid| stage.is_dealt_with(at, folder, uid));
        one.server.expunge(one.user(), folder, &uids);
    }

    /// UIDs mean something else from now on; perhaps a mail comes at the same time.
    fn renumber(&mut self, stage: &mut Stage, at: usize, folder: &'static str) {
        let one = &stage.boxes[at];
        let validity = one.server.renumber(one.user(), folder);
        stage.note(&format!(
            "{}: {folder} has UIDVALIDITY {validity}",
            one.name
        ));
        if self.0.chance(500) {
            stage.send(at, folder);
        }
    }

    /// A backup is put back: the last mails, which were dealt with, are gone, and UIDNEXT goes back.
    fn restore(&mut self, stage: &mut Stage, at: usize, folder: &'static str) {
        let one = &stage.boxes[at];
        let next = one.server.uid_next(one.user(), folder);
        let back = u32::try_from(self.0.below(4)).unwrap() + 1;
        let uid_next = next.saturating_sub(back).max(1);
        if is_quiet(stage, at, folder)
            || !(uid_next..next).all(|uid| stage.is_dealt_with(at, folder, uid))
        {
            return;
        }
        stage.restore(at, folder, uid_next);
        let name = stage.boxes[at].name;
        stage.note(&format!("{name}: {folder} restored, UIDNEXT {uid_next}"));
        if next - uid_next > 1 {
            stage.count("UID given again");
            stage.send(at, folder);
        }
        // NOTE: once UIDNEXT is again where it was, and before the watch looks, nothing would tell that
        // it went back.
        let until = Instant::now() + 60 * MINUTE;
        stage.boxes[at].quiet_until.insert(folder, until);
    }

    /// One machine's daemon ends, and is started again.
    async fn restart(&mut self, stage: &mut Stage) {
        let which = usize::try_from(self.0.below(stage.machines())).unwrap();
        let gentle = self.0.chance(300);
        let how = if gentle { "stops" } else { "is killed" };
        stage.note(&format!("the daemon of machine {which} {how}"));
        match gentle {
            true => stage.stop(which).await,
            false => stage.kill(which).await,
        }
        if self.0.chance(300) {
            tokio::time::sleep(self.0.between(MINUTE, 20 * MINUTE)).await;
        }
        stage.restarts += 1;
        stage.start(which);
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

/// Another client reads: it adds a flag, and leaves the others alone.
fn mark(stage: &Stage, at: usize, folder: &str) {
    let one = &stage.boxes[at];
    if let Some(&uid) = one.server.uids(one.user(), folder).last() {
        let there = one.server.flags(one.user(), folder, uid);
        let flags: Vec<&str> = there.iter().map(String::as_str).chain(["\\Seen"]).collect();
        one.server.set_flags(one.user(), folder, uid, &flags);
    }
}
