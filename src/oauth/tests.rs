//! The table of refusals, and what is made of an answer.

use std::collections::BTreeSet;

use super::error::{Entry, Refusal, TABLE, entries, refused};
use super::*;

fn told(brand: Brand, error: &str, own: Option<&str>, description: &str) -> OauthError {
    let refusal = Refusal {
        error,
        own,
        description,
    };
    refused("login.example", brand, refusal)
}

#[test]
fn the_table_is_well_formed() {
    assert!(toml::from_str::<toml::Table>(TABLE).is_ok());
    assert!(entries().len() > 50, "{} entries", entries().len());
    let mut seen = BTreeSet::new();
    for Entry {
        code,
        provider,
        kind,
        says,
        hint,
        ..
    } in entries()
    {
        assert!(seen.insert((code, provider)), "{code} stands twice");
        let known = ["google", "microsoft"];
        let provider = provider.as_deref();
        assert!(provider.is_none_or(|name| known.contains(&name)), "{code}");
        assert!(kind.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
        for text in [says, hint] {
            assert!(!text.is_empty() && !text.ends_with('.'), "{code}: {text}");
        }
    }
}

#[test]
fn the_most_special_word_counts() {
    let seven = told(Brand::Google, "invalid_grant", None, "");
    assert_eq!(
        seven.problem,
        "login.example refuses: the refresh token has expired or was revoked (invalid_grant)"
    );
    assert!(seven.hint.contains("7 days"), "{}", seven.hint);
    assert_eq!(seven.retry, Retry::Credential);
    let idle = told(
        Brand::Microsoft,
        "invalid_grant",
        Some("AADSTS700082"),
        "AADSTS700082: …",
    );
    assert!(idle.problem.contains("90 days"), "{idle}");
    assert!(
        idle.problem.ends_with("(invalid_grant, AADSTS700082)"),
        "{idle}"
    );
    let other = told(Brand::Other, "invalid_grant", None, "");
    assert!(!other.hint.contains("Google"), "{}", other.hint);
    // a number that nobody listed says what its word says
    let unlisted = told(Brand::Microsoft, "invalid_client", Some("AADSTS1"), "x");
    assert_eq!(unlisted.kind, "invalid_client");
    assert!(unlisted.problem.contains("AADSTS1"), "{unlisted}");
}

#[test]
fn what_nobody_listed_is_told_as_it_came() {
    let error = told(Brand::Other, "odd_thing", None, "the moon is full");
    assert_eq!(error.kind, "oauth_refused");
    assert_eq!(
        error.problem,
        "login.example refuses (odd_thing): the moon is full"
    );
}

#[test]
fn the_issues_codes_are_all_listed() {
    for number in [
        "700082", "50173", "50076", "65001", "700016", "7000215", "7000222", "90002", "53003",
        "530003",
    ] {
        let own = format!("AADSTS{number}");
        let error = told(Brand::Microsoft, "invalid_grant", Some(&own), "");
        assert!(
            entries().iter().any(|entry| entry.code == own),
            "{own} is not listed"
        );
        assert!(error.problem.contains(&own), "{error}");
    }
}

mod answers {
    use super::super::answer::{Asked, seconds};
    use super::super::http::{Clear, Response, Target};
    use super::*;
    use serde_json::json;
    use zeroize::Zeroizing;

    fn read(status: u16, body: &str) -> Result<Tokens, OauthError> {
        let asked = Asked {
            host: "login.example",
            brand: Brand::Microsoft,
            secrets: &["planted-refresh"],
        };
        let body = Zeroizing::new(body.as_bytes().to_vec());
        let headers = ureq::http::HeaderMap::new();
        let response = Response {
            status,
            body,
            headers,
        };
        asked.tokens(&response)
    }

    #[test]
    fn tokens_are_read_in_every_spelling() {
        for body in [
            r#"{"access_token":"at","token_type":"Bearer","expires_in":3599,"refresh_token":"rt"}"#,
            r#"{"access_token":"at","token_type":"bearer","expires_in":"3599","refresh_token":"rt","x":1}"#,
        ] {
            let tokens = read(200, body).unwrap();
            assert_eq!(tokens.access, Secret::new("at".to_owned()));
            assert_eq!(tokens.refresh, Some(Secret::new("rt".to_owned())));
            assert_eq!(tokens.lives.as_secs(), 3599);
        }
        let bare = read(200, r#"{"access_token":"at"}"#).unwrap();
        assert_eq!((bare.refresh, bare.lives.as_secs()), (None, 3600));
        assert_eq!(seconds(&json!(-1)), None);
        assert_eq!(seconds(&json!(1e300)).unwrap().as_secs(), 86_400);
        assert_eq!(seconds(&json!("NaN")), None);
    }

    #[test]
    fn what_cannot_be_used_is_no_token() {
        for body in [
            "",
            "<html>",
            "[]",
            "null",
            "{}",
            r#"{"access_token":""}"#,
            r#"{"access_token":"a b"}"#,
            r#"{"access_token":"a\u0001b"}"#,
            r#"{"access_token":"ä"}"#,
            r#"{"access_token":7}"#,
            r#"{"access_token":"at","token_type":"mac"}"#,
        ] {
            let error = read(200, body).expect_err(body);
            assert_eq!((error.kind, error.retry), ("oauth_answer", Retry::Soon));
        }
    }

    #[test]
    fn refusals_are_told_by_number_word_and_status() {
        let cases = [
            (
                400,
                r#"{"error":"invalid_grant","error_codes":[700082]}"#,
                "invalid_grant",
                Retry::Credential,
            ),
            (
                401,
                r#"{"error":"invalid_client","error_description":"AADSTS7000222: expired.\r\nTrace ID: x"}"#,
                "invalid_client",
                Retry::Never,
            ),
            (
                503,
                r#"{"error":"temporarily_unavailable"}"#,
                "oauth_unavailable",
                Retry::Soon,
            ),
            (500, "<html>", "oauth_unavailable", Retry::Soon),
            (429, r#"{"error":"x"}"#, "oauth_throttled", Retry::Slowly),
            (302, "", "oauth_answer", Retry::Never),
            (404, "<html>", "oauth_answer", Retry::Never),
            (400, "<html>", "oauth_answer", Retry::Soon),
        ];
        for (status, body, kind, retry) in cases {
            let error = read(status, body).expect_err(body);
            assert_eq!((error.kind, error.retry), (kind, retry), "{status} {body}");
        }
        let expired = read(cases[1].0, cases[1].1).unwrap_err();
        assert!(
            expired.problem.contains("the client secret has expired"),
            "{expired}"
        );
    }

    #[test]
    fn a_text_that_repeats_a_secret_or_steers_a_terminal_is_not_shown() {
        let told = |description: &str| {
            let body = json!({"error": "odd", "error_description": description}).to_string();
            read(400, &body).unwrap_err().problem
        };
        assert_eq!(told("bad planted-refresh"), "login.example refuses (odd)");
        assert!(!told("a\u{1b}[2Jb\u{202e}").contains(['\u{1b}', '\u{202e}']));
        assert!(told(&"x".repeat(9999)).len() < 300);
        assert!(!told("first\r\nsecond").contains("second"));
    }

    #[test]
    fn only_https_and_this_machine() {
        for good in [
            "https://login.example/token",
            "http://127.0.0.1:1/token",
            "http://[::1]:1/",
            "http://localhost/",
        ] {
            assert!(Target::parse(good, Clear::default()).is_ok(), "{good}");
        }
        for bad in [
            "http://login.example/token",
            "http://127.0.0.1.example/",
            "ftp://localhost/",
            "https://user@login.example/",
            "login.example",
            "",
            "data:,x",
        ] {
            let error = Target::parse(bad, Clear::default())
                .map_err(OauthError::from)
                .err();
            assert_eq!(error.map(|error| error.kind), Some("oauth_url"), "{bad}");
        }
    }

    proptest::proptest! {
        /// Whatever a provider sends, no secret comes back in an error, and nothing that steers a terminal.
        #[test]
        fn no_answer_is_too_odd(status in 200_u16..600, word in ".{0,40}", text in ".{0,300}", raw in ".{0,200}") {
            let odd = json!({"error": word, "error_description": format!("{text}planted-refresh{text}")});
            for body in [odd.to_string(), raw] {
                if let Err(error) = read(status, &body) {
                    let shown = format!("{error}{}", error.hint);
                    proptest::prop_assert!(!shown.contains("planted"), "{shown}");
                    proptest::prop_assert!(!shown.chars().any(char::is_control), "{shown:?}");
                }
            }
        }
    }
}
