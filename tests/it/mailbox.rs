//! What a mailbox's connection bears: networks, servers, folders, other watchers. Every story ends with what
//! is in the store, or in the mailbox.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use sftoken::inbox::{Access, Limits, Session};
use sftoken::ingest::secret::Secret;

use crate::support::dovecot::{Dovecot, PASSWORD};
use crate::support::faulty::{Mode, Network};
use crate::support::run::{Home, Running};
use crate::support::salesforce::{ANN, BOX, ago, forged, genuine, new_token, unrelated};
use crate::support::stage::{Stage, await_stored};

/// A stage whose mailbox is reached through a network.
fn through_a_network(keys: &str) -> (Stage, Network, Home) {
    let stage = Stage::new();
    let network = Network::before(stage.server.endpoint(BOX).port);
    let home = stage.other_machine(network.port(), keys);
    (stage, network, home)
}

fn watch(home: &Home) -> Running {
    home.start(&["watch", "--json", "-v"])
}

/// Waits until the watch is at rest: everything was looked through, and it waits.
fn await_rest(watching: &mut Running) {
    watching.hear_err("alive");
}

#[test]
fn a_connection_that_the_network_forgot_is_found() {
    let (stage, network, home) = through_a_network("liveness = \"6s\"");
    let mut watching = watch(&home);
    await_rest(&mut watching);
    for seconds in [20, 10] {
        network.forget();
        let token = stage.reset(seconds);
        let begun = Instant::now();
        watching.hear_err("connection lost");
        // six seconds are promised; the machine may be loaded
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "{:?}",
            begun.elapsed()
        );
        await_stored(&mut watching, &token);
        await_rest(&mut watching);
    }
    watching.stop().check(143);
}

#[test]
fn a_server_that_is_frozen_is_left_and_met_again() {
    let stage = Stage::with_keys("liveness = \"6s\"");
    let mut watching = watch(&stage.home);
    await_rest(&mut watching);
    stage.server.freeze();
    let lost = watching.hear_err("connection lost");
    assert!(
        lost.contains("kind=\"timeout\"") && lost.contains("proven_seconds_ago="),
        "{lost}"
    );
    stage.server.thaw();
    let token = stage.reset(10);
    await_stored(&mut watching, &token);
    watching.stop().check(143);
}

#[test]
fn a_network_that_refuses_is_tried_again_and_told_once() {
    let (stage, network, home) = through_a_network("");
    let mut watching = watch(&home);
    await_rest(&mut watching);
    network.set(Mode::Refuse);
    let begun = network.accepted();
    let token = stage.reset(10);
    while network.accepted() < begun + 3 {
        watching.hear_err("no connection");
    }
    network.set(Mode::Pass);
    await_stored(&mut watching, &token);
    let ended = watching.stop().check(143);
    assert_eq!(ended.err.matches("WARN").count(), 2, "{}", ended.err);
    assert_eq!(
        ended.err.matches("connected again").count(),
        1,
        "{}",
        ended.err
    );
}

#[test]
fn a_server_that_stalls_behind_the_handshake_is_given_up() {
    let (stage, network, home) = through_a_network("");
    // the greeting and the log-in pass; what comes then does not
    network.set(Mode::Stall(2_000));
    let mut watching = watch(&home);
    watching.hear_err("connection lost");
    network.set(Mode::Pass);
    let token = stage.reset(10);
    await_stored(&mut watching, &token);
    watching.stop().check(143);
}

#[test]
fn connections_that_die_at_once_do_not_become_a_stream_of_log_ins() {
    let (_stage, network, home) = through_a_network("");
    let mut watching = watch(&home);
    for _ in 0..3 {
        watching.hear_err("connected");
        network.cut();
        watching.hear_err("lost");
    }
    // NOTE: a pause, because what must not happen has no event
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(network.accepted(), 3);
    watching.stop().check(143);
}

