//! Several slots, and a wait for tokens that come one after the other.

use super::Two;
use crate::support::salesforce::{ANN, BOB};
use crate::support::stage::{Stage, fingerprint};

#[test]
fn two_tokens_in_a_slot_each_are_not_one_token_in_both() {
    let stage = Two::new();
    let mut waiting = stage.home.start(&["wait", "--json", "--timeout", "60s"]);
    waiting.hear_err("armed");
    stage.second.lock(true);
    let older = stage.reset(5);
    waiting.hear_err("kept to be tried again");
    stage.check_kept(Some(&older), None);
    stage.first.lock(true);
    let newer = stage.reset(1);
    // both stores have refused the newer one
    waiting.hear_err("kept to be tried again");
    stage.second.lock(false);
    waiting.hear_err("token stored");
    // the first one still has the older token, which is dead
    std::thread::sleep(std::time::Duration::from_secs(2));
    stage.first.lock(false);
    let receipts = waiting.end().check(0).json();
    stage.check_kept(Some(&newer), Some(&newer));
    let prints: Vec<_> = receipts
        .iter()
        .map(|one| one["fingerprint"].clone())
        .collect();
    assert_eq!(prints, [fingerprint(&newer), fingerprint(&newer)]);
}

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

#[test]
fn since_serves_a_wait_whose_mail_a_daemon_has_removed() {
    let stage = Stage::with_keys("handled = \"delete\"");
    let mut watching = stage.watch();
    let token = stage.reset(30);
    watching.hear_out(&fingerprint(&token));
    watching.stop().check(143);
    let since = crate::support::salesforce::ago(60).to_string();
    let words = [
        "wait",
        "--account",
        ANN,
        "--json",
        "--since",
        &since,
        "--timeout",
        "20s",
    ];
    let receipts = stage.home.run(&words).check(0).json();
    assert_eq!(receipts[0]["fingerprint"], fingerprint(&token));
    // what is older than that does not serve
    let since = crate::support::salesforce::ago(-300).to_string();
    let words = [
        "wait",
        "--account",
        ANN,
        "--since",
        &since,
        "--timeout",
        "2s",
    ];
    stage.home.run(&words).check(3);
}
