//! Several slots, and a wait for tokens that come one after the other.

use super::Two;
use crate::support::salesforce::{ANN, BOB};
use crate::support::stage::{Stage, fingerprint};

#[test]
fn a_store_that_was_away_for_a_moment_is_not_why_another_token_is_missing() {
    let stage = Stage::new();
    let words = [
        "wait",
        "--account",
        ANN,
        "--account",
        BOB,
        "--timeout",
        "10s",
    ];
    let mut waiting = stage.home.start(&words);
    waiting.hear_err("armed");
    stage.keeper.lock(true);
    let token = stage.reset(0);
    waiting.hear_err("kept to be tried again");
    stage.keeper.lock(false);
    let ended = waiting.end().check(3);
    stage.check_kept(&token);
    assert!(
        ended.err.contains("was the reset confirmed?"),
        "{}",
        ended.err
    );
}