#[test]
fn the_junk_folder_is_watched_by_default() {
    let stage = Stage::new();
    let mut watching = watch(&stage.home);
    await_rest(&mut watching);
    for (folder, seconds) in [("Spam", 40), ("", 30), ("Spam", 20), ("Spam", 10)] {
        let token = new_token();
        stage
            .server
            .put(BOX, folder, &genuine(ANN, &token, ago(seconds)));
        await_stored(&mut watching, &token);
        stage.check_kept(&token);
    }
    let ended = watching.stop().check(143);
    assert_eq!(ended.err.matches("connected").count(), 1, "{}", ended.err);
    let status = stage
        .home
        .run(&["status", "--json"])
        .check(0)
        .json()
        .remove(0);
    for (at, folder) in ["INBOX", "\\Junk"].iter().enumerate() {
        let line = &status["mailboxes"][at];
        assert_eq!(
            (&line["folder"], &line["state"]),
            (&(*folder).into(), &"ok".into())
        );
    }
}

#[test]
fn a_mail_that_is_copied_or_moved_is_dealt_with_once() {
    let stage = Stage::new();
    let mut watching = watch(&stage.home);
    let (token, bad) = (new_token(), new_token());
    let (mail, fake) = (genuine(ANN, &token, ago(30)), forged(ANN, &bad, ago(20)));
    stage.server.put_all(BOX, "", [&mail, &fake]);
    await_stored(&mut watching, &token);
    watching.hear_out("dkim_fail");
    stage.server.put_all(BOX, "Spam", [&fake, &mail]);
    stage.server.put_all(BOX, "", [&fake, &mail]);
    let last = stage.reset(10);
    await_stored(&mut watching, &last);
    let ended = watching.stop().check(143);
    assert_eq!(ended.json().len(), 3, "{}", ended.out);
    assert_eq!(stage.written(), [token, last]);
}

#[test]
fn a_folder_that_is_missing_does_not_hold_up_the_others() {
    let stage = Stage::with_keys("folders = [\"INBOX\", \"Later\"]");
    let mut watching = watch(&stage.home);
    watching.hear_err("no folder Later");
    let token = stage.reset(20);
    await_stored(&mut watching, &token);
    let ended = watching.stop().check(143);
    assert_eq!(ended.err.matches("no folder Later").count(), 1);
    // one that catches up says so, after all others are done
    let last = stage.reset(10);
    let ended = stage.home.run(&["watch", "--once"]).check(5);
    assert!(ended.err.contains("no folder Later"), "{}", ended.err);
    stage.check_kept(&last);
}

#[test]
fn handled_mail_is_marked_moved_or_removed_and_no_other_is() {
    for handled in ["seen", "flag", "move:Done", "move:\\\\Junk", "delete"] {
        let stage = Stage::with_keys(&format!("handled = \"{handled}\"\nfolders = [\"INBOX\"]"));
        let (old, new) = (new_token(), new_token());
        let mails = [
            unrelated(1),
            forged(ANN, &new_token(), ago(40)),
            genuine(ANN, &new, ago(10)),
            genuine(ANN, &old, ago(30)),
        ];
        stage.server.put_all(BOX, "", &mails);
        stage.home.run(&["watch", "--once"]).check(4);
        stage.check_kept(&new);
        let mut flags = stage.server.flags(BOX);
        flags.sort();
        let expected: &[&str] = match handled {
            "seen" => &["", "", "S", "S"],
            "flag" => &["", "", "F", "F"],
            _ => &["", ""],
        };
        assert_eq!(flags, expected, "{handled}");
        let moved_to = match handled {
            "move:Done" => Some("Done"),
            "move:\\\\Junk" => Some("Spam"),
            _ => None,
        };
        if let Some(folder) = moved_to {
            assert_eq!(stage.server.mails_in(BOX, folder), 2, "{handled}");
        }
        // nothing is left to do
        let again = stage.home.run(&["watch", "--once", "--json"]).check(0);
        assert_eq!(again.out, "");
    }
}

/// Removes every mail of a folder, as its owner does: the server counts what it sees.
fn make_room(stage: &Stage, folder: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let password = Secret::new(PASSWORD.to_owned()).into();
        let endpoint = stage.server.endpoint(BOX);
        let mut session = Session::connect(&endpoint, &password, &Limits::default())
            .await
            .unwrap();
        let folder = session.resolve_folder(folder).await.unwrap();
        session.open(&folder, Access::Write).await.unwrap();
        for uid in session.search_from(1).await.unwrap() {
            session.delete(uid).await.unwrap();
        }
        session.logout().await;
    });
}

