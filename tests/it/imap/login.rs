//! Each way to log in, against Dovecot's own; and what a server does that Dovecot would not.

use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use sftoken::inbox::{
    BearerError, BearerFuture, BearerSource, Class, Credential, InboxError, Limits, Session,
};
use sftoken::ingest::secret::Secret;
use sftoken::oauth::{Client, Grant, Http, Place, PlaceError, Provider, TokenSource};
use sftoken::testing::imap::Script;
use sftoken::testing::oauth::OauthServer;

use crate::support::dovecot::{Dovecot, LogIn, PASSWORD};

const WRONG: &str = "planted-wrong-pass";
const TOKEN: &str = "planted-access-token";

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

/// A source with one token; it notes what was refused.
#[derive(Debug, Default)]
struct Fixed(Mutex<Vec<Secret>>);

impl BearerSource for Fixed {
    fn bearer(&self) -> BearerFuture<'_> {
        Box::pin(async { Ok(secret(TOKEN)) })
    }

    fn refused(&self, token: &Secret) {
        self.0.lock().unwrap().push(token.clone());
    }
}

#[tokio::test]
async fn scram_proves_both_sides() {
    let server = Dovecot::start_for(&LogIn::by("scram-sha-256"));
    let endpoint = server.endpoint("ann");
    let connect = async |password: &str| {
        Session::connect(&endpoint, &secret(password).into(), &Limits::default()).await
    };
    connect(PASSWORD).await.unwrap().logout().await;
    let error = connect(WRONG).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.class()),
        ("login_refused", Class::Auth)
    );
    // a password that SASLprep forbids: there is no other mechanism here
    let error = connect("\u{7}").await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains(WRONG));
}

