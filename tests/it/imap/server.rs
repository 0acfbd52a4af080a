//! The server in memory, with `Session` as its client.
//!
//! What `Session` cannot say is asked for in raw lines in `server_raw.rs`; Python's imaplib is a client
//! that neither of the two was written for.

use std::time::Duration;

use jiff::Timestamp;
use sftoken::inbox::{Class, Connector, Folder, InboxError, Limits, Session, Wake};
use sftoken::testing::server::{Quirks, Server};
use tokio::time::Instant;

pub(super) const MAIL: &[u8] =
    b"From: a@salesforce.example\r\nSubject: Your new\r\n token\r\nX-Other: no\r\n\r\nbody \xff (((\r\n";
pub(super) const PASSWORD: &str = "planted-pass\"\\";

pub(super) fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

pub(super) fn morning() -> Timestamp {
    at("2026-11-05T09:00:01Z")
}

pub(super) fn server(quirks: Quirks) -> Server {
    let server = Server::with(quirks);
    server.add_user("ann", PASSWORD);
    server
}

/// A silent connection is not probed within these stories.
pub(super) fn patient() -> Limits {
    Limits {
        liveness: Duration::from_secs(3600),
        ..Limits::default()
    }
}

pub(super) async fn connect(server: &Server) -> Result<Session, InboxError> {
    server.door("ann", PASSWORD).connect(&patient()).await
}

/// A session in INBOX that has searched from `next`.
pub(super) async fn watching(server: &Server, next: u32) -> (Session, Folder) {
    let mut session = connect(server).await.unwrap();
    let inbox = session.resolve_folder("INBOX").await.unwrap();
    session.examine(&inbox).await.unwrap();
    session.search_from(next).await.unwrap();
    (session, inbox)
}

pub(super) fn deliver(server: &Server) -> u32 {
    server.deliver("ann", "INBOX", MAIL, morning())
}

#[tokio::test]
async fn a_mail_is_found_and_fetched_byte_for_byte() {
    let server = server(Quirks::default());
    assert_eq!([deliver(&server), deliver(&server)], [1, 2]);
    let mut session = connect(&server).await.unwrap();
    let inbox = session.resolve_folder("INBOX").await.unwrap();
    let state = session.examine(&inbox).await.unwrap();
    assert_eq!(
        (state.uid_validity, state.uid_next, state.exists),
        (1, Some(3), 2)
    );
    assert_eq!(session.search_from(2).await.unwrap(), [2]);
    assert_eq!(session.search_from(9).await.unwrap(), [] as [u32; 0]);
    let day = jiff::civil::date(2026, 11, 5);
    assert_eq!(session.search_since(day).await.unwrap(), [1, 2]);
    assert_eq!(
        session.search_since(day.tomorrow().unwrap()).await.unwrap(),
        [] as [u32; 0]
    );

    let heads = session.heads(&[1, 2, 3]).await.unwrap();
    assert_eq!(heads.len(), 2);
    assert_eq!(heads[1].internal_date, Some(morning()));
    assert_eq!(usize::try_from(heads[1].size).unwrap(), MAIL.len());
    let header = "From: a@salesforce.example\r\nSubject: Your new\r\n token\r\n\r\n";
    assert_eq!(str::from_utf8(&heads[1].header).unwrap(), header);
    assert_eq!(session.body(2).await.unwrap().unwrap(), MAIL);
    assert_eq!(session.body(3).await.unwrap(), None);
    session.logout().await;
    let counts = server.counts();
    assert_eq!(
        (counts.writes, counts.log_ins, counts.most_connected),
        (0, 1, 1)
    );
    assert_eq!(counts.commands["FETCH"], 3);
    assert!(!format!("{server:?} {:?}", server.recent()).contains("planted"));
}

#[tokio::test]
async fn a_wrong_password_is_refused_as_such() {
    let server = server(Quirks::default());
    deliver(&server);
    for user in ["ann", "bob"] {
        let error = server.door(user, "").connect(&patient()).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.class()),
            ("login_refused", Class::Auth)
        );
    }
    assert_eq!(server.counts().refused_log_ins, 2);
}

#[tokio::test]
async fn other_ways_to_log_in_work_too() {
    let plainer = Quirks::default().without("SASL-IR");
    let plainest = plainer.clone().without("AUTH=PLAIN");
    for quirks in [Quirks::exchange(), Quirks::icloud(), plainer, plainest] {
        let server = server(quirks.clone());
        let mut session = connect(&server)
            .await
            .unwrap_or_else(|e| panic!("{quirks:?}: {e}"));
        let junk = session.resolve_folder("\\Junk").await.unwrap();
        assert_eq!(junk.as_str(), "Junk");
        assert_eq!(session.examine(&junk).await.unwrap().exists, 0);
    }
    let mut disabled = Quirks::default().without("AUTH=PLAIN");
    disabled.before_login.push("LOGINDISABLED".to_owned());
    let error = connect(&server(disabled)).await.unwrap_err();
    assert_eq!(error.kind(), "login_disabled");
}

