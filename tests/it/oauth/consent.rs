//! The first consent, by a code that is entered anywhere or by a browser.

use std::sync::Arc;

use sftoken::oauth::{Browser, OauthError, Retry};
use sftoken::testing::oauth::{Fault, OauthServer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{client, multi, secret};

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
            let client = Arc::new(super::client(&server, "client", None));
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
