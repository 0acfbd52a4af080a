//! Access tokens from a provider on loopback: when they are asked for, and what comes of every answer.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use native_tls::Identity;
use sftoken::ingest::secret::Secret;
use sftoken::oauth::{
    Browser, Client, Grant, Http, OauthError, Place, PlaceError, Provider, Retry, TokenSource,
};
use sftoken::testing::oauth::{Fault, OauthServer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::support::dovecot::certificates;

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

/// A place in memory.
#[derive(Debug, Default)]
struct Held {
    /// What it gives, one after the other; the last one stays.
    gives: Mutex<VecDeque<Secret>>,
    read_only: bool,
}

impl Held {
    fn of(texts: &[&str]) -> Arc<Self> {
        let gives = texts.iter().map(|text| secret(text)).collect();
        Arc::new(Self {
            gives: Mutex::new(gives),
            read_only: false,
        })
    }

    fn read_only(text: &str) -> Arc<Self> {
        Arc::new(Self {
            gives: Mutex::new(VecDeque::from([secret(text)])),
            read_only: true,
        })
    }

    fn put(&self, text: &str) {
        *self.gives.lock().unwrap() = VecDeque::from([secret(text)]);
    }

    #[track_caller]
    fn check(&self, text: &str) {
        assert_eq!(self.load().unwrap(), secret(text));
    }
}

impl Place for Held {
    fn load(&self) -> Result<Secret, PlaceError> {
        let mut gives = self.gives.lock().unwrap();
        let first = gives.front().cloned().ok_or(PlaceError::Failed {
            problem: "the place is empty".to_owned(),
            hint: "fill it".to_owned(),
        })?;
        if gives.len() > 1 {
            gives.pop_front();
        }
        Ok(first)
    }

    fn save(&self, secret: &Secret) -> Result<(), PlaceError> {
        if self.read_only {
            return Err(PlaceError::ReadOnly {
                place: "env:X".to_owned(),
            });
        }
        *self.gives.lock().unwrap() = VecDeque::from([secret.clone()]);
        Ok(())
    }
}

/// A clock that a test moves.
#[derive(Clone)]
struct Hands(Arc<Mutex<Timestamp>>);

impl Hands {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Timestamp::UNIX_EPOCH)))
    }

    fn on(&self, minutes: i64) {
        *self.0.lock().unwrap() += SignedDuration::from_mins(minutes);
    }
}

fn client(server: &OauthServer, id: &str, place: Option<Arc<dyn Place>>) -> Client {
    let mut provider = Provider::generic(&server.url("token"));
    provider.device_url = Some(server.url("device"));
    provider.authorize_url = Some(server.url("authorize"));
    provider.scope = Some("mail offline".to_owned());
    let http = Http::new().within(Duration::from_millis(500));
    Client::new(provider, id, place, http)
}

fn source(server: &OauthServer, place: &Arc<Held>, hands: &Hands) -> TokenSource {
    let hands = hands.clone();
    let clock = Arc::new(move || *hands.0.lock().unwrap());
    let grant = Grant::Refresh(place.clone());
    TokenSource::new(client(server, "client", None), grant, clock)
}

fn multi() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

/// A provider that knows one user, and a source of that user's tokens.
fn story<F: Future>(tell: impl FnOnce(OauthServer, Arc<Held>, TokenSource, Hands) -> F) {
    multi().block_on(async {
        let server = OauthServer::start().await.unwrap();
        server.allow("refresh-0", "ann");
        let (place, hands) = (Held::of(&["refresh-0"]), Hands::new());
        let source = source(&server, &place, &hands);
        tell(server, place, source, hands).await;
    });
}

