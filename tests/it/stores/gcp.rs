//! Google's Secret Manager API, as it is documented, on a stub.

mod log_in;
mod order;
mod project;
mod refusals;

use sftoken::store::Put;

use super::*;
use crate::support::stub::Stub;
use project::Project;

/// A user's credentials, which a stub gives an access token for.
fn planted(stub: &Stub) -> Planted {
    let user = serde_json::json!({
        "type": "authorized_user", "client_id": "client-1", "client_secret": "planted-client-secret",
        "refresh_token": "planted-refresh", "token_uri": format!("http://{}/token", stub.authority()),
        "quota_project_id": "acme-quota",
    });
    Planted::with(&[("env:PLANTED", &user.to_string())])
}

fn url(stub: &Stub, name: &str, parameters: &str) -> String {
    let server = stub.authority();
    format!("gcsm://acme-jobs/{name}?tls=0&host={server}&credentials=env:PLANTED{parameters}")
}

fn open(stub: &Stub, name: &str) -> Arc<dyn Store> {
    planted(stub).open(&url(stub, name, "")).unwrap()
}

fn put(store: &dyn Store, second: i64, value: &str) -> Result<Put, StoreError> {
    store.publish(&key(USERNAME), &token(value), &mail_of(second, value))
}

fn held(store: &dyn Store) -> Option<Token> {
    store.get(&key(USERNAME)).unwrap()
}

/// The real one: `SFTOKEN_TEST_GCSM=gcsm://PROJECT/NAME?credentials=file:/PATH`, or without credentials on Google Cloud.
#[test]
#[ignore = "writes a secret of a real project: run it with SFTOKEN_TEST_GCSM and SFTOKEN_TEST_GCSM_CREDENTIALS"]
fn live() {
    let url = std::env::var("SFTOKEN_TEST_GCSM").unwrap();
    let ours = std::env::var("SFTOKEN_TEST_GCSM_CREDENTIALS").unwrap();
    let store = Planted::with(&[("env:SFTOKEN_TEST_GCSM_CREDENTIALS", &ours)])
        .open(&url)
        .unwrap();
    store.check().unwrap();
    let now = Timestamp::now().as_second() - 1_764_000_000;
    assert_eq!(put(&*store, now, NEW).unwrap(), Put::Written);
    assert_eq!(put(&*store, now - 60, OLD).unwrap(), Put::Superseded);
    assert_eq!(held(&*store), Some(token(NEW)));
}
