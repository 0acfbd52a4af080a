//! What answers mean, and what they may not hold.

use std::collections::BTreeSet;

use proptest::prelude::*;
use quick_xml::escape::unescape;

use super::refusal::{of_oauth, of_soap};
use super::{Cause, Failed, Http, LogIn, Way, Why, oauth, plain_code, soap, xml};

const OPEN: &str = "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns=\"urn:partner.soap.sforce.com\"><e:Body>";
const SHUT: &str = "</e:Body></e:Envelope>";

fn enveloped(body: &str) -> String {
    format!("{OPEN}{body}{SHUT}")
}

fn result(inside: &str) -> String {
    enveloped(&format!(
        "<loginResponse><result>{inside}</result></loginResponse>"
    ))
}

fn session(xml: &str) -> Option<String> {
    let answer = xml::read(xml.as_bytes()).ok()?;
    answer.text("result/sessionId").map(str::to_owned)
}

#[test]
fn a_session_is_read_whatever_its_prefixes() {
    let plain = result("<sessionId>a!b</sessionId>");
    assert_eq!(session(&plain).as_deref(), Some("a!b"));
    let declared = format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n{plain}\n");
    assert_eq!(session(&declared).as_deref(), Some("a!b"));
    let prefixed = "<S:Envelope xmlns:S=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:p=\"urn:partner.soap.sforce.com\">\
         <S:Header><p:x/></S:Header><S:Body><p:loginResponse><p:result><p:sessionId>a</p:sessionId></p:result></p:loginResponse></S:Body></S:Envelope>";
    assert_eq!(session(prefixed).as_deref(), Some("a"));
    let pieces = result("<sessionId>&lt;a&#x26;<![CDATA[<b>]]>&gt;</sessionId>");
    assert_eq!(session(&pieces).as_deref(), Some("<a&<b>>"));
    // a nil element is an empty one
    assert_eq!(session(&result("<sessionId/>")).as_deref(), Some(""));
}

#[test]
fn what_is_no_strict_soap_is_not_read() {
    let good = result("<sessionId>a</sessionId>");
    let odd = [
        String::new(),
        "  ".to_owned(),
        "not xml".to_owned(),
        "<html><body>Please log in</body></html>".to_owned(),
        format!("<!DOCTYPE x [<!ENTITY a \"b\">]>{good}"),
        result("<sessionId>&a;</sessionId>"),
        result("<sessionId>&#0;</sessionId>"),
        result("<sessionId>&#1;</sessionId>"),
        result("<sessionId>a & b</sessionId>"),
        result("<sessionId>a<!-- b -->c</sessionId>"),
        result("<?x y?><sessionId>a</sessionId>"),
        result("<sessionId>a</sessionId><sessionId>b</sessionId>"),
        result("<sessionId><b>a</b></sessionId>"),
        format!("{good}{good}"),
        format!("{good} and more"),
        format!("and more {good}"),
        good[..good.len() - 1].to_owned(),
        good.replace("</result>", ""),
        good.replace("</result>", "</other>"),
        good.replace("http://schemas.xmlsoap.org/soap/envelope/", "urn:other"),
        good.replace("urn:partner.soap.sforce.com", "urn:other"),
        good.replace("<e:Body>", "<f:Body>"),
        format!("<?xml version=\"1.1\"?>{good}"),
        format!("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>{good}"),
        format!("<a>{good}</a>"),
        enveloped(&format!("{}{}", "<x>".repeat(20), "</x>".repeat(20))),
    ];
    for text in odd {
        assert!(xml::read(text.as_bytes()).is_err(), "{text}");
    }
    assert!(xml::read(b"<\xff").is_err());
    // nor is an element read that stands somewhere else
    for text in [
        enveloped("<result><sessionId>a</sessionId></result>"),
        enveloped("<loginResponse><sessionId>a</sessionId></loginResponse>"),
        result("<x><sessionId>a</sessionId></x>"),
    ] {
        assert_eq!(session(&text), None, "{text}");
    }
}

/// A cut answer is none, wherever it is cut.
#[test]
fn a_part_of_an_answer_is_not_read() {
    let good = result("<sessionId>a&amp;b</sessionId><userId>0055e0000000001</userId>");
    assert!(xml::read(good.as_bytes()).is_ok());
    for length in 0..good.len() {
        assert!(xml::read(&good.as_bytes()[..length]).is_err(), "{length}");
    }
}

