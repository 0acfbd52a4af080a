//! Every answer, and every way to none.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use sftoken::Token;
use sftoken::ingest::secret::Secret;
use sftoken::testing::salesforce::Fault;
use sftoken::verify::{Http, LogIn, OrganizationId, Outcome, Way};

use super::{APP, Org, PASSWORD, oauth, ways};
use crate::support::salesforce::ANN;
use crate::support::tls_front::with_tls;

#[track_caller]
fn check(outcome: &Outcome, kind: &str, verified: Option<bool>) {
    assert_eq!(outcome.kind(), kind, "{outcome:?}");
    assert_eq!(outcome.verified(), verified, "{outcome:?}");
    let speaks = outcome.speaks_against_the_token();
    assert_eq!(speaks, verified == Some(false), "{outcome:?}");
    assert_eq!(outcome.hint().is_empty(), verified == Some(true));
}

#[test]
fn a_good_token_logs_in_and_leaves_no_session() {
    let org = Org::new();
    for way in ways() {
        let outcome = org.attempt(way);
        check(&outcome, "logged_in", Some(true));
        let Outcome::LoggedIn(about) = outcome else {
            panic!("{outcome:?}");
        };
        let organization = about.organization_id.as_deref();
        assert_eq!(organization, Some("00D5e000001Xy7QEAS"));
        assert_eq!(about.user_id.as_deref(), Some("0055e0000000001AAA"));
        let host = org.stub.address().to_string();
        assert_eq!(about.server_host, Some(host));
        assert_eq!(org.stub.sessions(), 0);
    }
}

#[test]
fn a_reset_kills_the_old_token() {
    let org = Org::new();
    let new = Token::new(&org.stub.reset(ANN).unwrap()).unwrap();
    for (way, wrong) in ways().into_iter().zip(["invalid_login", "invalid_grant"]) {
        check(&org.attempt(way.clone()), wrong, Some(false));
        let outcome = org.attempt_with(way, PASSWORD, &new);
        check(&outcome, "logged_in", Some(true));
    }
}

#[test]
fn wrong_passwords_and_unknown_users_look_alike() {
    let org = Org::new();
    for (way, wrong) in ways().into_iter().zip(["invalid_login", "invalid_grant"]) {
        let outcome = org.attempt_with(way.clone(), "another", &org.token);
        check(&outcome, wrong, Some(false));
        assert!(outcome.to_string().contains("does not tell which"));
        let password = Secret::new(PASSWORD.to_owned());
        let nobody = org
            .log_in(way)
            .attempt("nobody@acme.example", &password, &org.token);
        assert_eq!(nobody, outcome);
    }
}

/// From an address that the org does not trust, a password without the token is answered in a way of its own.
#[test]
fn a_password_alone_is_told_apart_by_soap() {
    let org = Org::new();
    let token = Token::new("AbCdEfGhIjKlMnOpQrStUvWx").unwrap();
    // what is sent is then the whole password of the user
    let whole = format!("word{}", token.expose());
    org.stub.add_user(ANN, &whole);
    let outcome = org.attempt_with(Way::soap(), "word", &token);
    check(&outcome, "wrong_token", Some(false));
    assert!(
        outcome
            .to_string()
            .contains("LOGIN_MUST_USE_SECURITY_TOKEN")
    );
    // from one that it trusts, any token at all is not asked for
    org.stub.trust(true);
    check(
        &org.attempt_with(Way::soap(), "word", &token),
        "logged_in",
        Some(true),
    );
}

#[test]
fn a_locked_user_is_not_told_apart_from_a_wrong_token() {
    let org = Org::new();
    org.stub.lock_out_after(Some(3));
    let old = Token::new("AbCdEfGhIjKlMnOpQrStUvWx").unwrap();
    for _ in 0..3 {
        org.attempt_with(Way::soap(), PASSWORD, &old);
    }
    assert!(org.stub.is_locked(ANN));
    check(&org.attempt(Way::soap()), "invalid_login", Some(false));
    org.stub.unlock(ANN);
    check(&org.attempt(Way::soap()), "logged_in", Some(true));
}

