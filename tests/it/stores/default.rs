//! Which store a machine gets without configuration.

use super::process::{StoreProcess, this};
use super::{NEW, USERNAME};
use crate::support::secret_service::SecretService;

#[test]
fn a_usable_keyring_is_taken() {
    let service = SecretService::unlocked();
    let mut store = StoreProcess::open("default", service.command(this()));
    let slot = store.ask(&format!("publish {USERNAME} {NEW}"));
    assert_eq!(slot, format!("keyring://sftoken/{USERNAME}"));
    assert_eq!(
        service.secret_tool_lookup("sftoken", USERNAME).as_deref(),
        Some(NEW)
    );
}

#[test]
fn without_one_it_tells_how_to_set_up_age() {
    let service = SecretService::bus_only();
    let mut store = StoreProcess::open("default", service.command(this()));
    let answer = store.ask(&format!("publish {USERNAME} {NEW}"));
    assert!(answer.starts_with("store_unreachable"), "{answer}");
    assert!(answer.contains("no store is configured"), "{answer}");
    assert!(answer.contains("age-keygen -o"), "{answer}");
}

#[test]
fn a_locked_one_is_not_silently_replaced() {
    let service = SecretService::unlocked();
    service.lock();
    let mut store = StoreProcess::open("default", service.command(this()));
    let answer = store.ask("check");
    assert!(answer.starts_with("store_locked"), "{answer}");
}
