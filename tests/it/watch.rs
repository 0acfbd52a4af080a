//! `sftoken watch`, the daemon: every story ends with what is in the store.

use std::fs;
use std::time::Duration;

use sftoken::testing::dns::{DnsServer, Says};

use crate::support::run::Running;
use crate::support::salesforce::{
    ANN, BOB, BOX, SELECTOR, ago, forged, genuine, key_name, key_record, mail, new_token, signed,
    unrelated,
};
use crate::support::stage::{Stage, await_stored, fingerprint};

#[test]
fn new_mail_is_stored_while_it_waits_and_the_mailbox_stays_as_it_is() {
    let stage = Stage::new();
    let mut watching = stage.watch();
    for seconds in [30, 20, 10] {
        let token = stage.reset(seconds);
        await_stored(&mut watching, &token);
        stage.check_kept(&token);
    }
    watching.signal("TERM");
    let ended = watching.end_within(Duration::from_secs(10)).check(143);
    assert_eq!(ended.json().len(), 3);
    let flags = stage.server.flags(BOX);
    assert_eq!(flags.len(), 3);
    assert!(flags.iter().all(|flags| !flags.contains('S')), "{flags:?}");
}

#[test]
fn of_two_mails_milliseconds_apart_the_newer_wins() {
    let stage = Stage::new();
    let mut watching = stage.watch();
    for pair in 0..20 {
        let (old, new) = (new_token(), new_token());
        let older = genuine(ANN, &old, ago(500 - 10 * pair));
        let newer = genuine(ANN, &new, ago(495 - 10 * pair));
        if pair % 2 == 0 {
            stage.deliver(&older);
            stage.deliver(&newer);
            await_stored(&mut watching, &new);
        } else {
            stage.deliver(&newer);
            stage.deliver(&older);
            await_stored(&mut watching, &new);
            let refused = watching.hear_out(&fingerprint(&old));
            assert!(refused.contains("older_than_current"), "{refused}");
        }
        stage.check_kept(&new);
    }
}

#[test]
fn mail_that_comes_while_the_server_is_away_is_stored_when_it_is_back() {
    let mut stage = Stage::new();
    let mut watching = stage.watch();
    let first = stage.reset(30);
    await_stored(&mut watching, &first);
    for (seconds, brutal) in [(20, false), (10, true)] {
        if brutal {
            stage.server.kill();
        } else {
            stage.server.stop();
        }
        watching.hear_err("connection lost");
        let token = new_token();
        stage
            .server
            .put(BOX, "", &genuine(ANN, &token, ago(seconds)));
        stage.server.start_again();
        await_stored(&mut watching, &token);
        stage.check_kept(&token);
    }
    assert_eq!(stage.written().len(), 3);
}

#[test]
fn a_daemon_that_is_killed_loses_nothing_and_repeats_nothing() {
    let stage = Stage::new();
    let mut tokens = Vec::new();
    for round in 0..6 {
        tokens.push(stage.reset(100 - 10 * round));
        let mut watching = stage.watch();
        match round % 3 {
            0 => drop(watching.hear_err("connected")),
            1 => drop(watching.hear_err("token stored")),
            _ => await_stored(&mut watching, &tokens[tokens.len() - 1]),
        }
        watching.kill().check(137);
    }
    stage.catch_up();
    stage.check_kept(&tokens[5]);
    // a kill between put and receipt may repeat a put; nothing older is ever put after it
    let mut written = stage.written();
    written.dedup();
    assert_eq!(written, tokens);
}

#[test]
fn an_older_mail_that_comes_later_changes_nothing() {
    let stage = Stage::new();
    let mut watching = stage.watch();
    let newer = stage.reset(10);
    await_stored(&mut watching, &newer);
    let older = stage.reset(60);
    let refused = watching.hear_out(&fingerprint(&older));
    assert!(refused.contains("\"superseded\":true"), "{refused}");
    stage.check_kept(&newer);
    let last = stage.home.decisions().pop().unwrap();
    assert_eq!(last, ("refused".into(), Some("older_than_current".into())));
}

