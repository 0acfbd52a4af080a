//! The server in memory, and what befalls its clients.

use std::time::Duration;

use sftoken::inbox::{Class, InboxError, Wake};
use sftoken::testing::server::{Dice, Fault, Illness, Odds, On, Quirks, Server};
use tokio::time::Instant;

use super::server::{MAIL, connect, deliver, server, watching};

#[tokio::test(start_paused = true)]
async fn a_command_suffers_what_was_ordered() {
    let refusal = "NO [UNAVAILABLE] later";
    let cases = [
        (Fault::Cut, "disconnected", Class::Network, 0),
        (Fault::CutAfter(3), "disconnected", Class::Network, 0),
        (Fault::Silence, "timeout", Class::Network, 15),
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
        (soon, Fault::Refuse("NO enough".to_owned()), "", 60),
        (
            On::Command("IDLE"),
            Fault::Refuse("NO not now".to_owned()),
            "",
            60,
        ),
        (On::Command("IDLE"), Fault::Silence, "timeout", 15),
        (On::Command("IDLE"), Fault::Cut, "disconnected", 0),
        (On::Command("DONE"), Fault::Silence, "timeout", 555),
        (On::Command("DONE"), Fault::Cut, "disconnected", 540),
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
    let kind = |error: InboxError| error.kind().to_owned();
    let mut session = connect(server).await.map_err(kind)?;
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
