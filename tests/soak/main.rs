//! The soak: days of bad luck, in minutes.
//!
//! Mailboxes on servers in memory, under paused time; mails, cuts, silences, refusals, new UIDs, backups,
//! sleeping machines, a DNS and a store that are down, restarts of the daemons, as a seed has them; one
//! mailbox is watched from two machines, which make claims. Nothing here waits for real time. What
//! must hold: no mail is lost and none is stored twice, the newest token is the last one written, the
//! log and the log-ins stay within bounds, the memory does not grow, and no mailbox is changed.
//!
//! `SFTOKEN_SOAK_SEEDS="4 5 6"` runs these seeds instead, `SFTOKEN_SOAK_HOURS=1000` so many hours each;
//! with `SFTOKEN_SOAK_LOUD=1` everything is told on standard error.
//! This is a program of its own, because it measures its memory.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "tests"
)]

mod ear;
mod fate;
mod post;
mod stage;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ear::Ear;
use fate::Fate;
use sftoken::testing::server::{Illness, Quirks};
use stage::Stage;
use tokio::time::Instant;

/// Seeds of every run: what goes wrong with one of them can be repeated.
const SEEDS: [u64; 3] = [1, 2, 3];
/// Virtual hours of each.
const HOURS: u64 = 45;
/// Virtual hours of a story that is told twice.
const REPEATED: u64 = 12;
/// Hours without misfortune at the end, in which everything is made good.
const CALM: Duration = Duration::from_secs(12 * 3600);
/// What a mailbox may say in an hour, INFO and above: each log-in at the limit is two lines.
const MOST_LINES: u64 = 160;
/// One log-in a minute, and three in stock (facts: imap, 7.5).
const MOST_LOG_INS: u64 = 63;
/// How much memory may grow from the first quarter to the end: allocators keep some of what they had.
const MOST_GROWTH: u64 = 24 * 1024 * 1024;

/// Memory is the whole program's.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
fn no_mail_is_lost_and_none_is_stored_twice() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for seed in numbers("SFTOKEN_SOAK_SEEDS").unwrap_or(SEEDS.to_vec()) {
        let hours = numbers("SFTOKEN_SOAK_HOURS").map_or(HOURS, |hours| hours[0]);
        eprintln!("soak: seed {seed}, {hours} virtual hours");
        let ear = Ear::default();
        let runtime = ear.runtime();
        let _heard = tracing::dispatcher::set_default(&ear.dispatch());
        runtime.block_on(soak(seed, hours, &ear));
    }
}

/// What goes wrong with a seed can be looked at again and again: everything that is drawn comes from it.
#[test]
fn the_same_seed_is_the_same_story() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let told = || {
        let ear = Ear::recording();
        let runtime = ear.runtime();
        let _heard = tracing::dispatcher::set_default(&ear.dispatch());
        runtime.block_on(async {
            let mut stage = Stage::new(7, ear.clone());
            stage.start_daemon();
            let end = Instant::now() + Duration::from_secs(REPEATED * 3600);
            Fate::new(7).play(&mut stage, end).await;
            stage.stop_daemon().await;
        });
        ear.all()
    };
    let (one, other) = (told(), told());
    assert!(one.len() > 200, "only {} lines", one.len());
    let differs = one.iter().zip(&other).position(|(one, other)| one != other);
    let around = differs.map(|at| {
        let lines = at.saturating_sub(5)..at + 5;
        let of = |all: &[String]| all.get(lines.clone()).unwrap_or_default().join("\n");
        (of(&one), of(&other))
    });
    if let Some((one, other)) = around {
        panic!("it went like this:\n{one}\n\nand then like this:\n{other}");
    }
    assert_eq!(one.len(), other.len());
}

fn numbers(variable: &str) -> Option<Vec<u64>> {
    let text = std::env::var(variable).ok()?;
    Some(
        text.split_whitespace()
            .map(|word| word.parse().unwrap())
            .collect(),
    )
}