#[test]
fn a_token_is_asked_for_once_and_renewed_five_minutes_early() {
    story(async |server, _, source, hands| {
        let many: Vec<_> = (0..20)
            .map(|_| {
                let source = source.clone();
                tokio::spawn(async move { source.token().await.unwrap() })
            })
            .collect();
        let mut tokens = Vec::new();
        for one in many {
            tokens.push(one.await.unwrap());
        }
        assert!(tokens.iter().all(|token| *token == tokens[0]));
        assert_eq!(server.asked().len(), 1);
        hands.on(54);
        assert_eq!(source.token().await.unwrap(), tokens[0]);
        hands.on(2);
        assert_ne!(source.token().await.unwrap(), tokens[0]);
        assert_eq!(server.asked().len(), 2);
        let asked = &server.asked()[1].form;
        assert_eq!(asked["grant_type"], "refresh_token");
        assert_eq!(asked["client_id"], "client");
        // "as before": no scope
        assert!(!asked.contains_key("scope"), "{asked:?}");
    });
}

#[test]
fn a_token_of_short_life_is_used_for_half_of_it() {
    story(async |server, _, source, hands| {
        server.lifetime(240);
        source.token().await.unwrap();
        hands.on(1);
        source.token().await.unwrap();
        assert_eq!(server.asked().len(), 1);
        hands.on(2);
        source.token().await.unwrap();
        assert_eq!(server.asked().len(), 2);
    });
}

#[test]
fn a_provider_that_is_down_costs_nothing_while_the_token_lives() {
    story(async |server, _, source, hands| {
        let token = source.token().await.unwrap();
        hands.on(57);
        server.fail(2, Fault::Answer(503, String::new()));
        assert_eq!(source.token().await.unwrap(), token);
        hands.on(4);
        let error = source.token().await.unwrap_err();
        assert_eq!(error.kind, "oauth_unavailable");
        assert_ne!(source.token().await.unwrap(), token);
        // one that says no for good is believed at once
        hands.on(57);
        server.revoke_refresh_tokens();
        let error = source.token().await.unwrap_err();
        assert_eq!(error.kind, "invalid_grant");
    });
}

#[test]
fn a_refused_token_is_replaced_and_a_newer_one_stays() {
    story(async |server, _, source, _| {
        let first = source.token().await.unwrap();
        source.refused(&first);
        let second = source.token().await.unwrap();
        assert_ne!(second, first);
        // the news comes late, from another connection
        source.refused(&first);
        assert_eq!(source.token().await.unwrap(), second);
        assert_eq!(server.asked().len(), 2);
    });
}

#[test]
fn a_rotated_refresh_token_is_saved_and_used() {
    story(async |server, place, source, hands| {
        server.rotate(true);
        for _ in 0..3 {
            source.token().await.unwrap();
            hands.on(60);
            place.check(&server.refresh_tokens()[0]);
        }
        let used: Vec<String> = server
            .asked()
            .iter()
            .map(|asked| asked.form["refresh_token"].clone())
            .collect();
        assert_eq!(used[0], "refresh-0");
        assert!(used[1] != used[0] && used[2] != used[1], "{used:?}");
    });
}

#[test]
fn one_that_cannot_be_saved_lives_as_long_as_the_program() {
    story(async |server, _, _, hands| {
        server.rotate(true);
        let place = Held::read_only("refresh-0");
        let source = source(&server, &place, &hands);
        for _ in 0..3 {
            source.token().await.unwrap();
            hands.on(60);
        }
        place.check("refresh-0");
        // a person puts another one there: it counts from then on
        server.allow("by-hand", "ann");
        place.put("by-hand");
        source.token().await.unwrap();
        assert_eq!(server.asked()[3].form["refresh_token"], "by-hand");
    });
}

#[test]
fn a_token_that_another_process_rotated_is_read_again() {
    story(async |server, _, _, hands| {
        server.allow("theirs", "ann");
        server.revoke_refresh_tokens();
        server.allow("theirs", "ann");
        let place = Held::of(&["refresh-0", "theirs"]);
        source(&server, &place, &hands).token().await.unwrap();
        assert_eq!(server.asked().len(), 2);
        // none is there but the one that was refused: asked once
        server.revoke_refresh_tokens();
        hands.on(60);
        let place = Held::of(&["refresh-0"]);
        let error = source(&server, &place, &hands).token().await.unwrap_err();
        assert_eq!(
            (error.kind, error.retry),
            ("invalid_grant", Retry::Credential)
        );
        assert_eq!(server.asked().len(), 3);
    });
}