proptest! {
    #[test]
    fn no_answer_is_too_odd(
        cut in 0_usize..200,
        odd in proptest::collection::vec(any::<u8>(), 0..40),
        text in "[<>&;/a-zE:=\"' !?\\-\\[\\]#0-9]{0,60}",
    ) {
        let good = result("<sessionId>a</sessionId>");
        let (left, right) = good.as_bytes().split_at(cut.min(good.len()));
        let _ = xml::read(&[left, &odd, right].concat());
        let _ = xml::read(&[left, text.as_bytes(), right].concat());
    }

    /// What another reader of XML, and one of forms, makes of a request is what was meant.
    #[test]
    fn any_password_arrives(word in "[\\PC\t\n\r<>&'\"]{0,40}") {
        let body = soap::request("a@acme.example", [&word, "token"]).unwrap();
        let text = str::from_utf8(&body).unwrap();
        let inside = text.split("<password>").nth(1).unwrap();
        let inside = inside.split("</password>").next().unwrap();
        prop_assert!(!inside.contains(['<', '>', '\r']));
        prop_assert_eq!(unescape(inside).unwrap(), format!("{word}token"));
        let form = oauth::form(&[("password", &[&word, "token"])]);
        let read: Vec<_> = url::form_urlencoded::parse(form.as_bytes()).collect();
        prop_assert_eq!(read, [("password".into(), format!("{word}token").into())]);
    }
}

/// Memory that grows leaves a copy of the password behind.
#[test]
fn a_request_never_grows() {
    let worst = "&<>\r&&&&".repeat(40);
    for (username, password) in [
        ("a@acme.example", "word"),
        (worst.as_str(), worst.as_str()),
        ("", "é日本🎉"),
    ] {
        let token = "AbCdEfGhIjKlMnOpQrStUvWx";
        let body = soap::request(username, [password, token]).unwrap();
        let room = 5 * (username.len() + password.len() + token.len()) + 512;
        assert_eq!(body.capacity(), room);
        let parts = [password, token];
        let form = oauth::form(&[("username", &[username]), ("password", &parts)]);
        let room = 3 * (username.len() + password.len() + token.len()) + 8 + 8 + 4;
        assert_eq!(form.capacity(), room);
    }
}

#[test]
fn what_xml_cannot_carry_is_not_sent() {
    for odd in [
        "a\0b",
        "line\u{1}",
        "\u{b}",
        "\u{1f}",
        "\u{ffff}",
        "\u{fffe}",
    ] {
        assert!(
            soap::request("a@acme.example", [odd, "t"]).is_none(),
            "{odd:?}"
        );
        assert!(soap::request(odd, ["word", "t"]).is_none(), "{odd:?}");
    }
    assert!(soap::request("a@acme.example", ["a\tb\nc\rd\u{7f}é🎉", "t"]).is_some());
}

fn kind(failed: &Failed) -> &'static str {
    match failed {
        Failed::Refused(why, _) => why.kind(),
        Failed::Unknown(cause, _) => cause.kind(),
    }
}

#[test]
fn a_code_of_soap_is_a_reason() {
    let disabled = "SOAP API login() is disabled by default in this org.";
    let no_call = "No operation available for request {urn:partner.soap.sforce.com}login";
    for (code, message, wanted) in [
        ("INVALID_LOGIN", "", "invalid_login"),
        ("LOGIN_MUST_USE_SECURITY_TOKEN", "", "wrong_token"),
        ("PASSWORD_LOCKOUT", "", "locked_out"),
        ("INVALID_OPERATION", disabled, "login_disabled"),
        ("INVALID_OPERATION", "something else", "refused"),
        ("INSUFFICIENT_ACCESS", "", "permission_missing"),
        ("CLIENT_NOT_ACCESSIBLE_FOR_USER", "", "permission_missing"),
        ("API_DISABLED_FOR_ORG", "", "api_disabled"),
        ("API_CURRENTLY_DISABLED", "", "unavailable"),
        (
            "INVALID_OPERATION_WITH_EXPIRED_PASSWORD",
            "",
            "password_expired",
        ),
        (
            "LOGIN_DURING_RESTRICTED_DOMAIN",
            "",
            "ip_or_hours_restricted",
        ),
        ("LOGIN_DURING_RESTRICTED_TIME", "", "ip_or_hours_restricted"),
        ("LOGIN_CHALLENGE_ISSUED", "", "challenge_required"),
        ("LOGIN_CHALLENGE_PENDING", "", "challenge_required"),
        ("TXN_SECURITY_TWO_FA_REQUIRED", "", "challenge_required"),
        ("INACTIVE_OWNER_OR_USER", "", "user_inactive"),
        ("ORG_LOCKED", "", "organization_unusable"),
        ("ORG_IS_SIGNING_UP", "", "organization_unusable"),
        ("TRIAL_EXPIRED", "", "organization_unusable"),
        ("UNSUPPORTED_API_VERSION", "", "unsupported_version"),
        ("Client", no_call, "unsupported_version"),
        ("Client", "", "refused"),
        ("ORG_NOT_OWNED_BY_INSTANCE", "", "wrong_endpoint"),
        ("REQUEST_LIMIT_EXCEEDED", "", "throttled"),
        ("SERVER_UNAVAILABLE", "", "unavailable"),
        ("UNKNOWN_EXCEPTION", "", "unavailable"),
        ("ORG_IN_MAINTENANCE", "", "unavailable"),
        ("NEVER_HEARD_OF", "", "refused"),
    ] {
        assert_eq!(kind(&of_soap(code, message)), wanted, "{code}");
    }
}

