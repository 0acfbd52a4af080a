//! An IMAP server in memory: mailboxes, several connections, IDLE, NOTIFY, and misfortunes.
//!
//! Knows IMAP4rev1 (RFC 3501), and with a quirk IMAP4rev2, as far as a mail watcher speaks it, over any stream. Never reads a clock
//! or rolls dice of its own: its time is tokio's, which may be paused, and its chance has a seed. Its
//! mails come from the test.
//!
//! ```text
//! test ─► Server (deliver, renumber, befall, cut_all) ─► World (users, folders, mails, faults)
//!                                                          ▲ │ news
//! client ─► Connection (lines, cuts, silences) ─► Talk (commands) ─► View (numbers, what was told)
//! ```
//!
//! ```
//! use jiff::Timestamp;
//! use sftoken::testing::server::{Fault, On, Server};
//! use tokio::io::AsyncReadExt;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let server = Server::new();
//! server.add_user("ann", "her password"); // with INBOX and Junk
//! let uid = server.deliver("ann", "INBOX", b"Subject: hello\r\n\r\n", Timestamp::UNIX_EPOCH);
//! assert_eq!(uid, 1);
//! // the first search is answered by half of its answer
//! server.befall(On::Command("SEARCH"), Fault::Cut);
//!
//! // a pipe, for `Session::connect_over`; `listen` gives a port
//! let mut stream = server.connect()?;
//! let mut greeting = [0; 4];
//! stream.read_exact(&mut greeting).await?;
//! assert_eq!(&greeting, b"* OK");
//! assert_eq!(server.counts().writes, 0, "nobody has changed anything");
//! # std::io::Result::Ok(())
//! # })?;
//! # std::io::Result::Ok(())
//! ```
//!
//! # What it can do
//!
//! CAPABILITY, ID, ENABLE, LOGIN, AUTHENTICATE PLAIN, LOGOUT, NOOP, LIST, STATUS, SELECT, EXAMINE,
//! UNSELECT, CLOSE, CREATE, APPEND, IDLE, NOTIFY; SEARCH, FETCH, STORE, COPY, MOVE and EXPUNGE, with and
//! without UID. What its [`Quirks`] leave out is answered BAD, or not told. Folders that are opened by
//! EXAMINE are not changed, and [`Counts::writes`] tells who tried.
//!
//! It has no TLS, no hierarchy of folders, no ENVELOPE and no BODYSTRUCTURE. Folder names are as they go
//! over the wire: in modified UTF-7, or in UTF-8 with [`Quirks::rev2`].

mod change;
mod command;
mod connection;
mod dice;
#[cfg(feature = "imap")]
mod door;
mod faults;
mod folders;
mod listener;
mod mails;
mod notify;
mod out;
mod pipe;
mod quirks;
mod search;
mod shared;
mod talk;
mod view;
mod words;
mod world;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::time::Instant;

pub use dice::Dice;
#[cfg(feature = "imap")]
pub use door::Door;
pub use faults::{Fault, Illness, Odds, On};
pub use listener::Listener;
pub use quirks::Quirks;
pub use shared::Counts;
use shared::Shared;
use world::{Folder, World};

/// How much a pipe holds: less than a mail, so that literals are cut into several reads.
const PIPE: usize = 1024;

/// The server. Clones are the same server.
#[derive(Clone)]
pub struct Server(Arc<Shared>);

impl Server {
    /// A server that has everything, without users.
    #[must_use]
    pub fn new() -> Self {
        Self(Shared::new())
    }

    /// A server with these habits.
    #[must_use]
    pub fn with(quirks: Quirks) -> Self {
        let server = Self::new();
        server.set_quirks(quirks);
        server
    }

    /// Changes its habits. Clients are not told.
    pub fn set_quirks(&self, quirks: Quirks) {
        self.0.world().quirks = quirks;
    }

    /// Adds a user with an INBOX and a Junk folder (`\Junk`), or gives one another password.
    pub fn add_user(&self, user: &str, password: &str) {
        let mut world = self.0.world();
        world.folder_mut(user, "INBOX");
        world.folder_mut(user, "Junk").special_use = Some("\\Junk".to_owned());
        let known = world.users.entry(user.to_owned()).or_default();
        known.password = Some(password.to_owned());
    }

    /// Adds a folder.
    pub fn add_folder(&self, user: &str, name: &str, special_use: Option<&str>) {
        self.0.world().folder_mut(user, name).special_use = special_use.map(str::to_owned);
    }

    /// Delivers a mail; gives its UID. A folder that is missing is made, so is a user, but nobody can log
    /// in as such a user.
    pub fn deliver(
        &self,
        user: &str,
        folder: &str,
        bytes: impl AsRef<[u8]>,
        date: Timestamp,
    ) -> u32 {
        let bytes = Arc::from(bytes.as_ref());
        self.change(user, folder, |folder| {
            folder.add(bytes, date, std::iter::empty().collect())
        })
    }

    /// Removes mails, as another client does; gives how many there were.
    pub fn expunge(&self, user: &str, folder: &str, uids: &[u32]) -> usize {
        self.change(user, folder, |folder| folder.remove_all(uids))
    }

    /// Sets a mail's flags, as another client does.
    pub fn set_flags(&self, user: &str, folder: &str, uid: u32, flags: &[&str]) {
        let flags = flags.iter().map(|flag| change::canonical_flag(flag));
        self.change(user, folder, |folder| folder.flag(uid, flags.collect()));
    }