/// Whoever asked goes away; the new refresh token must not go with them.
#[test]
fn a_caller_that_goes_away_loses_no_rotated_token() {
    story(async |server, place, source, _| {
        server.rotate(true);
        let going = tokio::time::timeout(Duration::ZERO, source.token()).await;
        assert!(going.is_err());
        let token = source.token().await.unwrap();
        place.check(&server.refresh_tokens()[0]);
        assert_eq!(server.asked().len(), 1);
        assert_eq!(source.token().await.unwrap(), token);
    });
}

#[test]
fn a_place_that_gives_nothing_now_may_do_so_later() {
    story(async |server, _, _, hands| {
        let place = Arc::new(Held::default());
        let source = source(&server, &place, &hands);
        let error = source.token().await.unwrap_err();
        assert_eq!((error.kind, error.retry), ("oauth_secret", Retry::Soon));
        assert_eq!(
            (error.problem.as_str(), error.hint.as_str()),
            ("the place is empty", "fill it")
        );
        place.put("refresh-0");
        source.token().await.unwrap();
    });
}

#[test]
fn every_fault_is_told_as_what_it_is_and_passes() {
    story(async |server, _, source, _| {
        let elsewhere = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}/token", elsewhere.local_addr().unwrap());
        let refusal = r#"{"error":"invalid_grant","error_description":"about refresh-0"}"#;
        let cases = [
            (Fault::Html, "oauth_answer", Retry::Soon),
            (Fault::Huge, "oauth_answer", Retry::Soon),
            (Fault::Silence, "oauth_timeout", Retry::Soon),
            (Fault::Cut, "oauth_unreachable", Retry::Soon),
            (Fault::Redirect(url), "oauth_answer", Retry::Never),
            (
                Fault::Answer(500, String::new()),
                "oauth_unavailable",
                Retry::Soon,
            ),
            (
                Fault::Answer(429, "{}".to_owned()),
                "oauth_throttled",
                Retry::Slowly,
            ),
            (
                Fault::Answer(400, refusal.to_owned()),
                "invalid_grant",
                Retry::Credential,
            ),
            (
                Fault::Answer(200, r#"{"access_token":7}"#.to_owned()),
                "oauth_answer",
                Retry::Soon,
            ),
        ];
        for (fault, kind, retry) in cases {
            server.fail(1, fault.clone());
            let error = source.token().await.unwrap_err();
            assert_eq!(
                (error.kind, error.retry),
                (kind, retry),
                "{fault:?}: {error}"
            );
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("refresh-0"), "{shown}");
            assert!(error.problem.starts_with("127.0.0.1:"), "{error}");
        }
        // nobody was led elsewhere
        let visit = tokio::time::timeout(Duration::from_millis(50), elsewhere.accept()).await;
        assert!(visit.is_err());
        source.token().await.unwrap();
    });
}

#[test]
fn nobody_there_and_no_such_name() {
    multi().block_on(async {
        let port = {
            let gone = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
            gone.local_addr().unwrap().port()
        };
        let ask = |url: String| {
            let provider = Provider::generic(&url);
            let client = Client::new(provider, "client", None, Http::new());
            let grant = Grant::Refresh(Held::of(&["planted"]));
            TokenSource::new(client, grant, Arc::new(Timestamp::now))
        };
        let error = ask(format!("http://127.0.0.1:{port}/token")).token().await;
        assert_eq!(error.unwrap_err().kind, "oauth_unreachable");
        let error = ask("https://nowhere.invalid/token".to_owned())
            .token()
            .await;
        let error = error.unwrap_err();
        assert_eq!(
            (error.kind, error.retry),
            ("oauth_unreachable", Retry::Soon)
        );
        let error = ask("http://login.example/token".to_owned()).token().await;
        assert_eq!(error.unwrap_err().retry, Retry::Never);
    });
}

