//! A provider of OAuth tokens for tests, in process, over HTTP on loopback.
//!
//! Knows refresh tokens, clients, device codes and browsers' codes, and the ways in which a provider fails.
//! Never keeps anything beyond its life. Who may have what is said by the test; which access tokens hold is
//! told to a mail server at the token-information endpoint.
//!
//! ```text
//! POST /token /device      GET /authorize ─► redirect      GET /tokeninfo?access_token=… ─► {"email":…}
//! ```

mod http;

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

pub use http::Fault;
pub(super) use http::form;
use http::{Reply, Request, answer, failing, read, redirect, refuse};

/// A request to `/token` or `/device`, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The path.
    pub path: String,
    /// The form.
    pub form: BTreeMap<String, String>,
    /// The user and the secret of `Authorization: Basic`.
    pub basic: Option<(String, String)>,
}

/// A running provider; it stops when it is dropped.
#[derive(Debug)]
pub struct OauthServer {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
struct State {
    address: SocketAddr,
    /// Refresh tokens, and whose they are.
    refresh: BTreeMap<String, String>,
    /// Access tokens that hold, and whose they are.
    access: BTreeMap<String, String>,
    /// Clients with a secret: who they act for.
    clients: BTreeMap<String, (String, String)>,
    /// Device codes: the user's answer, once there is one.
    devices: BTreeMap<String, (String, Option<Result<String, ()>>)>,
    /// Browsers' codes: user, and PKCE's challenge.
    codes: BTreeMap<String, (String, String)>,
    faults: Vec<(usize, Fault)>,
    asked: Vec<Asked>,
    rotates: bool,
    /// Refresh tokens that were replaced, and whose they were; `None`: nobody remembers.
    replaced: Option<BTreeMap<String, String>>,
    /// How long an answer takes.
    delay: Duration,
    header_only: bool,
    lifetime: u64,
    numbers: u64,
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl OauthServer {
    /// Starts a provider on a free port of the loopback interface. It knows nobody yet.
    ///
    /// # Errors
    /// When the system gives no port.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(Mutex::new(State {
            address,
            refresh: BTreeMap::new(),
            access: BTreeMap::new(),
            clients: BTreeMap::new(),
            devices: BTreeMap::new(),
            codes: BTreeMap::new(),
            faults: Vec::new(),
            asked: Vec::new(),
            rotates: false,
            replaced: None,
            delay: Duration::ZERO,
            header_only: false,
            lifetime: 3600,
            numbers: 0,
        }));
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, Arc::clone(&state)));
        Ok(Self {
            address,
            state,
            _tasks: tasks,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of an endpoint: `token`, `device`, `authorize` or `tokeninfo`.
    #[must_use]
    pub fn url(&self, endpoint: &str) -> String {
        format!("http://{}/{endpoint}", self.address)
    }

    /// A refresh token holds from now on, for a user.
    pub fn allow(&self, refresh_token: &str, user: &str) {
        let mut state = locked(&self.state);
        state
            .refresh
            .insert(refresh_token.to_owned(), user.to_owned());
    }

    /// No refresh token holds any more.
    pub fn revoke_refresh_tokens(&self) {
        locked(&self.state).refresh.clear();
    }

    /// A client has this secret, and by it may act for a user.
    pub fn allow_client(&self, id: &str, secret: &str, user: &str) {
        let rights = (secret.to_owned(), user.to_owned());
        locked(&self.state).clients.insert(id.to_owned(), rights);
    }

    /// No access token that was given holds any more.
    pub fn revoke_access_tokens(&self) {
        locked(&self.state).access.clear();
    }

    /// Whether each use of a refresh token replaces it.
    pub fn rotate(&self, rotates: bool) {
        locked(&self.state).rotates = rotates;
    }

    /// From now on, a refresh token that was replaced and is used again is taken for stolen: all of its
    /// user's are revoked (RFC 9700, 4.14.2; Microsoft, Auth0 and Okta do it).
    pub fn revoke_reused(&self) {
        locked(&self.state).replaced = Some(BTreeMap::new());
    }

    /// How long the answer to a request takes, after its work is done.
    pub fn delay(&self, time: Duration) {
        locked(&self.state).delay = time;
    }

    /// Whether a client's secret is taken in `Authorization` only.
    pub fn header_only(&self, only: bool) {
        locked(&self.state).header_only = only;
    }

    /// How long access tokens are said to live, in seconds.
    pub fn lifetime(&self, seconds: u64) {
        locked(&self.state).lifetime = seconds;
    }

    /// The next requests to `/token` or `/device` fail, so many of them.
    pub fn fail(&self, times: usize, fault: Fault) {
        locked(&self.state).faults.push((times, fault));
    }

    /// A person enters a code and allows it, as a user; `None` does not allow it. `false`: no such code.
    pub fn enter(&self, user_code: &str, user: Option<&str>) -> bool {
        let answer = user.map(str::to_owned).ok_or(());
        let mut state = locked(&self.state);
        let found = state
            .devices
            .values_mut()
            .find(|(code, _)| code == user_code);
        found.is_some_and(|(_, slot)| {
            *slot = Some(answer);
            true
        })
    }

    /// What was asked at `/token` and `/device`, in order.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        locked(&self.state).asked.clone()
    }

    /// The refresh tokens that hold.
    #[must_use]
    pub fn refresh_tokens(&self) -> Vec<String> {
        locked(&self.state).refresh.keys().cloned().collect()
    }

    /// The access tokens that hold.
    #[must_use]
    pub fn access_tokens(&self) -> Vec<String> {
        locked(&self.state).access.keys().cloned().collect()
    }
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) {
    let mut clients = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        clients.spawn(exchange(stream, Arc::clone(&state)));
    }
}

