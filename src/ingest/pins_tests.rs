use super::*;

const KEY: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

#[test]
fn a_pin_is_a_key_or_its_fingerprint() {
    let key = Pin::parse(KEY).unwrap();
    assert!(matches!(&key, Pin::Key(bytes) if bytes.len() == 32));
    for text in [
        format!("p={KEY}"),
        format!(" p={KEY}; "),
        KEY.replace("TyW", "T yW"),
        KEY.trim_end_matches('=').to_owned(),
    ] {
        assert_eq!(Pin::parse(&text), Ok(key.clone()), "{text}");
    }
    let fingerprint = format!("sha256:{}", "0aF9".repeat(16));
    let expected = [0x0a, 0xf9].repeat(16).try_into().unwrap();
    assert_eq!(Pin::parse(&fingerprint), Ok(Pin::Fingerprint(expected)));
}

#[test]
fn what_can_prove_nothing_is_no_pin() {
    for text in [
        "",
        "p=",
        "AAAA",
        "sha1:00",
        "MIGf",
        "key!",
        "v=DKIM1; p=AAAA",
    ] {
        assert_eq!(Pin::parse(text), Err(PinError::Key), "{text}");
    }
    let long = format!("sha256:{}", "0".repeat(65));
    let odd = format!("sha256:{}", "0".repeat(63));
    let accent = format!("sha256:{}\u{e9}", "0".repeat(62));
    for text in ["sha256:", "sha256:zz", &long, &odd, &accent] {
        assert_eq!(Pin::parse(text), Err(PinError::Fingerprint), "{text}");
    }
}
