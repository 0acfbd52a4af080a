//! Salesforce's log-in for tests, in process, over HTTP on loopback.
//!
//! Knows users with a password and a security token, lock-outs, and the ways in which a log-in fails. Never leaves this machine,
//! and keeps nothing beyond its life. Who may log in is said by the test; the shapes are those of Salesforce's guides.
//!
//! ```text
//! POST /services/Soap/u/64.0 (login, logout)      POST /services/oauth2/token /services/oauth2/revoke
//! with `allow_control`: POST /reset?username=… /unlock?username=… /fault?kind=…     GET /attempts?username=…
//! ```
//!
//! It runs in threads of its own, so that blocking and async clients can use it, and other programs.
//!
//! ```
//! use sftoken::testing::salesforce::SalesforceStub;
//!
//! let salesforce = SalesforceStub::start()?;
//! let old = salesforce.add_user("integration@acme.example", "word");
//! // clients log in at salesforce.url() with "word" and the token behind it
//! let new = salesforce.reset("integration@acme.example").unwrap();
//! assert_ne!(old, new);
//! assert_eq!(salesforce.attempts("integration@acme.example"), 0);
//! # Ok::<(), std::io::Error>(())
//! ```

mod control;
mod fault;
mod http;
mod oauth;
mod soap;
mod world;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

pub use fault::Fault;
use http::{Reply, Request};
use world::World;

/// What is done with a new token; it gives the answer to whoever asked for the reset, or says what went wrong.
type OnReset = dyn Fn(&str, &str) -> Result<String, String> + Send + Sync;

/// The server; it ends when it is dropped.
pub struct SalesforceStub {
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    address: SocketAddr,
    world: Mutex<World>,
    control: Mutex<Option<Arc<OnReset>>>,
    over: Mutex<bool>,
    ends: Condvar,
}