/// One request and one answer. A client that has gone away is no concern of the server.
async fn exchange(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let Some(request) = read(&mut stream).await else {
        return;
    };
    let (reply, delay) = {
        let mut state = locked(&state);
        (state.reply(&request), state.delay)
    };
    tokio::time::sleep(delay).await;
    let bytes = match reply {
        Reply::Silence => return std::future::pending().await,
        Reply::Cut => return,
        Reply::Bytes(bytes) => bytes,
    };
    let _ = stream.write_all(&bytes).await;
    let _ = stream.shutdown().await;
}

impl State {
    fn reply(&mut self, request: &Request) -> Reply {
        match (request.method.as_str(), request.path.as_str()) {
            ("POST", path @ ("/token" | "/device")) => {
                let asked = Asked {
                    path: path.to_owned(),
                    form: form(&request.body),
                    basic: request.basic.clone(),
                };
                self.asked.push(asked.clone());
                match self.fault() {
                    Some(fault) => failing(&fault),
                    None if path == "/token" => self.token(&asked),
                    None => self.device(),
                }
            }
            ("GET", "/tokeninfo") => self.information(&request.query),
            ("GET", "/authorize") => self.authorize(&request.query),
            _ => answer(404, "text/html", "<html>not here</html>"),
        }
    }

    fn fault(&mut self) -> Option<Fault> {
        let (left, fault) = self.faults.first_mut()?;
        *left = left.saturating_sub(1);
        let fault = fault.clone();
        self.faults.retain(|(left, _)| *left > 0);
        Some(fault)
    }

    /// A token that does not hold was used: perhaps it did once.
    fn suspect(&mut self, old: &str) {
        let replaced = self
            .replaced
            .as_ref()
            .and_then(|replaced| replaced.get(old));
        if let Some(user) = replaced.cloned() {
            self.refresh.retain(|_, of| *of != user);
        }
    }

    fn next(&mut self, what: &str) -> String {
        self.numbers += 1;
        format!("{what}-{:04}-of-the-test", self.numbers)
    }