/// Each fault, and what it is called by SOAP and by OAuth.
fn refusals() -> Vec<(Fault, &'static str, &'static str)> {
    vec![
        // a flow that is blocked looks as a wrong token does
        (Fault::LoginDisabled, "login_disabled", "invalid_grant"),
        (
            Fault::PermissionMissing,
            "permission_missing",
            "client_refused",
        ),
        (Fault::ApiDisabled, "api_disabled", "refused"),
        (
            Fault::PasswordExpired,
            "password_expired",
            "password_expired",
        ),
        (
            Fault::IpRestricted,
            "ip_or_hours_restricted",
            "ip_or_hours_restricted",
        ),
        (
            Fault::HoursRestricted,
            "ip_or_hours_restricted",
            "ip_or_hours_restricted",
        ),
        (Fault::LockedOut, "locked_out", "locked_out"),
        (
            Fault::ChallengeIssued,
            "challenge_required",
            "challenge_required",
        ),
        (Fault::UnsupportedVersion, "unsupported_version", "refused"),
        (Fault::Unheard, "refused", "refused"),
    ]
}

#[test]
fn a_refusal_for_something_else_says_nothing_of_the_token() {
    let org = Org::new();
    for (fault, by_soap, by_oauth) in refusals() {
        for (way, kind) in ways().into_iter().zip([by_soap, by_oauth]) {
            org.stub.fail_next(1, fault.clone());
            let outcome = org.attempt(way);
            let against = (kind == "invalid_grant").then_some(false);
            check(&outcome, kind, against);
            assert!(matches!(outcome, Outcome::Refused(_)), "{fault:?}");
            assert!(outcome.was_sent());
            let host = org.stub.address().to_string();
            assert!(outcome.to_string().starts_with(&host), "{outcome}");
        }
    }
    // also the session that is good for a new password only was ended
    assert_eq!(org.stub.sessions(), 0);
}

#[test]
fn no_answer_is_no_refusal() {
    let org = Org::new();
    let elsewhere = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let to = format!(
        "http://{}/services/Soap/u/64.0",
        elsewhere.local_addr().unwrap()
    );
    let json = r#"{"access_token":7}"#.to_owned();
    for (fault, kind) in [
        (Fault::RateLimited, "throttled"),
        (Fault::ServerUnavailable, "unavailable"),
        (Fault::Status(500), "unavailable"),
        (Fault::Status(503), "unavailable"),
        (Fault::Status(429), "throttled"),
        (Fault::Status(404), "unreadable"),
        (Fault::Status(401), "unreadable"),
        (Fault::Html, "unreadable"),
        (Fault::Garbage, "unreadable"),
        (Fault::Huge, "unreadable"),
        (Fault::Answer(200, String::new()), "unreadable"),
        (Fault::Answer(200, "{}".to_owned()), "unreadable"),
        (Fault::Answer(200, json), "unreadable"),
        (Fault::Redirect(to), "redirected"),
        (Fault::Cut, "cut"),
    ] {
        for way in ways() {
            org.stub.fail_next(1, fault.clone());
            let outcome = org.attempt(way);
            check(&outcome, kind, None);
            // it may have been counted
            assert!(
                matches!(&outcome, Outcome::Unknown(doubt) if doubt.sent),
                "{fault:?}"
            );
        }
    }
    // nobody was led elsewhere with a password
    elsewhere.set_nonblocking(true).unwrap();
    assert!(elsewhere.accept().is_err());
    check(&org.attempt(Way::soap()), "logged_in", Some(true));
}

#[test]
fn a_silence_is_given_up_and_a_slow_answer_is_taken() {
    let org = Org::new();
    for way in ways() {
        org.stub.fail_next(1, Fault::Silence);
        let began = Instant::now();
        check(&org.attempt(way.clone()), "timeout", None);
        assert!(began.elapsed() < Duration::from_secs(20));
        org.stub
            .fail_next(1, Fault::Slow(Duration::from_millis(200)));
        check(&org.attempt(way), "logged_in", Some(true));
    }
}

#[test]
fn what_was_not_sent_costs_no_attempt() {
    let gone = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let closed = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let (password, token) = (Secret::new("word".to_owned()), Org::new().token);
    for (url, kind) in [
        (closed.as_str(), "unreachable"),
        ("https://nowhere.invalid", "unreachable"),
        ("http://login.salesforce.example", "endpoint"),
        ("ftp://127.0.0.1", "endpoint"),
        ("nonsense", "endpoint"),
    ] {
        for way in ways() {
            let log_in = LogIn::new(way, url, Http::new());
            let outcome = log_in.attempt(ANN, &password, &token);
            check(&outcome, kind, None);
            assert!(!outcome.was_sent(), "{outcome:?}");
        }
    }
    let org = Org::new();
    let odd = Secret::new("a line end too many\u{1}".to_owned());
    let outcome = org.log_in(Way::soap()).attempt(ANN, &odd, &org.token);
    check(&outcome, "unsendable", None);
    assert!(!outcome.was_sent());
    assert_eq!(org.stub.attempts(ANN), 0);
}