#[test]
fn a_client_proves_itself_in_the_form_or_in_the_header() {
    multi().block_on(async {
        let server = OauthServer::start().await.unwrap();
        let odd = "p/a:s%s wörd+&=";
        server.allow_client("app:1", odd, "ann");
        for header_only in [false, true] {
            server.header_only(header_only);
            let client = client(&server, "app:1", Some(Held::of(&[odd])));
            let hands = Hands::new();
            let clock = hands.clone();
            let clock = Arc::new(move || *clock.0.lock().unwrap());
            let source = TokenSource::new(client, Grant::ClientCredentials, clock);
            for _ in 0..2 {
                source.token().await.unwrap();
                hands.on(60);
            }
        }
        let asked = server.asked();
        let by_header: Vec<bool> = asked.iter().map(|asked| asked.basic.is_some()).collect();
        // the second time it is known how
        assert_eq!(by_header, [false, false, false, true, true]);
        assert_eq!(asked[3].basic, Some(("app:1".to_owned(), odd.to_owned())));
        assert!(!asked[3].form.contains_key("client_secret"));
        let client = client(&server, "app:1", Some(Held::of(&["planted-wrong"])));
        let source = TokenSource::new(client, Grant::ClientCredentials, Arc::new(Timestamp::now));
        let error = source.token().await.unwrap_err();
        assert_eq!((error.kind, error.retry), ("invalid_client", Retry::Never));
        assert!(!format!("{error:?} {source:?}").contains("planted"));
    });
}

/// TLS in front of a provider, with a certificate of a private authority for `localhost`.
async fn with_tls(server: &OauthServer, folder: &std::path::Path) -> u16 {
    certificates(folder);
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let identity = Identity::from_pkcs8(&read("server.crt"), &read("server.key")).unwrap();
    let acceptor = native_tls::TlsAcceptor::new(identity).unwrap();
    let acceptor = tokio_native_tls::TlsAcceptor::from(acceptor);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let (port, target) = (listener.local_addr().unwrap().port(), server.address());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut near = acceptor.accept(stream).await?;
                let mut far = TcpStream::connect(target).await?;
                tokio::io::copy_bidirectional(&mut near, &mut far).await?;
                Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
            });
        }
    });
    port
}

#[test]
fn a_private_authority_is_trusted_where_it_is_named() {
    story(async |server, place, _, _| {
        let folder = tempfile::tempdir().unwrap();
        let port = with_tls(&server, folder.path()).await;
        let ask = async |host: &str, http: Http| -> Result<Secret, OauthError> {
            let provider = Provider::generic(&format!("https://{host}:{port}/token"));
            let client = Client::new(provider, "client", None, http);
            let grant = Grant::Refresh(place.clone());
            TokenSource::new(client, grant, Arc::new(Timestamp::now))
                .token()
                .await
        };
        let private = || Http::with_authorities(folder.path().join("ca.crt"));
        ask("localhost", private()).await.unwrap();
        let error = ask("localhost", Http::new()).await.unwrap_err();
        assert_eq!(error.kind, "oauth_tls");
        assert!(error.problem.contains("not trusted"), "{error}");
        assert!(error.hint.contains("auth.ca_file"), "{}", error.hint);
        // 127.0.0.1 is in the certificate, this name is not
        let error = ask("127.0.0.2", private()).await.unwrap_err();
        assert!(
            ["oauth_tls", "oauth_unreachable"].contains(&error.kind),
            "{error}"
        );
        for (file, said) in [
            ("none.pem", "cannot be read"),
            ("server.key", "no certificate"),
        ] {
            let http = Http::with_authorities(folder.path().join(file));
            let error = ask("localhost", http).await.unwrap_err();
            assert_eq!((error.kind, error.retry), ("ca_file", Retry::Never));
            assert!(error.problem.contains(said), "{error}");
        }
    });
}

/// The story of a device code: what the person does is the argument.
fn device(person: impl FnOnce(&OauthServer, &str)) -> (Result<(), OauthError>, OauthServer) {
    let runtime = multi();
    let (ended, server) = runtime.block_on(async {
        let server = OauthServer::start().await.unwrap();
        let client = Arc::new(client(&server, "client", None));
        let code = client.device_code().await.unwrap();
        assert!(code.url.ends_with("/enter"), "{}", code.url);
        assert!(!format!("{code:?}").contains("device-0"));
        person(&server, &code.user_code);
        let tokens = client.await_approval(&code).await;
        let ended = tokens.map(|tokens| {
            let refresh = tokens.refresh.unwrap();
            assert_eq!(refresh, secret(&server.refresh_tokens()[0]));
        });
        (ended, server)
    });
    (ended, server)
}

