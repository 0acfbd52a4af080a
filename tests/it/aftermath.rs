//! What comes before and after the store: the log-in, once, and the errands, until they are done.

mod fakes;
mod unlucky;

use std::sync::Arc;
use std::time::Duration;

use sftoken::ledger::LoginState;
use sftoken::watch::{Attempt, Ran, Verdict, Verify};

use self::fakes::{Desk, Script, World, failing};
use crate::support::salesforce::{ANN, ago, genuine, new_token};

fn logged_in(organization: &str) -> Attempt {
    Attempt::LoggedIn {
        organization_id: Some(organization.to_owned()),
    }
}

const ORG: &str = "00D5g000000abcd";

#[tokio::test]
async fn after_the_store_a_token_is_tried_once() {
    let world = World::new(Verify::After, [logged_in(ORG)]);
    let token = new_token();
    let mail = genuine(ANN, &token, ago(60));
    for _ in 0..3 {
        let verdicts = world.give(&mail).await;
        let receipt = verdicts[0].receipt().unwrap();
        assert_eq!(receipt.verified, Some(true));
        assert!(receipt.stored_at.is_some());
    }
    assert_eq!(world.attempts(), 1);
    assert_eq!(world.kept(), Some(token));
    let kept = world.pipeline.ledger.receipt(ANN).unwrap().unwrap();
    assert_eq!(
        kept.verified,
        Some(true),
        "the receipt is kept with the answer"
    );
}

#[tokio::test]
async fn a_stored_token_that_is_refused_stays_and_starts_no_consumer() {
    let world = World::new(
        Verify::After,
        [Attempt::Refused(failing("invalid_login", true))],
    );
    let token = new_token();
    let mail = genuine(ANN, &token, ago(60));
    let verdicts = world.give(&mail).await;
    assert_eq!(verdicts[0].receipt().unwrap().verified, Some(false));
    assert_eq!(world.kept(), Some(token));
    world.finish().await;
    assert_eq!(world.desk.done(), ["message not_verified"]);
    world.give(&mail).await;
    assert_eq!(world.attempts(), 1, "a refused token is not tried again");
}

#[tokio::test]
async fn an_org_that_forbids_the_log_in_says_nothing_about_the_token() {
    let world = World::new(
        Verify::After,
        [Attempt::Refused(failing("login_disabled", false))],
    );
    let verdicts = world.give(&genuine(ANN, &new_token(), ago(60))).await;
    assert_eq!(verdicts[0].receipt().unwrap().verified, None);
    world.finish().await;
    assert_eq!(world.desk.done(), ["hook stored", "message stored"]);
}

#[tokio::test]
async fn an_answer_that_was_lost_is_not_bad_and_not_asked_for_again() {
    let world = World::new(
        Verify::After,
        [Attempt::Unanswered(failing("timeout", false))],
    );
    let mail = genuine(ANN, &new_token(), ago(60));
    for _ in 0..2 {
        let verdicts = world.give(&mail).await;
        assert_eq!(verdicts.len(), 1);
        assert_eq!(verdicts[0].receipt().unwrap().verified, None);
    }
    assert_eq!(world.attempts(), 1);
}

#[tokio::test]
async fn what_was_never_sent_is_tried_again_with_the_mail() {
    let never = Attempt::NotMade(failing("unreachable", false));
    let world = World::new(Verify::After, [never, logged_in(ORG)]);
    let mail = genuine(ANN, &new_token(), ago(60));
    let verdicts = world.give(&mail).await;
    assert!(verdicts[0].receipt().unwrap().stored_at.is_some());
    let Verdict::Open(_, trouble) = &verdicts[1] else {
        panic!("the mail is not done with");
    };
    assert_eq!(trouble.kind(), "log_in_unknown");
    world.finish().await;
    assert!(world.desk.done().is_empty(), "hooks wait for the log-in");

    let verdicts = world.give(&mail).await;
    assert_eq!(verdicts.len(), 1);
    assert_eq!(verdicts[0].receipt().unwrap().verified, Some(true));
    assert_eq!(world.attempts(), 2);
    world.finish().await;
    assert_eq!(
        world.desk.done(),
        ["hook stored", "message stored", "message verified"]
    );
}