impl SalesforceStub {
    /// Starts it on a free port of the loopback interface. It knows nobody yet.
    ///
    /// # Errors
    /// When the system gives no port, or no thread.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let shared = Arc::new(Shared {
            address: listener.local_addr()?,
            world: Mutex::new(World::default()),
            control: Mutex::new(None),
            over: Mutex::new(false),
            ends: Condvar::new(),
        });
        let served = Arc::clone(&shared);
        let accepting = thread::Builder::new().spawn(move || served.accept(&listener))?;
        Ok(Self {
            shared,
            accepting: Some(accepting),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// The URL to log in to.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.shared.address)
    }

    /// Adds a user, or gives one another password. Gives the user's new token.
    pub fn add_user(&self, username: &str, password: &str) -> String {
        self.world().add_user(username, password)
    }

    /// Gives a user this token instead of a new one. `false`: there is no such user.
    pub fn set_token(&self, username: &str, token: &str) -> bool {
        let mut world = self.world();
        let user = world.users.get_mut(username);
        user.is_some_and(|user| {
            token.clone_into(&mut user.token);
            true
        })
    }

    /// Resets a user's token: the old one is dead from now on. `None`: there is no such user.
    #[must_use]
    pub fn reset(&self, username: &str) -> Option<String> {
        self.world().reset(username)
    }

    /// The token that a user has now.
    #[must_use]
    pub fn token(&self, username: &str) -> Option<String> {
        let world = self.world();
        world.users.get(username).map(|user| user.token.clone())
    }

    /// Adds a connected app, for OAuth.
    pub fn add_client(&self, id: &str, secret: &str) {
        let mut world = self.world();
        world.clients.insert(id.to_owned(), secret.to_owned());
    }

    /// The organization that everybody is in, by an id of 18 letters and digits.
    pub fn set_organization(&self, id: &str) {
        id.clone_into(&mut self.world().organization);
    }

    /// The server that log-ins are sent on to, as `https://acme.my.salesforce.example`; by default this one.
    pub fn set_instance(&self, url: &str) {
        self.world().instance = Some(url.to_owned());
    }

    /// Whether clients come from an address that the org trusts: there, no token is asked for.
    pub fn trust(&self, trusted: bool) {
        self.world().trusted = trusted;
    }

    /// How many wrong log-ins in a row lock a user out; by default 10, as with Salesforce. `None`: never.
    pub fn lock_out_after(&self, attempts: Option<u32>) {
        self.world().lock_after = attempts;
    }

    /// Lets a user in again.
    pub fn unlock(&self, username: &str) {
        self.world().unlock(username);
    }

    /// Whether a user is locked out.
    #[must_use]
    pub fn is_locked(&self, username: &str) -> bool {
        let world = self.world();
        world.users.get(username).is_some_and(|user| user.locked)
    }

    /// Every log-in fails in this way, until [`heal`](Self::heal).
    pub fn fail(&self, fault: Fault) {
        self.world().faults.push((None, fault));
    }

    /// The next log-ins fail in this way, so many of them.
    pub fn fail_next(&self, times: usize, fault: Fault) {
        self.world().faults.push((Some(times), fault));
    }

    /// No log-in fails any more that should not.
    pub fn heal(&self) {
        self.world().faults.clear();
    }

    /// How often somebody tried to log in as this user, by whatever way and with whatever result. Counted when the request has
    /// come, whether it is answered or not.
    #[must_use]
    pub fn attempts(&self, username: &str) -> usize {
        let world = self.world();
        world.attempts.get(username).copied().unwrap_or(0)
    }

    /// How many sessions live: log-ins that were not ended by `logout()` or a revocation.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.world().sessions.len()
    }

    /// Lets other programs order resets and faults over HTTP. `on_reset` gets the username and the new token, once the old one
    /// is dead; what it gives is the answer to the request.
    pub fn allow_control(
        &self,
        on_reset: impl Fn(&str, &str) -> Result<String, String> + Send + Sync + 'static,
    ) {
        *locked(&self.shared.control) = Some(Arc::new(on_reset));
    }

    fn world(&self) -> MutexGuard<'_, World> {
        locked(&self.shared.world)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming() {
            if *locked(&self.over) {
                return;
            }
            let Ok(stream) = stream else { continue };
            let shared = Arc::clone(self);
            // without a thread, the client sees a cut
            let _ = thread::Builder::new().spawn(move || shared.exchange(stream));
        }
    }

    /// One request and one answer. A client that has gone away is no concern of the server.
    fn exchange(&self, mut stream: TcpStream) {
        let Some(request) = http::read(&mut stream) else {
            return;
        };
        let (pause, reply) = self.reply(&request);
        if !pause.is_zero() {
            self.await_end(pause);
        }
        http::answer(&mut stream, &reply);
    }

    fn reply(&self, request: &Request) -> (Duration, Reply) {
        let by_post = request.method == "POST";
        match request.path.as_str() {
            path if by_post && path.starts_with("/services/Soap/u/") => {
                soap::reply(request, &mut locked(&self.world), self.address)
            }
            "/services/oauth2/token" if by_post => {
                oauth::token(request, &mut locked(&self.world), self.address)
            }
            "/services/oauth2/revoke" if by_post => {
                let reply = oauth::revoke(request, &mut locked(&self.world));
                (Duration::ZERO, reply)
            }
            _ => {
                let control = locked(&self.control).clone();
                let reply =
                    control.map(|on_reset| control::reply(request, &self.world, &*on_reset));
                let nothing = || Reply::page(404, "text/html", "<html>not here</html>");
                (Duration::ZERO, reply.unwrap_or_else(nothing))
            }
        }
    }

    /// For so long, or until the server ends.
    fn await_end(&self, pause: Duration) {
        let until = Instant::now() + pause;
        let mut over = locked(&self.over);
        while !*over {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let woken = self.ends.wait_timeout(over, left);
            over = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for SalesforceStub {
    fn drop(&mut self) {
        *locked(&self.shared.over) = true;
        self.shared.ends.notify_all();
        // wakes the thread that accepts
        let woken = TcpStream::connect(self.shared.address).is_ok();
        if let Some(accepting) = self.accepting.take().filter(|_| woken) {
            let _ = accepting.join();
        }
    }
}

impl fmt::Debug for SalesforceStub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SalesforceStub({})", self.shared.address)
    }
}