#[test]
fn an_app_that_is_not_accepted_is_no_wrong_token() {
    let org = Org::new();
    let password = Secret::new(PASSWORD.to_owned());
    let other = Way::OauthPassword {
        client_id: "unknown".to_owned(),
        client_secret: None,
    };
    let without = Way::OauthPassword {
        client_id: APP.to_owned(),
        client_secret: None,
    };
    for way in [oauth("wrong"), other, without] {
        let outcome = org.log_in(way).attempt(ANN, &password, &org.token);
        check(&outcome, "client_refused", None);
    }
}

#[test]
fn a_version_without_login_is_no_wrong_token() {
    let org = Org::new();
    let password = Secret::new(PASSWORD.to_owned());
    for version in ["65.0", "30.0"] {
        let version = version.to_owned();
        let log_in = org.log_in(Way::Soap { version });
        let outcome = log_in.attempt(ANN, &password, &org.token);
        check(&outcome, "unsupported_version", None);
    }
}

#[test]
fn another_organization_is_not_ours() {
    let org = Org::new();
    let password = Secret::new(PASSWORD.to_owned());
    for (id, kind, verified) in [
        ("00D5e000001Xy7Q", "logged_in", Some(true)),
        ("00d5e000001xy7qeas", "logged_in", Some(true)),
        ("00D5e000001xy7Q", "other_organization", None),
        ("00D2w000000Ab9X", "other_organization", None),
    ] {
        let id = OrganizationId::parse(id).unwrap();
        for way in ways() {
            let log_in = org.log_in(way).expecting(id.clone());
            let outcome = log_in.attempt(ANN, &password, &org.token);
            check(&outcome, kind, verified);
        }
    }
    assert_eq!(org.stub.sessions(), 0);
    // a side that says nothing is nothing to compare with
    org.stub.fail_next(1, Fault::Answer(200, BARE.to_owned()));
    let id = OrganizationId::parse("00D2w000000Ab9X").unwrap();
    let log_in = org.log_in(Way::soap()).expecting(id);
    check(
        &log_in.attempt(ANN, &password, &org.token),
        "logged_in",
        Some(true),
    );
}

/// The least that can be a log-in.
const BARE: &str = "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body>\
<loginResponse xmlns=\"urn:partner.soap.sforce.com\"><result><sessionId>s</sessionId><userId>0055e0000000001</userId></result>\
</loginResponse></e:Body></e:Envelope>";

/// A session that cannot be ended ends by itself: the token is good all the same.
#[test]
fn a_session_that_stays_changes_nothing() {
    let org = Org::new();
    org.stub.set_instance("https://acme.my.salesforce.example");
    for (number, way) in (1..).zip(ways()) {
        let outcome = org.attempt(way);
        check(&outcome, "logged_in", Some(true));
        let shown = outcome.to_string();
        assert!(shown.contains("acme.my.salesforce.example"), "{shown}");
        assert_eq!(org.stub.sessions(), number);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_authority_is_trusted_where_it_is_named() {
    let org = Org::new();
    let folder = tempfile::tempdir().unwrap();
    let port = with_tls(org.stub.address(), folder.path()).await;
    let url = format!("https://localhost:{port}");
    let token = org.token.clone();
    let ask = |http: Http| {
        let log_in = LogIn::new(Way::soap(), &url, http);
        log_in.attempt(ANN, &Secret::new(PASSWORD.to_owned()), &token)
    };
    tokio::task::block_in_place(|| {
        let private = Http::with_authorities(folder.path().join("ca.crt"));
        check(&ask(private), "logged_in", Some(true));
        let outcome = ask(Http::new());
        check(&outcome, "tls", None);
        assert!(!outcome.was_sent());
        let none = Http::with_authorities(folder.path().join("none.pem"));
        check(&ask(none), "ca_file", None);
    });
    assert_eq!(org.stub.attempts(ANN), 1);
}
