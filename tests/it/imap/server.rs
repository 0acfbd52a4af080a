//! The server in memory, with `Session` as its client.
//!
//! What `Session` cannot say is asked for in raw lines in `server_raw.rs`; Python's imaplib is a client
//! that neither of the two was written for.

use std::time::Duration;

use jiff::Timestamp;
use sftoken::inbox::{Class, Folder, InboxError, Limits, Session, Wake};
use sftoken::ingest::secret::Secret;
use sftoken::testing::server::{Dice, Fault, Illness, Odds, On, Quirks, Server};
use tokio::time::Instant;

pub(super) const MAIL: &[u8] =
    b"From: a@salesforce.example\r\nSubject: Your new\r\n token\r\nX-Other: no\r\n\r\nbody \xff (((\r\n";
const PASSWORD: &str = "planted-pass\"\\";

pub(super) fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

pub(super) fn morning() -> Timestamp {
    at("2026-11-05T09:00:01Z")
}

fn server(quirks: Quirks) -> Server {
    let server = Server::with(quirks);
    server.add_user("ann", PASSWORD);
    server
}

async fn connect(server: &Server) -> Result<Session, InboxError> {
    let (stream, password) = (server.connect().unwrap(), Secret::new(PASSWORD.to_owned()));
    Session::connect_over(
        stream,
        "mail.example:993",
        "ann",
        &password,
        &Limits::default(),
    )
    .await
}

/// A session in INBOX that has searched from `next`.
async fn watching(server: &Server, next: u32) -> (Session, Folder) {
    let mut session = connect(server).await.unwrap();
    let inbox = session.resolve_folder("INBOX").await.unwrap();
    session.examine(&inbox).await.unwrap();
    session.search_from(next).await.unwrap();
    (session, inbox)
}

fn deliver(server: &Server) -> u32 {
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
        let (stream, wrong) = (server.connect().unwrap(), Secret::new(String::new()));
        let limits = Limits::default();
        let error = Session::connect_over(stream, "at", user, &wrong, &limits)
            .await
            .unwrap_err();
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

#[tokio::test(start_paused = true)]
async fn a_command_suffers_what_was_ordered() {
    let refusal = "NO [UNAVAILABLE] later";
    let cases = [
        (Fault::Cut, "disconnected", Class::Network, 0),
        (Fault::CutAfter(3), "disconnected", Class::Network, 0),
        (Fault::Silence, "timeout", Class::Network, 60),
        (
            Fault::Refuse(refusal.to_owned()),
            "command_refused",
            Class::Throttled,
            0,
        ),
        (
            Fault::Bye("Too many".to_owned()),
            "disconnected",
            Class::Throttled,
            0,
        ),
        (Fault::Slow(Duration::from_secs(7)), "", Class::Network, 14),
        (Fault::expunge_flood(150), "", Class::Network, 0),
    ];
    for (fault, kind, class, seconds) in cases {
        let server = server(Quirks::default());
        deliver(&server);
        let (mut session, _) = watching(&server, 2).await;
        server.befall(On::Command("SEARCH"), fault.clone());
        let begun = Instant::now();
        let found = session.search_from(1).await;
        assert_eq!(begun.elapsed().as_secs(), seconds, "{fault:?}");
        match found {
            Ok(uids) => assert_eq!((&uids[..], kind), (&[1][..], ""), "{fault:?}"),
            Err(error) => assert_eq!((error.kind(), error.class()), (kind, class), "{fault:?}"),
        }
        assert_eq!(server.counts().faults, 1);
        let (mut session, _) = watching(&server, 1).await;
        assert_eq!(session.search_from(1).await.unwrap(), [1], "only once");
    }
}

/// Slow is not only late: what happens meanwhile comes with the answer.
#[tokio::test(start_paused = true)]
async fn mail_that_comes_during_a_slow_answer_is_told_with_it() {
    let server = server(Quirks::default());
    let (mut session, _) = watching(&server, 1).await;
    server.befall(On::Command("SEARCH"), Fault::Slow(Duration::from_secs(5)));
    let later = server.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(7)).await;
        deliver(&later);
    });
    assert_eq!(session.search_from(1).await.unwrap(), [] as [u32; 0]);
    assert_eq!(session.wait().await.unwrap(), Wake::Changed);
    assert_eq!(session.search_from(1).await.unwrap(), [1]);
}