    fn token(&mut self, asked: &Asked) -> Reply {
        let value = |name: &str| asked.form.get(name).map(String::as_str).unwrap_or_default();
        if let Err(reply) = self.client(asked) {
            return reply;
        }
        match value("grant_type") {
            "refresh_token" => {
                let old = value("refresh_token");
                let Some(user) = self.refresh.get(old).cloned() else {
                    self.suspect(old);
                    return refuse(400, "invalid_grant", "Token has been expired or revoked.");
                };
                let new = self.rotates.then(|| self.next("refresh"));
                if let Some(new) = &new {
                    self.refresh.remove(old);
                    if let Some(replaced) = &mut self.replaced {
                        replaced.insert(old.to_owned(), user.clone());
                    }
                    self.refresh.insert(new.clone(), user.clone());
                }
                self.give(&user, new)
            }
            "client_credentials" => {
                let id = asked
                    .basic
                    .as_ref()
                    .map_or(value("client_id"), |(id, _)| id);
                match self.clients.get(id).map(|(_, user)| user.clone()) {
                    Some(user) => self.give(&user, None),
                    None => refuse(401, "invalid_client", "no such client"),
                }
            }
            "authorization_code" => {
                let known = self.codes.remove(value("code"));
                let proof = digest(&SHA256, value("code_verifier").as_bytes());
                let proof = URL_SAFE_NO_PAD.encode(proof);
                match known.filter(|(_, challenge)| *challenge == proof) {
                    Some((user, _)) => self.consented(&user),
                    None => refuse(400, "invalid_grant", "Malformed auth code."),
                }
            }
            "urn:ietf:params:oauth:grant-type:device_code" => {
                match self
                    .devices
                    .get(value("device_code"))
                    .map(|(_, answer)| answer.clone())
                {
                    None => refuse(400, "expired_token", "no such code"),
                    Some(None) => refuse(400, "authorization_pending", "not yet"),
                    Some(Some(Err(()))) => refuse(403, "access_denied", "the user said no"),
                    Some(Some(Ok(user))) => self.consented(&user),
                }
            }
            _ => refuse(400, "unsupported_grant_type", "no such grant"),
        }
    }

    /// A client with a secret must prove it.
    fn client(&self, asked: &Asked) -> Result<(), Reply> {
        let value = |name: &str| asked.form.get(name).cloned().unwrap_or_default();
        let (id, secret) = match &asked.basic {
            Some(pair) => pair.clone(),
            None => (value("client_id"), value("client_secret")),
        };
        let Some((wanted, _)) = self.clients.get(&id) else {
            return Ok(());
        };
        let by_form = self.header_only && asked.basic.is_none();
        match *wanted == secret && !by_form {
            true => Ok(()),
            false => Err(refuse(401, "invalid_client", "Unauthorized")),
        }
    }

    fn consented(&mut self, user: &str) -> Reply {
        let refresh = self.next("refresh");
        self.refresh.insert(refresh.clone(), user.to_owned());
        self.give(user, Some(refresh))
    }

    fn give(&mut self, user: &str, refresh: Option<String>) -> Reply {
        let access = self.next("access");
        self.access.insert(access.clone(), user.to_owned());
        let mut body = json!({
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": self.lifetime,
        });
        if let Some(refresh) = refresh {
            body["refresh_token"] = Value::String(refresh);
        }
        answer(200, "application/json", &body.to_string())
    }

    fn device(&mut self) -> Reply {
        let (code, user_code) = (self.next("device"), self.next("USER"));
        self.devices.insert(code.clone(), (user_code.clone(), None));
        let body = json!({
            "device_code": code,
            "user_code": user_code,
            "verification_uri": format!("http://{}/enter", self.address),
            "expires_in": 900,
            "interval": 1,
        });
        answer(200, "application/json", &body.to_string())
    }

    /// What Dovecot asks: whose an access token is.
    fn information(&self, query: &BTreeMap<String, String>) -> Reply {
        let token = query.get("access_token").map(String::as_str);
        match token.and_then(|token| self.access.get(token)) {
            Some(user) => {
                let body = json!({"email": user, "active": true, "expires_in": self.lifetime});
                answer(200, "application/json", &body.to_string())
            }
            None => refuse(400, "invalid_token", "Invalid Value"),
        }
    }

    /// A person who allows everything at once, as the user whom the request hints at.
    fn authorize(&mut self, query: &BTreeMap<String, String>) -> Reply {
        let value = |name: &str| query.get(name).cloned().unwrap_or_default();
        let code = self.next("code");
        let grant = (value("login_hint"), value("code_challenge"));
        self.codes.insert(code.clone(), grant);
        let to = format!(
            "{}/?state={}&code={code}",
            value("redirect_uri"),
            value("state")
        );
        redirect(&to)
    }
}
