//! Every answer of an endpoint, and every way to it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sftoken::ingest::secret::Secret;
use sftoken::oauth::{Client, Grant, Http, OauthError, Provider, Retry, TokenSource};
use sftoken::testing::oauth::{Fault, OauthServer};
use tokio::net::TcpListener;

use super::{Hands, Held, client, multi, story};
use crate::support::tls_front::with_tls;

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

#[test]
fn a_private_authority_is_trusted_where_it_is_named() {
    story(async |server, place, _, _| {
        let folder = tempfile::tempdir().unwrap();
        let port = with_tls(server.address(), folder.path()).await;
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