#[tokio::test]
async fn a_folder_that_is_missing_is_told_as_such() {
    let server = server(Quirks::default());
    let mut session = connect(&server).await.unwrap();
    let nowhere = session.resolve_folder("Nowhere").await.unwrap();
    assert_eq!(
        session.examine(&nowhere).await.unwrap_err().kind(),
        "no_such_folder"
    );
    server.add_folder("ann", "Nowhere", Some("\\Archive"));
    session.examine(&nowhere).await.unwrap();
    assert_eq!(session.resolve_folder("\\Archive").await.unwrap(), nowhere);
}

#[tokio::test(start_paused = true)]
async fn new_mail_wakes_whenever_it_comes() {
    let mut early = Quirks::default();
    early.exists_before_plus = true;
    for quirks in [Quirks::default(), early, Quirks::icloud()] {
        let server = server(quirks);
        let (mut session, _) = watching(&server, 1).await;
        let begun = Instant::now();
        // between search and IDLE
        deliver(&server);
        assert_eq!(session.wait().await.unwrap(), Wake::Changed);
        assert_eq!(session.search_from(1).await.unwrap(), [1]);
        // in IDLE, minutes later
        let later = server.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(200)).await;
            deliver(&later);
        });
        assert_eq!(session.wait().await.unwrap(), Wake::Changed);
        assert_eq!(begun.elapsed().as_secs(), 200);
        assert_eq!(session.search_from(2).await.unwrap(), [2]);
        // with another command's answer
        deliver(&server);
        assert_eq!(session.body(1).await.unwrap().unwrap(), MAIL);
        assert_eq!(session.wait().await.unwrap(), Wake::Changed);
        // flags are no mail
        session.search_from(3).await.unwrap();
        server.set_flags("ann", "INBOX", 1, &["\\seen"]);
        assert_eq!(session.wait().await.unwrap(), Wake::Renew);
    }
}

#[tokio::test(start_paused = true)]
async fn a_deaf_idle_shows_at_the_renewal() {
    let mut quirks = Quirks::default();
    (quirks.deaf_after, quirks.keepalive) = (Some(Duration::ZERO), Some(Duration::from_secs(120)));
    let server = server(quirks);
    let (mut session, _) = watching(&server, 1).await;
    let begun = Instant::now();
    let later = server.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        deliver(&later);
    });
    // it comes with the answer to DONE
    assert_eq!(session.wait().await.unwrap(), Wake::Changed);
    assert_eq!(begun.elapsed().as_secs(), 540);
}

#[tokio::test(start_paused = true)]
async fn an_expunge_flood_comes_before_exists_and_loses_nothing() {
    let server = server(Quirks::default());
    let crowd: Vec<u32> = (0..150).map(|_| deliver(&server)).collect();
    let (mut session, _) = watching(&server, 151).await;
    let later = server.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(later.expunge("ann", "INBOX", &crowd), 150);
        deliver(&later);
    });
    assert_eq!(session.wait().await.unwrap(), Wake::Changed);
    assert_eq!(session.search_from(151).await.unwrap(), [151]);
    assert_eq!(server.uids("ann", "INBOX"), [151]);
}

#[tokio::test]
async fn new_uids_send_the_client_away() {
    let server = server(Quirks::default());
    for _ in 0..3 {
        deliver(&server);
    }
    let (mut session, _) = watching(&server, 4).await;
    server.expunge("ann", "INBOX", &[1]);
    assert_eq!(server.renumber("ann", "INBOX"), 2);
    assert_eq!(session.body(2).await.unwrap_err().kind(), "disconnected");
    let (mut session, inbox) = watching(&server, 1).await;
    let state = session.examine(&inbox).await.unwrap();
    assert_eq!(
        (state.uid_validity, state.uid_next, state.exists),
        (2, Some(3), 2)
    );
    session.search_from(3).await.unwrap();
    // from a backup: the same UIDVALIDITY, a UIDNEXT that was there before
    server.restore("ann", "INBOX", 2);
    assert_eq!(session.wait().await.unwrap_err().kind(), "disconnected");
    let (mut session, inbox) = watching(&server, 1).await;
    let state = session.examine(&inbox).await.unwrap();
    assert_eq!(
        (state.uid_validity, state.uid_next, state.exists),
        (2, Some(2), 1)
    );
}

#[tokio::test]
async fn uidnext_that_is_not_told_can_be_asked_for() {
    let mut quirks = Quirks::default();
    (quirks.tells_uid_next, quirks.odd_case) = (false, true);
    let server = server(quirks);
    deliver(&server);
    let (mut session, inbox) = watching(&server, 1).await;
    assert_eq!(session.examine(&inbox).await.unwrap().uid_next, Some(2));
    assert_eq!(server.counts().commands["STATUS"], 2);
    // its capabilities were understood all the same
    deliver(&server);
    assert_eq!(session.wait().await.unwrap(), Wake::Changed);
}
