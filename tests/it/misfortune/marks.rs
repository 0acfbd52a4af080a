//! What is done to mails on the server: claims, and what becomes of handled mail.

use std::time::Duration;

use sftoken::testing::server::{Fault, On, Quirks};
use sftoken::watch::{FolderChoice, Handled, MailboxTask};

use super::world::{USER, World};
use crate::support::salesforce::{ANN, unrelated};

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
async fn a_mail_that_finds_no_room_stays() {
    for (way, quirks) in [
        ("MOVE", Quirks::default()),
        ("COPY", Quirks::default().without("MOVE")),
    ] {
        let world = World::new(quirks);
        let full = Fault::Refuse("NO [OVERQUOTA] Quota exceeded".to_owned());
        world.server.befall(On::Command(way), full);
        let mut watching = world.watch(MailboxTask {
            handled: Handled::MoveTo("Done".to_owned()),
            folders: vec![FolderChoice::required("INBOX")],
            ..world.task()
        });
        let (token, uid) = world.send(ANN, "INBOX");
        watching.stored().await;
        assert_eq!(world.kept(ANN), Some(token));
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert_eq!(world.server.uids(USER, "INBOX"), [uid]);
        assert!(world.flags(uid).is_empty());
        assert_eq!(world.server.counts().commands[way], 1, "no loop");
        // there is room again for the next one
        let (token, _) = world.send(ANN, "INBOX");
        watching.stored().await;
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(world.kept(ANN), Some(token));
        assert_eq!(world.server.uids(USER, "INBOX"), [uid]);
        assert_eq!(world.server.uids(USER, "Done").len(), 1);
    }
}