#[test]
fn of_two_mails_of_one_second_the_one_that_came_later_wins() {
    let stage = Stage::new();
    let date = ago(10);
    let (first, second) = (new_token(), new_token());
    stage.deliver(&genuine(ANN, &first, date));
    stage.deliver(&genuine(ANN, &second, date));
    stage.catch_up();
    stage.check_kept(&second);
    assert_eq!(stage.written(), [first, second]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_dns_that_is_down_holds_up_its_mail_only() {
    for down in [Says::ServFail, Says::Silent] {
        let dns = DnsServer::start().await.unwrap();
        dns.set(&key_name(SELECTOR), down);
        dns.set(&key_name("test2"), Says::Records(vec![key_record()]));
        let stage = Stage::asking(&dns);
        let mut watching = stage.watch();
        let token = stage.reset(10);
        let other = new_token();
        stage.deliver(&signed(&mail(BOB, &other, ago(5)), "test2"));
        watching.hear_err("kept to be tried again");
        await_stored(&mut watching, &other);
        assert_eq!(stage.keeper.kept(BOB), Some(other));
        assert_eq!(stage.keeper.kept(ANN), None);
        assert!(stage.next_uid().is_none_or(|next| next == 1));
        dns.set(&key_name(SELECTOR), Says::Records(vec![key_record()]));
        await_stored(&mut watching, &token);
        stage.check_kept(&token);
        let ended = watching.stop().check(143);
        assert_eq!(stage.next_uid(), Some(3));
        assert_eq!(stage.keeper.puts().len(), 2);
        assert_eq!(ended.err.matches("WARN").count(), 1, "{}", ended.err);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_mail_that_is_deleted_while_it_is_open_is_forgotten() {
    let dns = DnsServer::start().await.unwrap();
    dns.set(&key_name(SELECTOR), Says::ServFail);
    dns.set(&key_name("test2"), Says::Records(vec![key_record()]));
    let stage = Stage::asking(&dns);
    let mut watching = stage.watch();
    stage.reset(10);
    watching.hear_err("kept to be tried again");
    stage.server.remove_mails(BOX);
    let other = new_token();
    stage.deliver(&signed(&mail(BOB, &other, ago(5)), "test2"));
    await_stored(&mut watching, &other);
    let asked = dns.asked(&key_name(SELECTOR));
    let turns = turns(&watching);
    // NOTE: a pause, because what must not happen has no event: a loop without one
    std::thread::sleep(Duration::from_secs(4));
    let more = self::turns(&watching) - turns;
    assert!(more < 200, "woken {more} times in four seconds");
    assert!(dns.asked(&key_name(SELECTOR)) <= asked + 2);
    watching.stop().check(143);
    assert_eq!(stage.next_uid(), Some(3));
}

/// How often the process went to sleep and was woken.
fn turns(running: &Running) -> u64 {
    number_in_status(running, "voluntary_ctxt_switches:")
}

fn number_in_status(running: &Running, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", running.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.unwrap().split_whitespace().next().unwrap();
    number.parse().unwrap()
}

#[test]
fn a_locked_store_gets_the_token_when_it_is_unlocked() {
    let stage = Stage::new();
    stage.keeper.lock(true);
    let mut watching = stage.watch();
    watching.hear_err("tokens cannot be stored now");
    let token = stage.reset(10);
    watching.hear_err("kept to be tried again");
    assert!(stage.next_uid().is_none_or(|next| next == 1));
    stage.keeper.lock(false);
    await_stored(&mut watching, &token);
    stage.check_kept(&token);
    watching.stop().check(143);
    assert_eq!(stage.next_uid(), Some(2));
}

#[test]
fn new_uids_lose_nothing_and_repeat_nothing() {
    let mut stage = Stage::new();
    let mut watching = stage.watch();
    let tokens = [stage.reset(30), stage.reset(20)];
    await_stored(&mut watching, &tokens[1]);
    stage.server.stop();
    stage.server.forget_uids(BOX);
    let last = new_token();
    stage.server.put(BOX, "", &genuine(ANN, &last, ago(10)));
    stage.server.start_again();
    await_stored(&mut watching, &last);
    watching.stop().check(143);
    stage.catch_up();
    stage.check_kept(&last);
    let [first, second] = tokens;
    assert_eq!(stage.written(), [first, second, last]);
}

#[test]
fn catching_up_once_ends_and_again_changes_nothing() {
    let stage = Stage::new();
    let tokens = [stage.reset(20), stage.reset(10)];
    stage.deliver(&unrelated(1));
    for _ in 0..2 {
        stage.catch_up();
        assert_eq!(stage.written(), tokens);
        assert_eq!(stage.next_uid(), Some(4));
    }
    let status = stage
        .home
        .run(&["status", "--json"])
        .check(0)
        .json()
        .remove(0);
    assert!(
        status["mailboxes"][0]["silent_seconds"]
            .as_i64()
            .is_some_and(|ago| ago < 60)
    );
    assert_eq!(status["accounts"][0]["state"], "ok");
    stage.deliver(&forged(ANN, &new_token(), ago(0)));
    stage.home.run(&["watch", "--once"]).check(4);
    // it is dealt with
    stage.catch_up();
    assert_eq!(stage.written(), tokens);
}

#[test]
fn catching_up_tells_what_it_could_not_do() {
    let mut stage = Stage::new();
    stage.reset(10);
    stage.keeper.lock(true);
    stage.home.run(&["watch", "--once"]).check(6);
    stage.keeper.lock(false);
    stage.server.stop();
    stage.home.run(&["watch", "--once"]).check(5);
    stage.server.start_again();
    stage.catch_up();
    assert_eq!(stage.written().len(), 1);
}

#[test]
fn a_huge_mail_with_the_right_subject_is_not_fetched() {
    let stage = Stage::new();
    let padded = |size: usize| {
        let mut mail = genuine(ANN, &new_token(), ago(60));
        let line = [b'x'; 70];
        while mail.len() < size {
            mail.extend_from_slice(&line);
            mail.extend_from_slice(b"\r\n");
        }
        mail
    };
    stage.server.put(BOX, "", &padded(100_000_000));
    stage.server.put(BOX, "", &padded(300_000));
    let mut watching = stage.watch();
    for _ in 0..2 {
        watching.hear_out("too_large");
    }
    let token = stage.reset(10);
    await_stored(&mut watching, &token);
    stage.check_kept(&token);
    let peak = number_in_status(&watching, "VmHWM:");
    assert!(peak < 100_000, "{peak} kB at its largest");
    watching.stop().check(143);
    let refused = ("refused".to_owned(), Some("too_large".to_owned()));
    assert_eq!(stage.home.decisions()[..2], [refused.clone(), refused]);
}

#[test]
fn one_mail_among_a_thousand_is_found() {
    let stage = Stage::new();
    let token = new_token();
    stage.server.put_all(BOX, "", (0..500).map(unrelated));
    stage.server.put(BOX, "", &genuine(ANN, &token, ago(10)));
    stage.server.put_all(BOX, "", (500..1000).map(unrelated));
    stage.catch_up();
    stage.check_kept(&token);
    assert_eq!(stage.next_uid(), Some(1002));
    // other people's mail leaves no trace
    assert_eq!(stage.home.decisions(), [("found".to_owned(), None)]);
}

#[test]
fn two_daemons_on_one_mailbox_write_once() {
    let stage = Stage::new();
    // the first mail waits until both have seen it: one that begins later has nothing left to do
    stage.keeper.lock(true);
    let mut daemons = [stage.watch(), stage.watch()];
    let mut tokens = vec![stage.reset(100)];
    for daemon in &mut daemons {
        daemon.hear_err("kept to be tried again");
    }
    stage.keeper.lock(false);
    for daemon in &mut daemons {
        await_stored(daemon, &tokens[0]);
    }
    for round in 1..5 {
        tokens.push(stage.reset(100 - 10 * round));
        for daemon in &mut daemons {
            await_stored(daemon, &tokens[tokens.len() - 1]);
        }
    }
    assert_eq!(stage.written(), tokens);
}

#[test]
fn a_store_that_hangs_does_not_hold_up_the_end() {
    let stage = Stage::new();
    let hang = "#!/bin/sh\n[ $SFTOKEN_ACTION = check ] && exit 0\necho begun >> ${0%/*}/begun\nexec sleep 600\n";
    stage.home.write("keeper/keep", hang);
    let mut watching = stage.watch();
    watching.hear_err("connected");
    let begun = stage.home.path("keeper/begun");
    let status = std::process::Command::new("mkfifo").arg(&begun).status();
    assert!(status.unwrap().success());
    stage.reset(10);
    // the pipe opens when the store's program has begun
    assert_eq!(fs::read_to_string(&begun).unwrap(), "begun\n");
    watching.signal("TERM");
    watching.end_within(Duration::from_secs(20)).check(143);
}

#[test]
fn a_refused_password_ends_the_daemon() {
    let mut stage = Stage::new();
    stage.home.set("MAIL_PASSWORD", "planted-wrong-pass");
    let ended = stage.home.run(&["watch", "--once"]).check(5);
    assert!(!ended.err.contains("planted"), "{}", ended.err);
    assert!(ended.err.contains("hint:"), "{}", ended.err);
}