#[test]
fn a_folder_that_is_full_costs_a_warning_and_no_token() {
    let keys = "handled = \"move:Full/Done\"\nfolders = [\"INBOX\"]";
    let stage = Stage::on(Dovecot::start_with_quota(1), keys);
    let mut watching = watch(&stage.home);
    let (first, second) = (stage.reset(40), stage.reset(30));
    await_stored(&mut watching, &first);
    await_stored(&mut watching, &second);
    let told = watching.hear_err("its mail stays as it is");
    assert!(
        told.contains("[OVERQUOTA]") && told.contains("to=\"Full/Done\""),
        "{told}"
    );
    assert_eq!(stage.server.mails_in(BOX, "Full/Done"), 1);
    assert_eq!(stage.server.flags(BOX).len(), 1);
    // it is at rest: the mail that stays is not tried again and again
    await_rest(&mut watching);
    make_room(&stage, "Full/Done");
    let third = stage.reset(20);
    await_stored(&mut watching, &third);
    watching.hear_err("the mail is handled");
    assert_eq!(stage.server.mails_in(BOX, "Full/Done"), 1);
    assert_eq!(stage.server.flags(BOX).len(), 1);
    let ended = watching.stop().check(143);
    assert_eq!(ended.err.matches("WARN").count(), 1, "{}", ended.err);
    assert_eq!(stage.written(), [first, second, third]);
}

#[test]
fn a_mail_whose_token_is_not_stored_stays_where_it_is() {
    let stage = Stage::with_keys("handled = \"delete\"");
    let token = stage.reset(10);
    stage.keeper.lock(true);
    stage.home.run(&["watch", "--once"]).check(6);
    assert_eq!(stage.server.flags(BOX), [""]);
    stage.keeper.lock(false);
    stage.catch_up();
    stage.check_kept(&token);
    assert_eq!(stage.server.flags(BOX), [] as [&str; 0]);
}

#[test]
fn of_watchers_on_two_machines_one_stores_each_token() {
    let stage = Stage::with_keys("claim = true");
    let port = stage.server.endpoint(BOX).port;
    let others = [0, 1].map(|_| stage.other_machine(port, "claim = true"));
    let mut daemons = vec![watch(&stage.home), watch(&others[0]), watch(&others[1])];
    daemons.iter_mut().for_each(await_rest);
    let mut tokens = Vec::new();
    for round in 0..8 {
        tokens.push(stage.reset(100 - 10 * round));
        for daemon in &mut daemons {
            await_stored(daemon, &tokens[tokens.len() - 1]);
        }
    }
    assert_eq!(stage.written(), tokens);
    for daemon in daemons {
        let ended = daemon.stop().check(143);
        assert!(!ended.err.contains("WARN"), "{}", ended.err);
    }
}

#[test]
fn a_claim_of_a_watcher_that_was_killed_is_its_own_again() {
    let stage = Stage::with_keys("claim = true");
    let keep = fs::read(stage.home.path("keeper/keep")).unwrap();
    let hang = "#!/bin/sh\n[ $SFTOKEN_ACTION = put ] || exit 0\necho begun >> ${0%/*}/begun\nexec sleep 600\n";
    stage.home.write("keeper/keep", hang);
    let begun = stage.home.path("keeper/begun");
    let status = std::process::Command::new("mkfifo").arg(&begun).status();
    assert!(status.unwrap().success());
    let watching = watch(&stage.home);
    let token = stage.reset(10);
    // the pipe opens when the store's program has begun: the mail is claimed
    assert_eq!(fs::read_to_string(&begun).unwrap(), "begun\n");
    watching.kill().check(137);
    let script = stage.home.write("keeper/keep", keep);
    fs::set_permissions(script, fs::Permissions::from_mode(0o700)).unwrap();
    // at once, not when the claim has expired
    stage.catch_up();
    stage.check_kept(&token);
}
