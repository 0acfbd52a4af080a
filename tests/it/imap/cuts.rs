//! Every answer, cut at each of its bytes, and refused in each way.
//!
//! A cut answer must be a cut, wherever it is cut; only the whole one, with its tagged line, may say
//! anything. A refusal must be a refusal, whatever was refused.

use std::future::Future;
use std::pin::Pin;

use sftoken::inbox::{InboxError, Session, Wake};
use sftoken::testing::server::{Fault, On, Quirks, Server};

use super::server::{MAIL, PASSWORD, connect, morning};

/// What a client asks, told as text.
type Told<'s> = Pin<Box<dyn Future<Output = Result<String, InboxError>> + 's>>;

/// A command, and how a session comes to give it, once it has opened INBOX.
struct Asking {
    command: &'static str,
    ask: for<'s> fn(&'s mut Session) -> Told<'s>,
    answer: &'static str,
}

const ASKING: [Asking; 6] = [
    Asking {
        command: "EXAMINE",
        ask: |session| {
            Box::pin(async move {
                let inbox = session.resolve_folder("INBOX").await?;
                let state = session.examine(&inbox).await?;
                Ok(format!("{} {:?}", state.uid_validity, state.uid_next))
            })
        },
        answer: "1 Some(2)",
    },
    Asking {
        command: "SEARCH",
        ask: |session| Box::pin(async { Ok(format!("{:?}", session.search_from(1).await?)) }),
        answer: "[1]",
    },
    Asking {
        command: "FETCH",
        ask: |session| {
            Box::pin(async {
                let heads = session.heads(&[1]).await?;
                Ok(format!("{} of {}", heads.len(), heads[0].header.len()))
            })
        },
        answer: "1 of 57",
    },
    Asking {
        command: "FETCH",
        ask: |session| {
            Box::pin(async {
                let body = session.body(1).await?;
                Ok(format!("{:?}", body.map(|body| body == MAIL)))
            })
        },
        answer: "Some(true)",
    },
    Asking {
        command: "LIST",
        ask: |session| {
            Box::pin(async {
                let junk = session.resolve_folder("\\Junk").await?;
                Ok(junk.as_str().to_owned())
            })
        },
        answer: "Junk",
    },
    Asking {
        // its end
        command: "DONE",
        ask: |session| {
            Box::pin(async {
                session.search_from(1).await?;
                Ok(format!("{:?}", session.wait().await?))
            })
        },
        answer: "Renew",
    },
];

/// No answer here is longer.
const MOST: usize = 1000;

fn server() -> Server {
    let server = Server::new();
    server.add_user("ann", PASSWORD);
    server.deliver("ann", "INBOX", MAIL, morning());
    server
}

/// A session with INBOX open, and `fault` waiting for the command.
async fn facing(server: &Server, command: &'static str, fault: Fault) -> Session {
    let mut session = connect(server).await.unwrap();
    let inbox = session.resolve_folder("INBOX").await.unwrap();
    session.examine(&inbox).await.unwrap();
    server.befall(On::Command(command), fault);
    session
}

