//! A network between sftoken and a server, which can misbehave on command.
//!
//! Knows connections and bytes. Never looks into them: they are TLS. Lives on loopback, in threads of its
//! own, and is gone with the test.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

/// What the network does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It works.
    Pass,
    /// Every connection is reset.
    Refuse,
    /// Connections are made, and so many bytes of the server pass on each; then nothing, for ever.
    Stall(usize),
}

/// The network.
pub(crate) struct Network {
    port: u16,
    inside: Arc<Inside>,
}

struct Inside {
    target: u16,
    accepted: AtomicUsize,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    mode: Mode,
    /// Connections with a lower number are forgotten: nothing passes on them any more.
    forgotten: usize,
    links: Vec<TcpStream>,
}

impl Network {
    /// A network that works, in front of a server on loopback.
    pub(crate) fn before(target: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let inside = Arc::new(Inside {
            target,
            accepted: AtomicUsize::new(0),
            state: Mutex::new(State {
                mode: Mode::Pass,
                forgotten: 0,
                links: Vec::new(),
            }),
            changed: Condvar::new(),
        });
        let shared = Arc::clone(&inside);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let number = shared.accepted.fetch_add(1, Ordering::SeqCst);
                let shared = Arc::clone(&shared);
                thread::spawn(move || shared.link(client, number));
            }
        });
        Self { port, inside }
    }

    /// Where clients connect to.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// How many connections were made so far.
    pub(crate) fn accepted(&self) -> usize {
        self.inside.accepted.load(Ordering::SeqCst)
    }

    /// Changes what it does, also to connections that are open.
    pub(crate) fn set(&self, mode: Mode) {
        let mut state = self.inside.state();
        state.mode = mode;
        if mode == Mode::Refuse {
            state.cut();
        }
        drop(state);
        self.inside.changed.notify_all();
    }

    /// Forgets the open connections, as a NAT box does: they stay open and silent for ever; new ones
    /// work.
    pub(crate) fn forget(&self) {
        self.inside.state().forgotten = self.accepted();
    }

    /// Cuts the open connections; new ones work.
    pub(crate) fn cut(&self) {
        self.inside.state().cut();
    }
}

impl State {
    fn cut(&mut self) {
        for link in self.links.drain(..) {
            let _ = link.shutdown(Shutdown::Both);
        }
    }
}

impl Inside {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn link(self: Arc<Self>, client: TcpStream, number: usize) {
        if self.state().mode == Mode::Refuse {
            return;
        }
        let Ok(server) = TcpStream::connect(("127.0.0.1", self.target)) else {
            return;
        };
        let copy = |stream: &TcpStream| stream.try_clone().unwrap();
        for stream in [&client, &server] {
            stream.set_nodelay(true).unwrap();
            self.state().links.push(copy(stream));
        }
        let (up, shared) = ((copy(&client), copy(&server)), Arc::clone(&self));
        thread::spawn(move || shared.pump(up, number, false));
        self.pump((server, client), number, true);
    }

    /// Bytes one way, until either end closes.
    fn pump(&self, (mut from, mut to): (TcpStream, TcpStream), number: usize, down: bool) {
        let (mut buffer, mut passed) = ([0; 16 * 1024], 0);
        while let Ok(count) = from.read(&mut buffer) {
            if count == 0 {
                break;
            }
            passed += count;
            self.hold(number, down, passed);
            if to.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    }

    /// Waits as long as nothing may pass.
    fn hold(&self, number: usize, down: bool, passed: usize) {
        let held = |state: &mut State| {
            number < state.forgotten
                || matches!(state.mode, Mode::Stall(most) if down && passed > most)
        };
        let state = self.changed.wait_while(self.state(), held);
        drop(state.unwrap_or_else(PoisonError::into_inner));
    }
}
