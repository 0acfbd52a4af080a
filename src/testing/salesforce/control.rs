//! Resets and faults, ordered over HTTP by other programs.
//!
//! Knows the four orders. Never logs anybody in. What is done with a new token is the test's affair.

use std::sync::Mutex;

use super::http::{Reply, Request};
use super::world::World;
use super::{Fault, OnReset, locked};

pub(super) fn reply(request: &Request, world: &Mutex<World>, on_reset: &OnReset) -> Reply {
    let of = |name: &str| {
        request
            .query
            .get(name)
            .map(String::as_str)
            .unwrap_or_default()
    };
    let username = of("username");
    let known = || locked(world).users.contains_key(username);
    match (request.method.as_str(), request.path.as_str()) {
        ("POST", "/reset") => {
            let token = locked(world).reset(username);
            let Some(token) = token else {
                return wrong("no such user");
            };
            match on_reset(username, &token) {
                Ok(answer) => text(200, &answer),
                Err(why) => text(500, &why),
            }
        }
        ("POST", "/unlock") if known() => {
            locked(world).unlock(username);
            text(200, "")
        }
        ("POST", "/fault") if of("kind") == "none" => {
            locked(world).faults.clear();
            text(200, "")
        }
        ("POST", "/fault") => {
            let times = request.query.get("times").map(|times| times.parse());
            match (Fault::from_word(of("kind")), times.transpose()) {
                (Some(fault), Ok(times)) => {
                    locked(world).faults.push((times, fault));
                    text(200, "")
                }
                _ => wrong("no such fault, or not so often"),
            }
        }
        ("GET", "/attempts") if known() => {
            let attempts = locked(world).attempts.get(username).copied();
            text(200, &format!("{}\n", attempts.unwrap_or(0)))
        }
        ("POST", "/unlock") | ("GET", "/attempts") => wrong("no such user"),
        _ => text(404, "not here\n"),
    }
}

fn wrong(what: &str) -> Reply {
    text(400, &format!("{what}\n"))
}

fn text(status: u16, body: &str) -> Reply {
    Reply::page(status, "text/plain; charset=UTF-8", body)
}