#[test]
fn an_error_of_oauth_is_a_reason() {
    for (error, description, wanted) in [
        ("invalid_grant", "authentication failure", "invalid_grant"),
        (
            "invalid_grant",
            "IP restricted or invalid login hours",
            "ip_or_hours_restricted",
        ),
        ("invalid_grant", "Password expired", "password_expired"),
        ("invalid_grant", "inactive user", "user_inactive"),
        (
            "invalid_grant",
            "inactive organization",
            "organization_unusable",
        ),
        ("invalid_grant", "user is locked", "locked_out"),
        ("invalid_grant", "challenge required", "challenge_required"),
        (
            "invalid_grant",
            "user hasn't approved this consumer",
            "client_refused",
        ),
        ("invalid_grant", "something new", "refused"),
        ("inactive_user", "", "user_inactive"),
        ("inactive_org", "", "organization_unusable"),
        ("unsupported_grant_type", "", "login_disabled"),
        ("invalid_client_id", "", "client_refused"),
        ("invalid_client", "", "client_refused"),
        ("unauthorized_client", "", "client_refused"),
        ("invalid_app_access", "", "client_refused"),
        ("rate_limit_exceeded", "", "throttled"),
        ("temporarily_unavailable", "", "unavailable"),
        ("new_error", "", "refused"),
    ] {
        assert_eq!(
            kind(&of_oauth(error, description)),
            wanted,
            "{error} {description}"
        );
    }
}

#[test]
fn each_kind_is_the_word_that_is_serialised_and_no_other_has_it() {
    let mut kinds = BTreeSet::new();
    for why in Why::ALL {
        assert_eq!(serde_json::to_value(why).unwrap(), why.kind());
        assert!(kinds.insert(why.kind()), "{}", why.kind());
    }
    for cause in Cause::ALL {
        assert_eq!(serde_json::to_value(cause).unwrap(), cause.kind());
        assert!(kinds.insert(cause.kind()), "{}", cause.kind());
    }
}

#[test]
fn a_code_is_shown_only_if_it_is_a_word_of_theirs() {
    let secrets = ["word", "AbCdEfGhIjKlMnOpQrStUvWx"];
    assert_eq!(plain_code("INVALID_LOGIN", secrets), "INVALID_LOGIN");
    for odd in [
        "",
        "word",
        "my_word",
        "EfGhIjKl",
        "AbCdEfGhIjKlMnOpQrStUvWx",
        "two words",
        "A\u{1b}[2J",
        "é",
        "12",
    ] {
        assert_eq!(
            plain_code(odd, secrets),
            "a code that is not shown",
            "{odd}"
        );
    }
    assert_eq!(
        plain_code(&"A".repeat(61), secrets),
        "a code that is not shown"
    );
    assert_eq!(plain_code("INVALID_LOGIN", ["", ""]), "INVALID_LOGIN");
}

/// A session is a key to the org: it goes to Salesforce only.
#[test]
fn a_session_is_ended_at_salesforce_and_nowhere_else() {
    let log_in = |endpoint| LogIn::new(Way::soap(), endpoint, Http::new());
    let usual = log_in("https://login.salesforce.com/");
    for url in [
        "https://acme.my.salesforce.com/services/Soap/u/64.0/00D",
        "https://na1.salesforce.com",
        "https://login.salesforce.com",
        "https://acme--uat.sandbox.my.salesforce.com",
        "https://acme.my.salesforce.mil",
    ] {
        assert!(usual.is_of_ours(url), "{url}");
    }
    for url in [
        "http://acme.my.salesforce.com",
        "https://salesforce.com.evil.example",
        "https://evilsalesforce.com",
        "https://acme.my.salesforce.com@evil.example",
        "https://127.0.0.1",
        "not a url",
        "",
    ] {
        assert!(!usual.is_of_ours(url), "{url}");
    }
    let here = log_in("http://127.0.0.1:8080");
    assert!(here.is_of_ours("http://127.0.0.1:8080/services/Soap/u/64.0/00D"));
    assert!(!here.is_of_ours("http://127.0.0.1:8081/services/Soap/u/64.0/00D"));
}