    /// Gives the folder a new UIDVALIDITY, and its mails new UIDs from 1 on; gives the UIDVALIDITY. Who
    /// has the folder open is sent away.
    pub fn renumber(&self, user: &str, folder: &str) -> u32 {
        self.change(user, folder, |folder| {
            folder.renumber();
            folder.uid_validity
        })
    }

    /// Puts an older state of the folder back, as from a backup: mails from this UID on are gone, UIDNEXT
    /// is this UID again, HIGHESTMODSEQ goes back, UIDVALIDITY stays. Who has the folder open is sent away.
    pub fn restore(&self, user: &str, folder: &str, uid_next: u32) {
        self.change(user, folder, |folder| folder.restore(uid_next));
    }

    /// Makes a mail ill, or well again.
    pub fn afflict(&self, user: &str, folder: &str, uid: u32, illness: Option<Illness>) {
        let mut world = self.0.world();
        if let Some(mail) = world.folder_mut(user, folder).mail_mut(uid) {
            mail.illness = illness;
        }
    }

    /// The UIDs in a folder.
    #[must_use]
    pub fn uids(&self, user: &str, folder: &str) -> Vec<u32> {
        let world = self.0.world();
        let folder = world.folder(user, folder);
        folder.map_or_else(Vec::new, |folder| {
            folder.mails.iter().map(|mail| mail.uid).collect()
        })
    }

    /// A mail's bytes.
    #[must_use]
    pub fn bytes(&self, user: &str, folder: &str, uid: u32) -> Option<Arc<[u8]>> {
        let world = self.0.world();
        let mail = world.folder(user, folder)?.mail(uid)?;
        Some(Arc::clone(&mail.bytes))
    }

    /// The next UID of a folder.
    #[must_use]
    pub fn uid_next(&self, user: &str, folder: &str) -> u32 {
        let world = self.0.world();
        world
            .folder(user, folder)
            .map_or(1, |folder| folder.uid_next)
    }

    /// A mail's flags, in order; none when there is no such mail.
    #[must_use]
    pub fn flags(&self, user: &str, folder: &str, uid: u32) -> Vec<String> {
        let world = self.0.world();
        let mail = world
            .folder(user, folder)
            .and_then(|folder| folder.mail(uid));
        mail.map_or_else(Vec::new, |mail| mail.flags.iter().cloned().collect())
    }

    /// Orders a misfortune, for once. Several for the same thing happen one after the other.
    pub fn befall(&self, on: On, fault: Fault) {
        self.0.world().faults.order(on, fault);
    }

    /// From now on dice choose misfortunes; with [`Odds::default`], none. Ordered ones come first.
    pub fn roll(&self, dice: Dice, odds: Odds) {
        self.0.world().faults.roll(dice, odds);
    }

    /// No connection is accepted for so long. Those that are there stay.
    pub fn down_for(&self, time: Duration) {
        self.0.world().down_until = Some(Instant::now() + time);
    }

    /// Cuts all connections.
    pub fn cut_all(&self) {
        self.0.tell(|news| news.cuts += 1);
    }

    /// Nothing more is heard on any connection that is there: a router forgot them.
    pub fn silence_all(&self) {
        self.0.tell(|news| news.silences += 1);
    }

    /// Says BYE on all connections.
    pub fn dismiss_all(&self, text: &str) {
        self.0.tell(|news| {
            news.farewells += 1;
            news.farewell = text.into();
        });
    }

    /// Gives up every NOTIFY, and says so (RFC 5465, 5.8).
    pub fn overflow_all(&self) {
        self.0.tell(|news| news.overflows += 1);
    }

    /// What happened so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.0.world().counts.clone()
    }

    /// The last commands, oldest first, for the message of a test that fails. No credentials, no mails.
    #[must_use]
    pub fn recent(&self) -> Vec<String> {
        self.0.world().recent.iter().cloned().collect()
    }

    /// Opens a connection: the client's end of a pipe. Needs a tokio runtime.
    ///
    /// # Errors
    /// `ConnectionRefused` while the server is down, or when the dice say so.
    pub fn connect(&self) -> io::Result<DuplexStream> {
        if !self.accepts() {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let (client, server) = tokio::io::duplex(PIPE);
        tokio::spawn(self.clone().serve(server));
        Ok(client)
    }

    /// Serves one client over any stream, until either goes.
    pub async fn serve<S: AsyncRead + AsyncWrite + Unpin>(self, stream: S) {
        connection::serve(self.0, stream).await;
    }

    /// Listens on a free port of the loopback interface, without TLS. While the server is down, connections
    /// are accepted and cut at once.
    ///
    /// # Errors
    /// When the system gives no port.
    pub async fn listen(&self) -> io::Result<Listener> {
        Listener::open(self.clone()).await
    }

    fn accepts(&self) -> bool {
        let mut world = self.0.world();
        let down = world.down_until.is_some_and(|until| Instant::now() < until);
        let accepts = !down && !world.faults.refuses_connection();
        world.counts.refused_connections += u64::from(!accepts);
        accepts
    }

    /// Changes a folder, and tells the connections.
    fn change<T>(&self, user: &str, folder: &str, change: impl FnOnce(&mut Folder) -> T) -> T {
        let changed = {
            let mut world: std::sync::MutexGuard<'_, World> = self.0.world();
            change(world.folder_mut(user, folder))
        };
        self.0.changed();
        changed
    }
}

impl Default for Server {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Server {
    /// Without mails and passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let world = self.0.world();
        f.debug_struct("Server")
            .field("users", &world.users.keys())
            .field("counts", &world.counts)
            .finish_non_exhaustive()
    }
}