async fn soak(seed: u64, hours: u64, ear: &Ear) {
    let mut stage = Stage::new(seed, ear.clone());
    let mut fate = Fate::new(seed);
    stage.start_daemon();
    let mut early_memory = None;
    for hour in 0..hours {
        let (log_ins, restarts) = (stage.log_ins(), stage.restarts);
        let lines = ear.lines();
        let end = Instant::now() + Duration::from_secs(3600);
        fate.play(&mut stage, end).await;
        stage.check_order();
        let restarts = stage.restarts - restarts;
        stage.worst_hour(ear.lines() - lines, &log_ins);
        stage.check_log_ins(&log_ins, MOST_LOG_INS + 3 * restarts);
        let most = (MOST_LINES + 10 * restarts) * stage.mailboxes();
        let told = ear.lines() - lines;
        assert!(
            told <= most,
            "{told} lines in hour {hour}\n{}",
            stage.story()
        );
        if hour == hours / 4 {
            early_memory = Some(memory());
        }
    }
    let grown = memory().saturating_sub(early_memory.unwrap_or_default());
    stage.end_all_misfortune();
    tokio::time::sleep(CALM).await;
    stage.check_order();
    stage.check_nothing_lost();
    stage.check_prompt().await;
    stage.check_nothing_changed();
    assert!(
        grown <= MOST_GROWTH,
        "seed {seed}: {grown} bytes more than after a quarter"
    );
    eprintln!(
        "soak: seed {seed}: {}, {} KiB more memory",
        stage.summary(),
        grown / 1024
    );
    stage.stop_daemon().await;
}

/// What the process has in memory, in bytes.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes: u64 = line
        .unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap();
    kilobytes * 1024
}

/// A backup was put back, and new mail bears UIDs that the ledger has decisions for, under the same
/// UIDVALIDITY: it is another mail all the same, whether the watch saw the folder between or not.
#[test]
fn a_uid_that_is_given_a_second_time_is_another_mail() {
    for (looked_between, others) in [(true, 0), (true, 5), (false, 0), (false, 1)] {
        let ear = Ear::default();
        ear.runtime().block_on(async {
            let mut stage = Stage::new(0, ear.clone());
            stage.start_daemon();
            for _ in 0..3 {
                stage.send(0, "INBOX");
                tokio::time::sleep(Duration::from_secs(60)).await;
            }
            if !looked_between {
                stage.stop_daemon().await;
            }
            stage.restore(0, "INBOX", 1);
            tokio::time::sleep(Duration::from_secs(60)).await;
            if looked_between {
                stage.stop_daemon().await;
            }
            let token = stage.send(0, "INBOX");
            for _ in 0..others {
                stage.send_other(0, "INBOX");
            }
            stage.start_daemon();
            tokio::time::sleep(Duration::from_secs(60)).await;
            assert_eq!(stage.newest(0), Some(token), "{others}\n{}", stage.story());
            stage.stop_daemon().await;
        });
    }
}

/// A backup was put back, and so much new mail came before anyone looked that UIDNEXT is higher than it was:
/// only the count of changes tells, where the server has one.
#[test]
fn a_backup_that_new_mail_has_overtaken_is_noticed_by_the_count_of_changes() {
    for (quirks, noticed) in [(Quirks::default(), true), (Quirks::exchange(), false)] {
        let ear = Ear::default();
        ear.runtime().block_on(async {
            let mut stage = Stage::new(0, ear.clone());
            stage.boxes[0].server.set_quirks(quirks);
            stage.start_daemon();
            for _ in 0..3 {
                stage.send(0, "INBOX");
                tokio::time::sleep(Duration::from_secs(60)).await;
            }
            stage.mark_last(0, "INBOX", 20);
            // the folder is opened anew meanwhile
            tokio::time::sleep(Duration::from_secs(3600)).await;
            stage.stop_daemon().await;
            stage.restore(0, "INBOX", 3);
            let token = stage.send(0, "INBOX");
            for _ in 0..5 {
                stage.send_other(0, "INBOX");
            }
            stage.start_daemon();
            tokio::time::sleep(Duration::from_secs(60)).await;
            assert_eq!(stage.newest(0) == Some(token), noticed, "{}", stage.story());
            stage.stop_daemon().await;
        });
    }
}

