//! Azure Key Vault's API, as it is documented, on a stub.

mod log_in;
mod order;
mod refusals;
mod vault;

use super::*;
use crate::support::stub::Stub;
use vault::Vault;

/// A vault of the stub's, with a client's log-in at the same stub.
fn url(stub: &Stub, name: &str, parameters: &str) -> String {
    let server = stub.authority();
    format!(
        "akv://acme-jobs/{name}?tls=0&host={server}&authority={server}&tenant=acme.example&client-id=client-1\
         &client-secret=env:PLANTED{parameters}"
    )
}

fn planted() -> Planted {
    Planted::with(&[("env:PLANTED", "planted-client-secret")])
}

fn open(stub: &Stub, name: &str) -> Arc<dyn Store> {
    planted().open(&url(stub, name, "")).unwrap()
}

fn put(store: &dyn Store, second: i64, value: &str) -> Result<sftoken::store::Put, StoreError> {
    store.publish(&key(USERNAME), &token(value), &mail_of(second, value))
}

/// The real one: `SFTOKEN_TEST_AKV=akv://VAULT/NAME?tenant=…&client-id=…&client-secret=env:SFTOKEN_TEST_AKV_SECRET`.
#[test]
#[ignore = "writes a secret of a real vault: run it with SFTOKEN_TEST_AKV and SFTOKEN_TEST_AKV_SECRET"]
fn live() {
    let url = std::env::var("SFTOKEN_TEST_AKV").unwrap();
    let ours = std::env::var("SFTOKEN_TEST_AKV_SECRET").unwrap();
    let store = Planted::with(&[("env:SFTOKEN_TEST_AKV_SECRET", &ours)])
        .open(&url)
        .unwrap();
    store.check().unwrap();
    let now = Timestamp::now().as_second() - 1_764_000_000;
    assert_eq!(
        put(&*store, now, NEW).unwrap(),
        sftoken::store::Put::Written
    );
    let older = put(&*store, now - 60, OLD).unwrap();
    assert_eq!(older, sftoken::store::Put::Superseded);
    assert_eq!(store.get(&key(USERNAME)).unwrap(), Some(token(NEW)));
}