#[tokio::test]
async fn before_the_store_a_refused_token_replaces_nothing() {
    let refused = Attempt::Refused(failing("invalid_login", true));
    let world = World::new(Verify::Before, [logged_in(ORG), refused]);
    let old = new_token();
    world.give(&genuine(ANN, &old, ago(600))).await;
    assert_eq!(world.kept().as_deref(), Some(old.as_str()));
    let newer = genuine(ANN, &new_token(), ago(60));
    for _ in 0..2 {
        let verdicts = world.give(&newer).await;
        let [Verdict::Open(report, trouble)] = &verdicts[..] else {
            panic!("kept aside: {verdicts:?}");
        };
        assert_eq!(trouble.kind(), "log_in_refused");
        assert_eq!(report.username.as_deref(), Some(ANN));
    }
    assert_eq!(world.attempts(), 2, "once for each token");
    assert_eq!(world.kept(), Some(old));
}

#[tokio::test]
async fn before_the_store_nothing_is_stored_that_nobody_could_try() {
    let never = Attempt::NotMade(failing("unreachable", false));
    let world = World::new(Verify::Before, [never, logged_in(ORG)]);
    let token = new_token();
    let mail = genuine(ANN, &token, ago(60));
    let verdicts = world.give(&mail).await;
    assert!(
        matches!(&verdicts[..], [Verdict::Open(_, trouble)] if trouble.kind() == "log_in_unknown")
    );
    assert_eq!(world.kept(), None);
    let verdicts = world.give(&mail).await;
    assert_eq!(verdicts[0].receipt().unwrap().verified, Some(true));
    assert_eq!(world.kept(), Some(token));
}

#[tokio::test]
async fn a_mail_that_no_slot_would_take_costs_no_log_in() {
    let world = World::new(Verify::Before, [logged_in(ORG)]);
    world.give(&genuine(ANN, &new_token(), ago(60))).await;
    let verdicts = world.give(&genuine(ANN, &new_token(), ago(600))).await;
    assert!(verdicts[0].receipt().unwrap().superseded);
    assert_eq!(world.attempts(), 1);
}

#[tokio::test]
async fn a_log_in_that_was_cut_off_is_not_made_again() {
    let world = World::new(Verify::Before, []);
    let token = sftoken::Token::new(&new_token()).unwrap();
    let print = token.fingerprint();
    let whose = sftoken::ledger::Tried {
        username: ANN,
        org: sftoken::Org::Production,
        fingerprint: &print,
    };
    // as a process leaves it that dies in between
    assert!(
        world
            .pipeline
            .ledger
            .begin_login(whose, ago(1), true)
            .unwrap()
            .is_none()
    );
    let verdicts = world.give(&genuine(ANN, token.expose(), ago(60))).await;
    assert!(
        matches!(&verdicts[..], [Verdict::Open(_, trouble)] if trouble.kind() == "log_in_unknown")
    );
    assert_eq!(world.attempts(), 0);
    let noted = world.pipeline.ledger.login(whose).unwrap().unwrap();
    assert_eq!(noted.state, LoginState::Unknown, "its end is noted");
}