/// The same while an older mail is open, which holds the cursor below UIDNEXT.
#[test]
fn a_uid_that_is_given_a_second_time_while_others_are_open_is_another_mail() {
    let ear = Ear::default();
    ear.runtime().block_on(async {
        let mut stage = Stage::new(0, ear.clone());
        stage.send(0, "INBOX");
        stage.afflict_last(0, "INBOX", Illness::NilBody);
        stage.start_daemon();
        for _ in 0..3 {
            stage.send(0, "INBOX");
            tokio::time::sleep(Duration::from_secs(3600)).await;
        }
        stage.restore(0, "INBOX", 3);
        let token = stage.send(0, "INBOX");
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert_eq!(stage.newest(0), Some(token), "{}", stage.story());
        stage.stop_daemon().await;
    });
}

/// A folder got new UIDs, or went back, and holds a mail that breaks every connection: it is set aside as
/// anywhere, and the folders behind it are looked into.
#[test]
fn a_mail_that_breaks_connections_does_not_stop_a_rescan() {
    for went_back in [true, false] {
        let ear = Ear::default();
        ear.runtime().block_on(async {
            let mut stage = Stage::new(0, ear.clone());
            stage.start_daemon();
            for _ in 0..3 {
                stage.send(0, "Junk");
                tokio::time::sleep(Duration::from_secs(60)).await;
            }
            stage.stop_daemon().await;
            match went_back {
                true => stage.restore(0, "Junk", 2),
                false => stage.renumber(0, "Junk"),
            }
            stage.send(0, "Junk");
            stage.afflict_last(0, "Junk", Illness::BodyBreaksConnection);
            let token = stage.send(0, "INBOX");
            stage.start_daemon();
            tokio::time::sleep(Duration::from_secs(2 * 3600)).await;
            assert_eq!(
                stage.newest(0),
                Some(token),
                "{went_back}\n{}",
                stage.story()
            );
            let log_ins = stage.log_ins()[0];
            tokio::time::sleep(Duration::from_secs(3600)).await;
            assert!(stage.log_ins()[0] <= log_ins + 2, "{}", stage.story());
            stage.stop_daemon().await;
        });
    }
}

/// A server that loses count again and again is not asked without a pause.
#[test]
fn an_overflow_that_does_not_end_is_no_loop() {
    let ear = Ear::default();
    ear.runtime().block_on(async {
        let mut stage = Stage::new(0, ear.clone());
        for (at, command) in ["NOTIFY", "IDLE"].into_iter().enumerate() {
            stage.always(at, command, "* OK [NOTIFICATIONOVERFLOW] too much to tell");
        }
        stage.start_daemon();
        tokio::time::sleep(Duration::from_secs(600)).await;
        for (at, most) in [(0, 100), (1, 700)] {
            let commands = stage.boxes[at].server.counts().commands;
            let most_asked = commands.values().max().copied().unwrap_or_default();
            assert!(most_asked <= most, "{commands:?} in ten minutes");
        }
        stage.stop_daemon().await;
    });
}

/// A server that tells the same with each answer has told nothing new.
#[test]
fn an_exists_that_is_repeated_is_no_loop() {
    let ear = Ear::default();
    ear.runtime().block_on(async {
        let mut stage = Stage::new(0, ear.clone());
        stage.send(0, "INBOX");
        stage.always(0, "SEARCH", "* 1 EXISTS");
        stage.always(0, "IDLE", "* 1 EXISTS");
        stage.start_daemon();
        tokio::time::sleep(Duration::from_secs(600)).await;
        let searched = stage.boxes[0].server.counts().commands["SEARCH"];
        assert!(searched <= 30, "{searched} searches in ten minutes");
        let token = stage.send(0, "INBOX");
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(stage.newest(0), Some(token), "{}", stage.story());
        stage.stop_daemon().await;
    });
}
