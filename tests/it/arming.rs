//! `armed_only`: no mail is believed that nobody here announced.

use serde_json::Value;

use crate::support::run::{Home, Running};
use crate::support::salesforce::{ANN, BOB, Keeper, ago, genuine, key_file, new_token};
use crate::support::stage::{Stage, await_stored, fingerprint};

fn stage() -> Stage {
    let mut stage = Stage::new();
    stage.home.set("SFTOKEN_TRUST_ARMED_ONLY", "true");
    stage
}

/// Waits for what became of the mail with this token.
fn outcome(watching: &mut Running, token: &str) -> Value {
    serde_json::from_str(&watching.hear_out(&fingerprint(token))).unwrap()
}

#[test]
fn a_daemon_believes_nothing_outside_of_a_window() {
    let stage = stage();
    let mut watching = stage.watch();
    let token = stage.reset(1);
    let receipt = outcome(&mut watching, &token);
    assert_eq!(receipt["outcome"], "refused");
    assert_eq!(receipt["reason"], "outside_window");
    assert_eq!(stage.keeper.kept(ANN), None);

    let armed = stage
        .home
        .run(&["arm", "--account", ANN, "--for", "10m", "--json"])
        .check(0);
    crate::schema::check(&crate::schema::schema("armed"), &armed.json()[0]);
    assert_eq!(armed.json()[0]["event"], "armed");
    assert_eq!(armed.json()[0]["accounts"][0], ANN);
    let announced = stage.reset(0);
    await_stored(&mut watching, &announced);
    stage.check_kept(&announced);

    // the window is for one account, and for its time
    let other = new_token();
    stage.deliver(&genuine(BOB, &other, ago(0)));
    assert_eq!(outcome(&mut watching, &other)["reason"], "outside_window");
    let earlier = stage.reset(600);
    assert_eq!(outcome(&mut watching, &earlier)["reason"], "outside_window");
    stage.check_kept(&announced);
}

#[test]
fn what_was_refused_stays_refused_after_a_window_is_opened() {
    let stage = stage();
    let token = stage.reset(600);
    stage.home.run(&["watch", "--once"]).check(4);
    stage.home.run(&["arm"]).check(0);
    stage.home.run(&["watch", "--once"]).check(0);
    assert_eq!(stage.keeper.kept(ANN), None, "{token}");
}

#[test]
fn a_wait_announces_by_itself_and_a_daemon_beside_it_knows() {
    let stage = stage();
    let watching = stage.watch();
    let mut waiting = stage.home.start(&["wait", "--account", ANN, "--json"]);
    waiting.hear_err("armed");
    let token = stage.reset(0);
    waiting.end().check(0);
    stage.check_kept(&token);
    watching.stop().check(143);
    assert_eq!(
        stage.written().len(),
        1,
        "daemon and wait write once together"
    );
}

#[test]
fn a_wait_that_ended_leaves_no_window() {
    let home = Home::new();
    let keeper = Keeper::in_home(&home);
    home.configure(&format!(
        "[trust]\narmed_only = true\n[dns]\nkeys = [\"{}\"]\n[store.default]\nurl = \"{}\"\n\
         [[account]]\nusername = \"{ANN}\"\n",
        key_file(&home),
        keeper.url()
    ));
    let ledger = home.ledger();
    let now = ago(0);
    let minute = jiff::SignedDuration::from_mins(1);
    let windows = ledger
        .open_windows(&[], now - minute * 30, now + minute * 30, now)
        .unwrap();
    ledger.close_windows(&windows, now - minute * 20).unwrap();
    home.write("late.eml", genuine(ANN, &new_token(), ago(10 * 60)));
    home.run(&["replay", "late.eml"]).check(4);
    assert_eq!(keeper.kept(ANN), None);
    let token = new_token();
    home.write("inside.eml", genuine(ANN, &token, ago(25 * 60)));
    home.run(&["replay", "inside.eml"]).check(0);
    assert_eq!(keeper.kept(ANN), Some(token));
}

#[test]
fn arming_without_armed_only_says_that_it_changes_nothing() {
    let stage = Stage::new();
    let ended = stage.home.run(&["arm"]).check(0);
    assert!(ended.err.contains("armed_only is not set"), "{}", ended.err);
    assert!(
        ended.out.contains(ANN) && ended.out.contains(BOB),
        "{}",
        ended.out
    );
}
