use super::*;

#[track_caller]
fn parse(url: &str) -> Address {
    Address::parse(url).unwrap()
}

#[test]
fn an_address_is_taken_apart() {
    let mut age =
        parse("AGE:/var/lib/a%20b?recipient=one&recipient=ssh-ed25519%20AA+B&identity=/k");
    assert_eq!(age.scheme, "age");
    assert_eq!(age.place, "/var/lib/a b");
    assert_eq!(age.shown, "age:/var/lib/a%20b");
    assert_eq!(age.all("recipient"), ["one", "ssh-ed25519 AA+B"]);
    assert_eq!(age.one("identity").unwrap().as_deref(), Some("/k"));
    age.finish("").unwrap();
}

#[test]
fn a_host_is_a_place() {
    assert_eq!(parse("keyring://sftoken").place, "sftoken");
    assert_eq!(parse("keyring:").place, "");
}

#[test]
fn credentials_are_rejected_and_not_repeated() {
    for url in ["vault://root:hunter2@host/x", "keyring://hunter2%40x"] {
        let error = Address::parse(url).unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Misconfigured);
        assert!(
            !format!("{error} {error:?}").contains("hunter2"),
            "{error:?}"
        );
    }
}

#[test]
fn a_misspelled_parameter_is_an_error_that_names_the_known_ones() {
    let age = parse("age:/d?recipent=hunter2");
    let error = age.finish("recipient, identity").unwrap_err();
    assert!(error.problem.contains("recipent"));
    assert!(error.hint.contains("recipient"));
    assert!(!format!("{error:?}").contains("hunter2"));
}

#[test]
fn a_broken_escape_is_an_error() {
    for url in [
        "age:/d%2",
        "age:/d%zz",
        "age:/d%ff",
        "age:/d?x=%é",
        "nonsense",
        ":x",
    ] {
        assert!(Address::parse(url).is_err(), "{url}");
    }
}

#[test]
fn a_parameter_stands_once_and_a_switch_is_0_or_1() {
    assert!(parse("exec:/p?get=1&get=0").one("get").is_err());
    assert!(parse("exec:/p?get=yes").switch("get", false).is_err());
    assert!(parse("exec:/p?get=1").switch("get", false).unwrap());
    assert!(!parse("exec:/p").switch("get", false).unwrap());
}

#[test]
fn escaping_keeps_distinct_texts_distinct() {
    assert_eq!(escape("a.b+c_d-e@acme.example"), "a.b+c_d-e@acme.example");
    assert_eq!(escape("../x y%é~"), "..%2Fx%20y%25%C3%A9%7E");
}
