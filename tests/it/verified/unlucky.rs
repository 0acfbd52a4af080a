//! Log-ins of tokens that are not the one that is waited for, and of accounts that have moved.

use std::time::Duration;

use sftoken::ingest::policy::Org;
use sftoken::ledger::Tried;
use sftoken::testing::salesforce::SalesforceStub;

use super::{Stage, says};
use crate::support::salesforce::{ANN, ago};

#[test]
fn a_log_in_whose_process_died_ends_a_wait_at_once() {
    let stage = Stage::new("after");
    let waiting = stage.armed("60s");
    let token = stage.salesforce.reset(ANN).unwrap();
    let print = sftoken::Token::new(&token).unwrap().fingerprint();
    let whose = Tried {
        username: ANN,
        org: Org::Production,
        fingerprint: &print,
    };
    // as a daemon leaves it that is killed before the answer
    let begun = stage.home.ledger().begin_login(whose, ago(0), false);
    assert!(begun.unwrap().is_none());
    stage.deliver(&token, 1);
    let ended = waiting.end_within(Duration::from_secs(30)).check(1);
    says(&ended, &["is not known to log in", "sftoken verify"]);
    assert_eq!(stage.salesforce.attempts(ANN), 0);
    let trail = stage.home.run(&["history", "--json"]).check(0).json();
    let noted = |event: &str| trail.iter().any(|line| line["event"] == event);
    assert!(noted("verification_unknown"), "{trail:?}");
}

#[test]
fn the_refusal_of_an_earlier_resets_token_does_not_end_the_wait() {
    for when in ["after", "before"] {
        let stage = Stage::new(when);
        let dead = stage.salesforce.reset(ANN).unwrap();
        let mut waiting = stage.armed("60s");
        let token = stage.salesforce.reset(ANN).unwrap();
        stage.deliver(&dead, 600);
        waiting.hear_err("does not log in");
        stage.deliver(&token, 0);
        let receipts = waiting.end().check(0).json();
        assert_eq!(receipts.len(), 1, "{when}: {receipts:?}");
        assert_eq!(receipts[0]["verified"], true);
        assert_eq!(stage.kept(), Some(token), "{when}");
    }
}

#[test]
fn an_account_that_moved_is_taken_when_a_person_says_so() {
    let stage = Stage::new("before");
    let waiting = stage.armed("60s");
    stage.reset();
    waiting.end().check(0);
    let moved: &SalesforceStub = &stage.salesforce;
    moved.set_organization("00D9z000000ZzzzEAC");
    let waiting = stage.armed("60s");
    let token = stage.reset();
    let ended = waiting.end().check(7);
    says(&ended, &["00D9z000000ZzzzEAC", "verify --again"]);
    stage.home.run(&["verify", ANN, "--again"]).check(0);
    assert_eq!(stage.kept(), Some(token));
    stage.home.run(&["status"]).check(0);
}

#[test]
fn a_token_that_logs_in_and_that_the_store_does_not_take_is_not_done() {
    let stage = Stage::new("before");
    let waiting = stage.armed("60s");
    stage.salesforce.add_user(ANN, "another");
    let token = stage.reset();
    waiting.end().check(7);
    stage.salesforce.add_user(ANN, super::WORD);
    stage.salesforce.set_token(ANN, &token);
    // it can be asked, and fails at the write
    let script = "#!/bin/sh\ntest \"$SFTOKEN_ACTION\" != put || { cat > /dev/null; exit 75; }\n";
    stage.home.write("keeper/keep", script);
    stage.home.run(&["verify", ANN, "--again"]).check(6);
    assert_eq!(stage.kept(), None);
}

#[test]
fn a_mail_that_is_kept_for_a_week_is_noted_once_and_not_at_each_run() {
    let stage = Stage::new("before");
    stage.salesforce.add_user(ANN, "another");
    stage.reset();
    for _ in 0..3 {
        stage.home.run(&["watch", "--once"]).check(7);
    }
    assert_eq!(stage.salesforce.attempts(ANN), 1);
    let trail = stage.home.run(&["history", "--json"]).check(0).json();
    let kept = trail.iter().filter(|line| line["event"] == "undecided");
    assert_eq!(kept.count(), 1, "{trail:?}");
    stage.home.run(&["history", "--check"]).check(0);
}
