//! When tokens are asked for, and what becomes of refresh tokens.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use sftoken::oauth::Retry;
use sftoken::testing::oauth::Fault;

use super::{Held, source, story};

#[test]
fn a_token_is_asked_for_once_and_renewed_five_minutes_early() {
    story(async |server, _, source, hands| {
        let many: Vec<_> = (0..20)
            .map(|_| {
                let source = source.clone();
                tokio::spawn(async move { source.token().await.unwrap() })
            })
            .collect();
        let mut tokens = Vec::new();
        for one in many {
            tokens.push(one.await.unwrap());
        }
        assert!(tokens.iter().all(|token| *token == tokens[0]));
        assert_eq!(server.asked().len(), 1);
        hands.on(54);
        assert_eq!(source.token().await.unwrap(), tokens[0]);
        hands.on(2);
        assert_ne!(source.token().await.unwrap(), tokens[0]);
        assert_eq!(server.asked().len(), 2);
        let asked = &server.asked()[1].form;
        assert_eq!(asked["grant_type"], "refresh_token");
        assert_eq!(asked["client_id"], "client");
        // "as before": no scope
        assert!(!asked.contains_key("scope"), "{asked:?}");
    });
}

#[test]
fn a_token_of_short_life_is_used_for_half_of_it() {
    story(async |server, _, source, hands| {
        server.lifetime(240);
        source.token().await.unwrap();
        hands.on(1);
        source.token().await.unwrap();
        assert_eq!(server.asked().len(), 1);
        hands.on(2);
        source.token().await.unwrap();
        assert_eq!(server.asked().len(), 2);
    });
}

#[test]
fn a_provider_that_is_down_costs_nothing_while_the_token_lives() {
    story(async |server, _, source, hands| {
        let token = source.token().await.unwrap();
        hands.on(57);
        server.fail(2, Fault::Answer(503, String::new()));
        assert_eq!(source.token().await.unwrap(), token);
        hands.on(4);
        let error = source.token().await.unwrap_err();
        assert_eq!(error.kind, "oauth_unavailable");
        assert_ne!(source.token().await.unwrap(), token);
        // one that says no for good is believed at once
        hands.on(57);
        server.revoke_refresh_tokens();
        let error = source.token().await.unwrap_err();
        assert_eq!(error.kind, "invalid_grant");
    });
}

#[test]
fn a_refused_token_is_replaced_and_a_newer_one_stays() {
    story(async |server, _, source, _| {
        let first = source.token().await.unwrap();
        source.refused(&first);
        let second = source.token().await.unwrap();
        assert_ne!(second, first);
        // the news comes late, from another connection
        source.refused(&first);
        assert_eq!(source.token().await.unwrap(), second);
        assert_eq!(server.asked().len(), 2);
    });
}

#[test]
fn a_rotated_refresh_token_is_saved_and_used() {
    story(async |server, place, source, hands| {
        server.rotate(true);
        for _ in 0..3 {
            source.token().await.unwrap();
            hands.on(60);
            place.check(&server.refresh_tokens()[0]);
        }
        let used: Vec<String> = server
            .asked()
            .iter()
            .map(|asked| asked.form["refresh_token"].clone())
            .collect();
        assert_eq!(used[0], "refresh-0");
        assert!(used[1] != used[0] && used[2] != used[1], "{used:?}");
    });
}

#[test]
fn one_that_cannot_be_saved_lives_as_long_as_the_program() {
    story(async |server, _, _, hands| {
        server.rotate(true);
        let place = Held::read_only("refresh-0");
        let source = source(&server, &place, &hands);
        for _ in 0..3 {
            source.token().await.unwrap();
            hands.on(60);
        }
        place.check("refresh-0");
        // a person puts another one there: it counts from then on
        server.allow("by-hand", "ann");
        place.put("by-hand");
        source.token().await.unwrap();
        assert_eq!(server.asked()[3].form["refresh_token"], "by-hand");
    });
}

#[test]
fn a_token_that_another_process_rotated_is_read_again() {
    story(async |server, _, _, hands| {
        server.allow("theirs", "ann");
        server.revoke_refresh_tokens();
        server.allow("theirs", "ann");
        let place = Held::of(&["refresh-0", "theirs"]);
        source(&server, &place, &hands).token().await.unwrap();
        assert_eq!(server.asked().len(), 2);
        // none is there but the one that was refused: asked once
        server.revoke_refresh_tokens();
        hands.on(60);
        let place = Held::of(&["refresh-0"]);
        let error = source(&server, &place, &hands).token().await.unwrap_err();
        assert_eq!(
            (error.kind, error.retry),
            ("invalid_grant", Retry::Credential)
        );
        assert_eq!(server.asked().len(), 3);
    });
}

/// Whoever asked goes away; the new refresh token must not go with them.
#[test]
fn a_caller_that_goes_away_loses_no_rotated_token() {
    story(async |server, place, source, _| {
        server.rotate(true);
        {
            let mut going = pin!(source.token());
            let asked = poll_fn(|cx| Poll::Ready(going.as_mut().poll(cx))).await;
            assert!(asked.is_pending());
        }
        let token = source.token().await.unwrap();
        place.check(&server.refresh_tokens()[0]);
        assert_eq!(server.asked().len(), 1);
        assert_eq!(source.token().await.unwrap(), token);
    });
}

#[test]
fn a_place_that_gives_nothing_now_may_do_so_later() {
    story(async |server, _, _, hands| {
        let place = Arc::new(Held::default());
        let source = source(&server, &place, &hands);
        let error = source.token().await.unwrap_err();
        assert_eq!((error.kind, error.retry), ("oauth_secret", Retry::Soon));
        assert_eq!(
            (error.problem.as_str(), error.hint.as_str()),
            ("the place is empty", "fill it")
        );
        place.put("refresh-0");
        source.token().await.unwrap();
    });
}