#[test]
fn a_code_is_entered_and_allowed_or_not() {
    let (ended, server) = device(|server, code| assert!(server.enter(code, Some("ann"))));
    ended.unwrap();
    assert_eq!(server.asked()[0].form["scope"], "mail offline");
    let (ended, _) = device(|server, code| assert!(server.enter(code, None)));
    let error = ended.unwrap_err();
    assert_eq!((error.kind, error.retry), ("access_denied", Retry::Never));
}

#[test]
fn a_provider_that_is_slow_or_down_is_asked_more_slowly() {
    let slow = r#"{"error":"slow_down"}"#.to_owned();
    let (ended, server) = device(|server, code| {
        server.fail(1, Fault::Answer(400, slow));
        server.enter(code, Some("ann"));
    });
    ended.unwrap();
    assert_eq!(server.asked().len(), 3);
}

#[test]
fn a_code_that_nobody_enters_ends() {
    multi().block_on(async {
        let server = OauthServer::start().await.unwrap();
        let client = Arc::new(client(&server, "client", None));
        let short = r#"{"device_code":"d","user_code":"U","verification_url":"https://login.example/","expires_in":"2","interval":1}"#;
        server.fail(1, Fault::Answer(200, short.to_owned()));
        let code = client.device_code().await.unwrap();
        server.fail(9, Fault::Answer(400, r#"{"error":"authorization_pending"}"#.to_owned()));
        let error = client.await_approval(&code).await.unwrap_err();
        assert_eq!(error.kind, "authorization_expired");
        // what cannot be shown on a terminal is no code
        for odd in ["\u{1b}[2J", "ÄÖ", ""] {
            let body = serde_json::json!({"device_code": "d", "user_code": odd, "verification_uri": "x"});
            let server = OauthServer::start().await.unwrap();
            server.fail(1, Fault::Answer(200, body.to_string()));
            let client = Arc::new(self::client(&server, "client", None));
            assert_eq!(client.device_code().await.unwrap_err().kind, "oauth_answer");
        }
    });
}

/// A browser: asks for a URL, and gives status and `Location`.
async fn get(url: &str) -> (String, Option<String>) {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).await.unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().to_owned();
    let location = answer
        .lines()
        .find_map(|line| line.strip_prefix("Location: "));
    (status, location.map(str::to_owned))
}

#[test]
fn a_browser_brings_the_code_that_answers_our_request() {
    multi().block_on(async {
        let server = OauthServer::start().await.unwrap();
        let client = Arc::new(client(&server, "client", None));
        let browser = Browser::begin(&client, "ann@example.com").await.unwrap();
        assert!(!browser.url.contains("code_verifier"), "{}", browser.url);
        let (url, port) = (browser.url.clone(), browser.port);
        let consent = tokio::spawn({
            let client = client.clone();
            async move { browser.await_consent(&client).await }
        });
        let here = format!("http://127.0.0.1:{port}");
        for stray in ["favicon.ico", "?code=planted&state=another", "?code=x", ""] {
            assert_eq!(get(&format!("{here}/{stray}")).await.0, "404", "{stray}");
        }
        let (_, location) = get(&url).await;
        let location = location.unwrap();
        assert!(location.starts_with(&here), "{location}");
        assert_eq!(get(&location).await.0, "200");
        let tokens = consent.await.unwrap().unwrap();
        assert!(tokens.refresh.is_some());
        assert_eq!(server.asked()[0].form["redirect_uri"], here);

        let browser = Browser::begin(&client, "ann@example.com").await.unwrap();
        let state = browser.url.split("state=").nth(1).unwrap();
        let state = state.split('&').next().unwrap();
        let no = format!(
            "http://127.0.0.1:{}/?error=access_denied&state={state}",
            browser.port
        );
        let (ended, (status, _)) = tokio::join!(browser.await_consent(&client), get(&no));
        assert_eq!(status, "200");
        assert_eq!(ended.unwrap_err().kind, "access_denied");
    });
}
