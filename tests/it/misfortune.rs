//! What befalls a watch, in virtual time, on an IMAP server in memory. Every story ends with what is in the
//! store, or with why nothing can be.

mod marks;
mod world;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sftoken::Account;
use sftoken::testing::server::{Fault, Illness, On, Quirks};
use sftoken::watch::{FolderChoice, MailboxTask, Order, Start, Trouble, arm};

use crate::support::salesforce::{ANN, BOB};
use world::{USER, World};

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

/// The token is stored, and the connection breaks before the others are told: the claim is known as our own.
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

/// Neither by MOVE nor by COPY is a mail lost that the other folder does not take.
/// A server that speaks IMAP4rev2 only is a server like any other.
#[tokio::test(start_paused = true)]
async fn a_server_of_the_second_revision_is_watched() {
    for claim in [false, true] {
        let world = World::new(Quirks::rev2());
        world.server.add_folder(USER, "Prüfung & Co", None);
        let mut watching = world.watch(MailboxTask {
            folders: vec![
                FolderChoice::required("INBOX"),
                FolderChoice::required("Prüfung & Co"),
                FolderChoice::required("\\Junk"),
            ],
            claim,
            ..world.task()
        });
        for folder in ["INBOX", "Junk", "Prüfung & Co"] {
            let (token, _) = world.send(ANN, folder);
            let (_, took) = watching.stored().await;
            assert!(took <= Duration::from_secs(61), "{folder}: {took:?}");
            tokio::time::sleep(Duration::from_secs(2)).await;
            assert_eq!(world.kept(ANN), Some(token), "{folder}");
        }
        assert_eq!(world.server.counts().log_ins, 1);
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
        timeout: Duration::from_secs(1200),
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