/// The server is asked only once when it has refused the proof, although it offers PLAIN too.
#[tokio::test]
async fn a_password_that_scram_refused_is_not_tried_again() {
    let server = Dovecot::start_for(&LogIn::by("plain login scram-sha-256"));
    let endpoint = server.endpoint("ann");
    let wrong = secret(WRONG).into();
    let error = Session::connect(&endpoint, &wrong, &Limits::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), "login_refused");
    let log = server.await_log("method=SCRAM-SHA-256");
    assert!(log.contains("auth failed, 1 attempts"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn dovecot_takes_tokens_in_both_forms() {
    for mechanisms in ["xoauth2", "oauthbearer", "plain xoauth2 oauthbearer"] {
        let (provider, server) = stage(mechanisms).await;
        provider.allow("planted-refresh", "ann");
        let source = source(&provider, "planted-refresh");
        let credential: Credential = source.clone().into();
        for endpoint in [server.endpoint("ann"), server.starttls("ann")] {
            let session = Session::connect(&endpoint, &credential, &Limits::default()).await;
            session.unwrap().logout().await;
        }
        assert_eq!(provider.asked().len(), 1, "{mechanisms}");

        // the token of another's mailbox, and one that is held no more
        let endpoint = server.endpoint("bob");
        let error = Session::connect(&endpoint, &credential, &Limits::default())
            .await
            .unwrap_err();
        check_refused(&error, mechanisms);
        let endpoint = server.endpoint("ann");
        let session = Session::connect(&endpoint, &credential, &Limits::default()).await;
        session.unwrap().logout().await;
        assert_eq!(provider.asked().len(), 2, "the refused one was dropped");
        provider.revoke_access_tokens();
        let error = Session::connect(&endpoint, &credential, &Limits::default())
            .await
            .unwrap_err();
        check_refused(&error, mechanisms);
        let session = Session::connect(&endpoint, &credential, &Limits::default()).await;
        session.unwrap().logout().await;
        assert_eq!(provider.asked().len(), 3);
    }
}

#[track_caller]
fn check_refused(error: &InboxError, mechanisms: &str) {
    assert_eq!(
        (error.kind(), error.class()),
        ("token_refused", Class::Auth),
        "{mechanisms}: {error}"
    );
    let shown = format!("{error} {error:?} {}", error.hint());
    assert!(!shown.contains("of-the-test"), "{shown}");
    assert!(shown.contains("status"), "{shown}");
}

async fn stage(mechanisms: &'static str) -> (OauthServer, Dovecot) {
    let provider = OauthServer::start().await.unwrap();
    let token_info = Some(format!("{}?access_token=", provider.url("tokeninfo")));
    let server = Dovecot::start_for(&LogIn {
        mechanisms,
        token_info,
    });
    (provider, server)
}

#[derive(Debug)]
struct Held(&'static str);

impl Place for Held {
    fn load(&self) -> Result<Secret, PlaceError> {
        Ok(secret(self.0))
    }

    fn save(&self, _: &Secret) -> Result<(), PlaceError> {
        panic!("nothing is rotated here")
    }
}

fn source(provider: &OauthServer, refresh: &'static str) -> TokenSource {
    let endpoints = Provider::generic(&provider.url("token"));
    let client = Client::new(endpoints, "client", None, Http::new());
    let grant = Grant::Refresh(Arc::new(Held(refresh)));
    TokenSource::new(client, grant, Arc::new(Timestamp::now))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn without_a_token_nobody_is_connected_to() {
    let provider = OauthServer::start().await.unwrap();
    let credential: Credential = source(&provider, "planted-refresh").into();
    // a script that would fail at the first byte
    let (stream, server) = Script::parse("S: * OK hi\nC: nothing at all")
        .unwrap()
        .serve();
    let error = Session::connect_over(
        stream,
        "mail.example:993",
        "u",
        &credential,
        &Limits::default(),
    )
    .await
    .unwrap_err();
    assert_eq!(
        (error.kind(), error.class()),
        ("invalid_grant", Class::Auth)
    );
    assert!(
        error.hint().contains("sftoken authorize"),
        "{}",
        error.hint()
    );
    assert!(
        error
            .to_string()
            .starts_with("no access token for mail.example:993: 127.0.0.1:"),
        "{error}"
    );
    drop(server);
}

/// What comes of a script for a token, and how often the source was told that it is refused.
async fn play(script: &str) -> (Result<(), InboxError>, usize) {
    let (stream, server) = Script::parse(script).unwrap().serve();
    let source = Arc::new(Fixed::default());
    let credential = Credential::Bearer(source.clone());
    let limits = Limits::default();
    let ended = Session::connect_over(
        stream,
        "mail.example:993",
        "user@example.com",
        &credential,
        &limits,
    )
    .await;
    if let Err(error) = &ended {
        let shown = format!("{error} {error:?}");
        let planted = ["planted", "dXNlcj11c2Vy", "cGxhbnRlZC"];
        assert!(!planted.iter().any(|word| shown.contains(word)), "{shown}");
    }
    let ended = ended.map(drop);
    match server.await.unwrap() {
        Ok(()) | Err(sftoken::testing::imap::ScriptError::Gone(_)) => {}
        Err(error) => panic!("{error}"),
    }
    let refused = source.0.lock().unwrap().clone();
    assert!(refused.iter().all(|token| *token == secret(TOKEN)));
    (ended, refused.len())
}

const XOAUTH2: &str =
    "dXNlcj11c2VyQGV4YW1wbGUuY29tAWF1dGg9QmVhcmVyIHBsYW50ZWQtYWNjZXNzLXRva2VuAQE=";

#[tokio::test(start_paused = true)]
async fn a_token_is_sent_at_once_or_when_asked_for() {
    let at_once = format!(
        "S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR] Gimap\n\
         C: $ AUTHENTICATE XOAUTH2 {XOAUTH2}\nS: * CAPABILITY IMAP4rev1 IDLE\nS: $ OK in\n\
         C: $ CAPABILITY\nS: * CAPABILITY IMAP4rev1 IDLE\nS: $ OK done"
    );
    let when_asked = format!(
        "S: * OK ready\nC: $ CAPABILITY\nS: * CAPABILITY IMAP4rev1 Auth=XOAuth2\nS: $ OK done\n\
         C: $ AUTHENTICATE XOAUTH2\nS: +\nC: {XOAUTH2}\nS: $ OK [CAPABILITY IMAP4rev1] in"
    );
    let newer = "S: * OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2 AUTH=OAUTHBEARER SASL-IR] hi\n\
         C: $ AUTHENTICATE OAUTHBEARER bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9bWFpbC5leGFtcGxlAXBvcnQ9OTkz~\n\
         S: $ OK [CAPABILITY IMAP4rev1] in";
    for script in [at_once.as_str(), &when_asked, newer] {
        let (ended, refused) = play(script).await;
        ended.unwrap_or_else(|error| panic!("{error}\n{script}"));
        assert_eq!(refused, 0);
    }
}

/// `{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}`, as Gmail says it.
const GMAIL: &str = "eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2NvcGUiOiJodHRwczovL21haWwuZ29vZ2xlLmNvbS8ifQ==";

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_answered_once_and_dropped() {
    let offered = "S: * OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR] hi\n\
         C: $ AUTHENTICATE XOAUTH2 ~\n";
    let (ended, refused) = play(&format!(
        "{offered}S: + {GMAIL}\nC: \nS: $ NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)"
    ))
    .await;
    let error = ended.unwrap_err();
    assert_eq!(
        error.to_string(),
        "mail.example:993 refused the access token: [AUTHENTICATIONFAILED] Invalid credentials (Failure) \
         (status 400, scope https://mail.google.com/)"
    );
    assert_eq!((error.class(), refused), (Class::Auth, 1));

    let bearer = offered.replace("XOAUTH2", "OAUTHBEARER");
    let (ended, refused) = play(&format!("{bearer}S: + {GMAIL}\nC: AQ==\nS: $ NO no")).await;
    assert_eq!((ended.unwrap_err().kind(), refused), ("token_refused", 1));

    // Exchange says no more than this
    let (ended, refused) = play(&format!("{offered}S: $ NO AUTHENTICATE failed.")).await;
    assert_eq!((ended.unwrap_err().kind(), refused), ("token_refused", 1));

    // a second challenge, and an OK to a token that was refused before
    let (ended, refused) = play(&format!("{offered}S: + {GMAIL}\nC: \nS: + {GMAIL}\nhang")).await;
    assert_eq!((ended.unwrap_err().kind(), refused), ("protocol", 0));
    let (ended, _) = play(&format!("{offered}S: + {GMAIL}\nC: \nS: $ OK in")).await;
    assert_eq!(ended.unwrap_err().kind(), "protocol");

    // a text that repeats the token is dropped
    let (ended, _) = play(&format!(
        "{offered}S: $ BAD AUTHENTICATE XOAUTH2 {XOAUTH2}?"
    ))
    .await;
    let error = ended.unwrap_err().to_string();
    assert_eq!(error, "mail.example:993 refused the access token");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_busy_leaves_the_token_as_it_is() {
    let (ended, refused) = play(
        "S: * OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR] hi\n\
         C: $ AUTHENTICATE XOAUTH2 ~\nS: $ NO [UNAVAILABLE] Temporary System Error",
    )
    .await;
    let error = ended.unwrap_err();
    assert_eq!((error.class(), refused), (Class::Throttled, 0));
    assert!(error.hint().contains("slow down"), "{}", error.hint());
}

#[tokio::test(start_paused = true)]
async fn a_server_without_tokens_gets_none() {
    let script = "S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\nhang";
    let (ended, _) = play(script).await;
    let error = ended.unwrap_err();
    assert_eq!(
        (error.kind(), error.class()),
        ("token_not_offered", Class::Policy)
    );
}

#[test]
fn the_end_of_a_token_is_a_normal_event() {
    let bye = |text: &str| InboxError::Disconnected {
        at: "mail.example:993".to_owned(),
        bye: Some(text.to_owned()),
    };
    for text in [
        "Session invalidated - AccessTokenExpired",
        "Session expired, please login again.",
    ] {
        assert!(bye(text).is_expiry(), "{text}");
        assert_eq!(bye(text).class(), Class::Network);
    }
    assert!(!bye("Server shutting down.").is_expiry());
}

#[test]
fn exchanges_four_causes_are_told() {
    let error = InboxError::Refused {
        at: "outlook.office365.com:993".to_owned(),
        command: "EXAMINE",
        status: "BAD",
        code: None,
        text: "User is authenticated but not connected.".to_owned(),
    };
    for cause in [
        "licence",
        "Set-CASMailbox",
        "Add-MailboxPermission",
        "own address",
    ] {
        assert!(error.hint().contains(cause), "{}", error.hint());
    }
}

/// A source that never answers does not hold a connection up for ever.
#[tokio::test(start_paused = true)]
async fn a_silent_source_is_given_up() {
    #[derive(Debug)]
    struct Silent;
    impl BearerSource for Silent {
        fn bearer(&self) -> BearerFuture<'_> {
            Box::pin(std::future::pending::<Result<Secret, BearerError>>())
        }
        fn refused(&self, _: &Secret) {}
    }
    let (stream, _server) = Script::parse("hang").unwrap().serve();
    let credential = Credential::Bearer(Arc::new(Silent));
    let limits = Limits::default();
    let error = Session::connect_over(stream, "mail.example:993", "u", &credential, &limits)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.class()),
        ("token_timeout", Class::Network)
    );
}