#[tokio::test]
async fn a_token_of_another_organization_is_refused() {
    let world = World::new(
        Verify::Before,
        [logged_in(ORG), logged_in("00D9z000000zzzz")],
    );
    world.give(&genuine(ANN, &new_token(), ago(600))).await;
    let verdicts = world.give(&genuine(ANN, &new_token(), ago(60))).await;
    let [Verdict::Open(_, trouble)] = &verdicts[..] else {
        panic!("{verdicts:?}");
    };
    assert!(trouble.to_string().contains("00D9z000000zzzz"), "{trouble}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_tries_the_same_token_waits_for_the_answer() {
    let world = Arc::new(World::new(Verify::After, [logged_in(ORG)]));
    let mail = genuine(ANN, &new_token(), ago(60));
    let both = (0..8).map(|_| {
        let (world, mail) = (Arc::clone(&world), mail.clone());
        tokio::spawn(async move { world.give(&mail).await })
    });
    for one in both.collect::<Vec<_>>() {
        let verdicts = one.await.unwrap();
        assert_eq!(verdicts[0].receipt().unwrap().verified, Some(true));
    }
    assert_eq!(world.attempts(), 1);
}

#[tokio::test]
async fn errands_are_done_in_order_and_once() {
    let world = World::new(Verify::Never, []);
    let mail = genuine(ANN, &new_token(), ago(60));
    world.give(&mail).await;
    world.finish().await;
    world.give(&mail).await;
    world.finish().await;
    assert_eq!(world.desk.done(), ["hook stored", "message stored"]);
    let told = &world.desk.told()[0];
    assert_eq!(told.slots, ["memory:production/integration@acme.example"]);
    assert_eq!(told.verified, None);
    let results = world.pipeline.ledger.step_results().unwrap();
    assert_eq!(results.len(), 2);
    assert!(results.iter().all(|result| result.ok));
}

#[tokio::test]
async fn a_step_that_fails_is_tried_again_then_told_and_holds_back_no_other() {
    let again = || Ran::Again("it is not there".to_owned(), None);
    let world = World::with(
        Verify::Never,
        [],
        Script::from([("hook", vec![again(), again(), again()])]),
    );
    world.give(&genuine(ANN, &new_token(), ago(60))).await;
    world.finish().await;
    let mut done = world.desk.done();
    assert_eq!(done.iter().filter(|step| *step == "hook stored").count(), 3);
    done.retain(|step| step != "hook stored");
    assert_eq!(done, ["message stored", "message hook_failed"]);
    let results = world.pipeline.ledger.step_results().unwrap();
    let hook = results.iter().find(|result| result.step == "hook").unwrap();
    assert!(!hook.ok);
    assert_eq!(hook.detail.as_deref(), Some("it is not there"));
}

#[tokio::test]
async fn a_process_that_dies_leaves_its_errands_to_the_next() {
    let world = World::new(Verify::Never, []);
    world.give(&genuine(ANN, &new_token(), ago(60))).await;
    assert!(world.desk.done().is_empty(), "nobody did them yet");
    let next = world.next_process();
    next.finish_errands(None).await.unwrap();
    assert_eq!(world.desk.done(), ["hook stored", "message stored"]);
}

#[tokio::test]
async fn a_step_that_is_configured_no_more_is_dropped() {
    let world = World::with(Verify::Never, [], Script::from([("hook", vec![Ran::Gone])]));
    world.give(&genuine(ANN, &new_token(), ago(60))).await;
    world.finish().await;
    assert_eq!(world.desk.done(), ["hook stored", "message stored"]);
    assert!(world.pipeline.ledger.errands(None).unwrap().is_empty());
    assert_eq!(world.pipeline.ledger.step_results().unwrap().len(), 1);
}

#[tokio::test]
async fn a_newer_token_takes_the_place_of_what_was_planned() {
    let world = World::new(Verify::Never, []);
    world.give(&genuine(ANN, &new_token(), ago(600))).await;
    let token = new_token();
    world.give(&genuine(ANN, &token, ago(60))).await;
    world.finish().await;
    assert_eq!(world.desk.done(), ["hook stored", "message stored"]);
    let print = sftoken::Token::new(&token).unwrap().fingerprint();
    assert!(
        world
            .desk
            .told()
            .iter()
            .all(|told| told.fingerprint == Some(print.clone()))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_do_an_errand_once() {
    let world = World::with(Verify::Never, [], Script::slow(Duration::from_millis(50)));
    world.give(&genuine(ANN, &new_token(), ago(60))).await;
    let (one, other) = (world.next_process(), world.next_process());
    let (first, second) = tokio::join!(one.finish_errands(None), other.finish_errands(None));
    first.unwrap();
    second.unwrap();
    assert_eq!(world.desk.done(), ["hook stored", "message stored"]);
    let _: &Desk = &world.desk;
}