#[tokio::test(start_paused = true)]
async fn the_log_in_and_idle_suffer_too() {
    let log_in = [
        (On::Greeting, Fault::Silence, "timeout"),
        (
            On::Greeting,
            Fault::Bye("not now".to_owned()),
            "disconnected",
        ),
        (On::Command("AUTHENTICATE"), Fault::Silence, "timeout"),
        (
            On::Command("AUTHENTICATE"),
            Fault::Refuse("NO [UNAVAILABLE] x".to_owned()),
            "login_refused",
        ),
        (On::Command("AUTHENTICATE"), Fault::Cut, "disconnected"),
    ];
    for (on, fault, kind) in log_in {
        let server = server(Quirks::default());
        server.befall(on, fault);
        let error = connect(&server).await.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.is_transient());
        connect(&server).await.unwrap();
    }
    let soon = On::Idle(Duration::from_secs(30));
    let idle = [
        (soon.clone(), Fault::Cut, "disconnected", 30),
        (soon.clone(), Fault::Silence, "timeout", 555),
        (
            soon.clone(),
            Fault::Bye("Session expired".to_owned()),
            "disconnected",
            30,
        ),
        (soon, Fault::Refuse("NO enough".to_owned()), "", 90),
        (
            On::Command("IDLE"),
            Fault::Refuse("NO not now".to_owned()),
            "",
            60,
        ),
        (On::Command("IDLE"), Fault::Silence, "timeout", 555),
    ];
    for (on, fault, kind, seconds) in idle {
        let server = server(Quirks::default());
        let (mut session, _) = watching(&server, 1).await;
        server.befall(on, fault.clone());
        let begun = Instant::now();
        match session.wait().await {
            Ok(wake) => assert_eq!((wake, kind), (Wake::Renew, ""), "{fault:?}"),
            Err(error) => assert_eq!(error.kind(), kind, "{fault:?}"),
        }
        assert_eq!(begun.elapsed().as_secs(), seconds, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_happens_to_all_happens_in_idle() {
    for (index, kind) in ["disconnected", "timeout", "disconnected"]
        .into_iter()
        .enumerate()
    {
        let server = server(Quirks::default());
        let (mut session, _) = watching(&server, 1).await;
        let waiting = tokio::spawn(async move { session.wait().await });
        tokio::time::sleep(Duration::from_secs(1)).await;
        match index {
            0 => server.cut_all(),
            1 => server.silence_all(),
            _ => server.dismiss_all("Server shutting down."),
        }
        assert_eq!(waiting.await.unwrap().unwrap_err().kind(), kind);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_down_comes_back() {
    let server = server(Quirks::default());
    let listener = server.listen().await.unwrap();
    server.down_for(Duration::from_secs(60));
    assert!(server.connect().is_err());
    assert_eq!(server.counts().refused_connections, 1);
    tokio::time::sleep(Duration::from_secs(60)).await;
    connect(&server).await.unwrap();
    drop(listener);
}

#[tokio::test]
async fn an_ill_mail_is_ill_each_time() {
    let cases = [
        (Illness::NilDate, "protocol", "ok"),
        (Illness::NilBody, "ok", "protocol"),
        (Illness::BreaksConnection, "disconnected", "disconnected"),
        (Illness::BodyBreaksConnection, "ok", "disconnected"),
    ];
    for (illness, head, body) in cases {
        let server = server(Quirks::default());
        let uid = deliver(&server);
        server.afflict("ann", "INBOX", uid, Some(illness));
        let kind = |error: Option<InboxError>| error.map_or("ok", |error| error.kind());
        for _ in 0..2 {
            let (mut session, _) = watching(&server, 1).await;
            assert_eq!(kind(session.heads(&[uid]).await.err()), head, "{illness:?}");
            let (mut session, _) = watching(&server, 1).await;
            assert_eq!(kind(session.body(uid).await.err()), body, "{illness:?}");
        }
        server.afflict("ann", "INBOX", uid, None);
        let (mut session, _) = watching(&server, 1).await;
        assert_eq!(session.body(uid).await.unwrap().unwrap(), MAIL);
    }
}

#[tokio::test]
async fn one_connection_too_many_is_refused() {
    let mut quirks = Quirks::default();
    quirks.max_connections = Some(1);
    let server = server(quirks);
    let first = connect(&server).await.unwrap();
    let error = connect(&server).await.unwrap_err();
    assert_eq!(error.class(), Class::Throttled);
    first.logout().await;
    connect(&server).await.unwrap();
    assert_eq!(server.counts().most_connected, 1);
}

/// The same seed gives the same day, another one another.
#[test]
fn a_day_of_bad_luck_can_be_repeated() {
    let days: Vec<Vec<String>> = [7, 7, 8].into_iter().map(bad_day).collect();
    assert_eq!(days[0], days[1]);
    assert_ne!(days[0], days[2]);
    let kinds = [
        "connected",
        "changed",
        "disconnected",
        "timeout",
        "command_refused",
    ];
    for kind in kinds {
        assert!(
            days[0].iter().any(|line| line.contains(kind)),
            "{kind}: {:#?}",
            days[0]
        );
    }
}

fn bad_day(seed: u64) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let server = server(Quirks::default());
        server.roll(Dice::new(seed), Odds::rough());
        let (begun, mut told) = (Instant::now(), Vec::new());
        let postman = server.clone();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_secs(1000)).await;
                deliver(&postman);
            }
        });
        while begun.elapsed() < Duration::from_secs(24 * 3600) {
            let ended = match live(&server, begun, &mut told).await {
                Ok(()) => "day over".to_owned(),
                Err(kind) => kind,
            };
            told.push(format!("{} {ended}", begun.elapsed().as_secs()));
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
        assert_eq!(server.counts().writes, 0);
        told
    })
}

/// A connection's life, up to its end or the end of the day.
async fn live(server: &Server, begun: Instant, told: &mut Vec<String>) -> Result<(), String> {
    let stream = server.connect().map_err(|error| error.to_string())?;
    let (limits, password) = (Limits::default(), Secret::new(PASSWORD.to_owned()));
    let kind = |error: InboxError| error.kind().to_owned();
    let connected = Session::connect_over(stream, "at", "ann", &password, &limits).await;
    let mut session = connected.map_err(kind)?;
    told.push("connected".to_owned());
    let inbox = session.resolve_folder("INBOX").await.map_err(kind)?;
    while begun.elapsed() < Duration::from_secs(24 * 3600) {
        session.examine(&inbox).await.map_err(kind)?;
        session.search_from(1).await.map_err(kind)?;
        if session.wait().await.map_err(kind)? == Wake::Changed {
            told.push("changed".to_owned());
        }
    }
    Ok(())
}