/// Cuts at 0, 1, 2 … until an answer is whole; gives how many bytes that took.
async fn cut_at_each_byte(asking: &Asking) -> usize {
    let server = server();
    for bytes in 0..MOST {
        let mut session = facing(&server, asking.command, Fault::CutAfter(bytes)).await;
        match (asking.ask)(&mut session).await {
            Ok(told) => {
                assert_eq!(
                    told, asking.answer,
                    "{} after {bytes} bytes",
                    asking.command
                );
                return bytes;
            }
            Err(error) => {
                assert_eq!(
                    error.kind(),
                    "disconnected",
                    "{} after {bytes} bytes: {error}",
                    asking.command
                );
            }
        }
    }
    panic!("{}: no answer in {MOST} bytes", asking.command)
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_cut_at_any_byte_is_a_cut() {
    let mut lengths = Vec::new();
    for asking in &ASKING {
        lengths.push(cut_at_each_byte(asking).await);
    }
    // counted by hand: no answer was taken for whole before its last byte
    assert_eq!(lengths, [244, 27, 221, 130, 94, 15], "bytes of each answer");
}

/// The `+` ends nothing: what is cut behind it is cut as well.
#[tokio::test(start_paused = true)]
async fn an_idle_that_is_cut_at_its_beginning_is_a_cut() {
    for bytes in 0..="+ idling\r\n".len() {
        let server = server();
        let mut session = facing(&server, "IDLE", Fault::CutAfter(bytes)).await;
        session.search_from(1).await.unwrap();
        let error = session.wait().await.unwrap_err();
        assert_eq!(error.kind(), "disconnected", "after {bytes} bytes: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_log_in_that_is_cut_at_any_byte_is_a_cut() {
    for (on, least) in [(On::Greeting, 70), (On::Command("AUTHENTICATE"), 100)] {
        let server = server();
        let mut bytes = 0;
        loop {
            server.befall(on.clone(), Fault::CutAfter(bytes));
            match connect(&server).await {
                Ok(_) => break,
                Err(error) => assert_eq!(error.kind(), "disconnected", "{on:?} {bytes}: {error}"),
            }
            bytes += 1;
            if on == On::Greeting && bytes > least {
                // the whole greeting and then an end is a cut as well: there is no log-in
                break;
            }
        }
        assert!(bytes > least, "{on:?}: only {bytes} bytes");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_any_command_is_a_refusal() {
    let refusals = [
        ("NO", "command_refused"),
        ("BAD", "command_refused"),
        ("NO what", "command_refused"),
        ("BAD [CLIENTBUG] what", "command_refused"),
        ("NO [UNAVAILABLE] later", "command_refused"),
        ("PREAUTH what", "protocol"),
        ("BYE what", "protocol"),
    ];
    for asking in ASKING.iter().take(5) {
        for (refusal, kind) in refusals {
            // LIST is asked a second time, in a plainer way
            let times = if asking.command == "LIST" { 2 } else { 1 };
            let server = server();
            let fault = Fault::Refuse(refusal.to_owned());
            let mut session = facing(&server, asking.command, fault.clone()).await;
            for _ in 1..times {
                server.befall(On::Command(asking.command), fault.clone());
            }
            let error = (asking.ask)(&mut session).await.expect_err(refusal);
            assert_eq!(error.kind(), kind, "{} {refusal}: {error}", asking.command);
            // and the connection is as good as before, or known to be spent
            let again = (asking.ask)(&mut session).await;
            match again {
                Ok(told) => assert_eq!((&told[..], kind), (asking.answer, "command_refused")),
                Err(error) => assert_eq!(error.kind(), "disconnected", "{refusal}"),
            }
        }
    }
}

/// Without IDLE it polls; what it was told meanwhile is not lost.
#[tokio::test(start_paused = true)]
async fn a_refusal_of_idle_is_a_pause() {
    for refusal in ["NO", "BAD", "NO [UNAVAILABLE] later"] {
        let server = server();
        let mut session = facing(&server, "IDLE", Fault::Refuse(refusal.to_owned())).await;
        session.search_from(1).await.unwrap();
        assert_eq!(session.wait().await.unwrap(), Wake::Renew);
        // told with the answer to the search, which was made before
        server.deliver("ann", "INBOX", MAIL, morning());
        assert_eq!(session.search_from(1).await.unwrap(), [1]);
        assert_eq!(session.wait().await.unwrap(), Wake::Changed);
        assert_eq!(session.search_from(1).await.unwrap(), [1, 2]);
    }
    let server = Server::with(Quirks::default().without("IDLE"));
    server.add_user("ann", PASSWORD);
    let mut session = facing(&server, "EXPUNGE", Fault::Cut).await;
    session.search_from(1).await.unwrap();
    assert_eq!(session.wait().await.unwrap(), Wake::Renew);
    assert!(!server.counts().commands.contains_key("IDLE"));
}
