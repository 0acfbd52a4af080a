//! The example of RFC 7677, 3, and every way in which a server may depart from it.

use super::*;

const NONCE: &str = "rOprNGfwEbeRWgbNEkqO";
const FIRST: &str =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
const PROOF: &str = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
const FINAL: &str = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

fn begun() -> ScramSha256 {
    let mut scram = ScramSha256::new("user", "pencil", NONCE.to_owned()).unwrap();
    assert_eq!(*scram.begin(), format!("n,,n=user,r={NONCE}").as_bytes());
    scram
}

fn proven() -> ScramSha256 {
    let mut scram = begun();
    assert!(!scram.is_proven() && scram.is_slow());
    assert_eq!(*scram.answer(FIRST.as_bytes()).unwrap(), PROOF.as_bytes());
    assert!(scram.is_proven() && !scram.is_slow());
    scram
}

#[test]
fn the_rfcs_example() {
    let mut scram = proven();
    assert_eq!(*scram.answer(FINAL.as_bytes()).unwrap(), b"");
    assert_eq!(scram.finish(), Ok(()));
    assert_eq!(scram.answer(b""), Err(ASKS_FOR_MORE));
}

#[test]
fn an_ok_without_the_servers_proof_is_not_believed() {
    assert_eq!(begun().finish(), Err(Fault::Unproven));
    let mut scram = proven();
    assert_eq!(scram.finish(), Err(Fault::Unproven));
    let other = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5=";
    assert!(scram.answer(other.as_bytes()).is_err());
    let other = format!("v={}", STANDARD.encode([0; 32]));
    assert_eq!(scram.answer(other.as_bytes()), Err(Fault::Unproven));
    assert_eq!(scram.finish(), Err(Fault::Unproven));
    // a part of the signature is none
    let part = format!("v={}", STANDARD.encode([0xea, 0xba]));
    assert_eq!(scram.answer(part.as_bytes()), Err(Fault::Unproven));
}

#[test]
fn a_refusal_is_one_even_when_an_ok_follows() {
    let mut scram = proven();
    assert_eq!(*scram.answer(b"e=invalid-proof").unwrap(), b"");
    assert_eq!(scram.finish(), Err(Fault::Unproven));
}

#[test]
fn a_first_message_that_departs_is_not_answered() {
    let salt = "s=W22ZaJ0SNY7soEsUEjb6gQ==";
    for message in [
        String::new(),
        "r=".to_owned(),
        // not our nonce, and nothing added to it
        format!("r=another,{salt},i=4096"),
        format!("r={NONCE},{salt},i=4096"),
        format!("m=what,r={NONCE}x,{salt},i=4096"),
        format!("r={NONCE}x,s=,i=4096"),
        format!("r={NONCE}x,s=*,i=4096"),
        format!("r={NONCE}x,{salt}"),
        format!("r={NONCE}x,{salt},i=0"),
        format!("r={NONCE}x,{salt},i=4095"),
        format!("r={NONCE}x,{salt},i=1000001"),
        format!("r={NONCE}x,{salt},i=99999999999"),
        format!("r={NONCE}x,{salt},i=-1"),
    ] {
        let mut scram = begun();
        scram.answer(message.as_bytes()).expect_err(&message);
        assert!(!scram.is_proven(), "{message}");
    }
    begun().answer(b"\xff").expect_err("not UTF-8");
}

#[test]
fn names_are_escaped_and_prepared() {
    let mut scram = ScramSha256::new("a=b,c", "x", "n".to_owned()).unwrap();
    assert_eq!(*scram.begin(), b"n,,n=a=3Db=2Cc,r=n");
    // RFC 4013, 3: a soft hyphen goes, a Roman nine is two letters, a bell is forbidden
    let mut scram = ScramSha256::new("I\u{ad}X", "\u{2168}", "n".to_owned()).unwrap();
    assert_eq!(*scram.begin(), b"n,,n=IX,r=n");
    assert_eq!(scram.password.as_str(), "IX");
    assert!(ScramSha256::new("user", "\u{7}", "n".to_owned()).is_none());
}

proptest::proptest! {
    /// Whatever a server sends, there is an answer or a fault; and an OK is believed after its proof only.
    #[test]
    fn no_message_is_too_odd(messages in proptest::collection::vec(".{0,80}", 0..4), tail in ".{0,40}") {
        let mut scram = begun();
        for message in &messages {
            let _ = scram.answer(message.as_bytes());
        }
        let _ = scram.answer(format!("r={NONCE}{tail}").as_bytes());
        proptest::prop_assert!(scram.finish().is_err());
    }
}
