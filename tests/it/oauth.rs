//! Access tokens from a provider on loopback: when they are asked for, and what comes of every answer.

mod consent;
mod endpoint;
mod source;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sftoken::ingest::secret::Secret;
use sftoken::oauth::{Client, Grant, Http, Place, PlaceError, Provider, TokenSource};
use sftoken::testing::oauth::OauthServer;

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

/// A place in memory.
#[derive(Debug, Default)]
struct Held {
    /// What it gives, one after the other; the last one stays.
    gives: Mutex<VecDeque<Secret>>,
    read_only: bool,
}

impl Held {
    fn of(texts: &[&str]) -> Arc<Self> {
        let gives = texts.iter().map(|text| secret(text)).collect();
        Arc::new(Self {
            gives: Mutex::new(gives),
            read_only: false,
        })
    }

    fn read_only(text: &str) -> Arc<Self> {
        Arc::new(Self {
            gives: Mutex::new(VecDeque::from([secret(text)])),
            read_only: true,
        })
    }

    fn put(&self, text: &str) {
        *self.gives.lock().unwrap() = VecDeque::from([secret(text)]);
    }

    #[track_caller]
    fn check(&self, text: &str) {
        assert_eq!(self.load().unwrap(), secret(text));
    }
}

impl Place for Held {
    fn load(&self) -> Result<Secret, PlaceError> {
        let mut gives = self.gives.lock().unwrap();
        let first = gives.front().cloned().ok_or(PlaceError::Failed {
            problem: "the place is empty".to_owned(),
            hint: "fill it".to_owned(),
        })?;
        if gives.len() > 1 {
            gives.pop_front();
        }
        Ok(first)
    }

    fn save(&self, secret: &Secret) -> Result<(), PlaceError> {
        if self.read_only {
            return Err(PlaceError::ReadOnly {
                place: "env:X".to_owned(),
            });
        }
        *self.gives.lock().unwrap() = VecDeque::from([secret.clone()]);
        Ok(())
    }
}

/// A clock that a test moves.
#[derive(Clone)]
struct Hands(Arc<Mutex<Timestamp>>);

impl Hands {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Timestamp::UNIX_EPOCH)))
    }

    fn on(&self, minutes: i64) {
        *self.0.lock().unwrap() += SignedDuration::from_mins(minutes);
    }
}

fn client(server: &OauthServer, id: &str, place: Option<Arc<dyn Place>>) -> Client {
    let mut provider = Provider::generic(&server.url("token"));
    provider.device_url = Some(server.url("device"));
    provider.authorize_url = Some(server.url("authorize"));
    provider.scope = Some("mail offline".to_owned());
    let http = Http::new().within(Duration::from_millis(500));
    Client::new(provider, id, place, http)
}

fn source(server: &OauthServer, place: &Arc<Held>, hands: &Hands) -> TokenSource {
    let hands = hands.clone();
    let clock = Arc::new(move || *hands.0.lock().unwrap());
    let grant = Grant::Refresh(place.clone());
    TokenSource::new(client(server, "client", None), grant, clock)
}

fn multi() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

/// A provider that knows one user, and a source of that user's tokens.
fn story<F: Future>(tell: impl FnOnce(OauthServer, Arc<Held>, TokenSource, Hands) -> F) {
    multi().block_on(async {
        let server = OauthServer::start().await.unwrap();
        server.allow("refresh-0", "ann");
        let (place, hands) = (Held::of(&["refresh-0"]), Hands::new());
        let source = source(&server, &place, &hands);
        tell(server, place, source, hands).await;
    });
}
