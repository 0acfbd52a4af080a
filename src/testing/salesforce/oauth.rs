//! OAuth's username-password flow, from the other side.
//!
//! Knows the answers that Salesforce documents. Never judges users: that is the world's. Its data comes from a client.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;

use super::Fault;
use super::http::{Reply, Request};
use super::world::World;
use crate::testing::oauth::form;

const JSON: &str = "application/json;charset=UTF-8";

pub(super) fn token(
    request: &Request,
    world: &mut World,
    address: SocketAddr,
) -> (Duration, Reply) {
    let form = form(&request.body);
    let of = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let now = |reply| (Duration::ZERO, reply);
    if of("grant_type") != "password" {
        return now(refuse("unsupported_grant_type", "grant type not supported"));
    }
    match world.clients.get(of("client_id")) {
        None => return now(refuse("invalid_client_id", "client identifier invalid")),
        Some(secret) if secret != of("client_secret") => {
            return now(refuse("invalid_client", "invalid client credentials"));
        }
        Some(_) => {}
    }
    let (username, login) = (of("username"), of("password"));
    match world.fault(username) {
        Some(Fault::Slow(pause)) => (pause, log_in(world, address, username, login)),
        Some(failing) => {
            let own = failing
                .oauth()
                .map(|(error, description)| refuse(error, description));
            let other = own.or_else(|| Reply::failing(&failing));
            now(other.unwrap_or(Reply::Cut))
        }
        None => now(log_in(world, address, username, login)),
    }
}

fn log_in(world: &mut World, address: SocketAddr, username: &str, login: &str) -> Reply {
    let Ok(user) = world.judge(username, login) else {
        return refuse("invalid_grant", "authentication failure");
    };
    let session = world.new_session(username);
    let here = format!("http://{address}");
    let body = json!({
        "access_token": session,
        "instance_url": world.instance.as_deref().unwrap_or(&here),
        "id": format!("{here}/id/{}/{}", world.organization, user.id),
        "token_type": "Bearer",
        "issued_at": "1792000000000",
        "signature": "bm90IHNpZ25lZA==",
    });
    Reply::page(200, JSON, body.to_string())
}

pub(super) fn revoke(request: &Request, world: &mut World) -> Reply {
    let form = form(&request.body);
    let known = form
        .get("token")
        .and_then(|token| world.sessions.remove(token));
    match known {
        Some(_) => Reply::page(200, "text/html", ""),
        None => refuse("invalid_token", "token is invalid"),
    }
}

fn refuse(error: &str, description: &str) -> Reply {
    let body = json!({"error": error, "error_description": description});
    Reply::page(400, JSON, body.to_string())
}
