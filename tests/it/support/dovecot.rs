//! A throw-away Dovecot: own folder, own ports on loopback, own certificate authority.
//!
//! Knows how to start, stop, cut and freeze a real server, and how a mail is delivered to it. Never uses
//! anything of the machine's own Dovecot but its programs. Needs `dovecot` (with LMTP) and `openssl`:
//! without them it panics, because a test that is skipped in silence proves nothing.
//!
//! Any user name logs in with [`PASSWORD`]. As root, Dovecot separates its processes by user as usual;
//! as anyone else, it runs everything as that user.

mod lmtp;
mod log_in;
mod setup;

pub(crate) use log_in::LogIn;
pub(crate) use setup::certificates;

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sftoken::inbox::{Endpoint, Security, TlsSetup};
use tempfile::TempDir;

/// Everyone's password.
pub(crate) const PASSWORD: &str = "dovecot-pass-1";

/// Owner of the mail when Dovecot runs as root.
const MAIL_UID: u32 = 5000;

/// Ports are found by binding and letting go: one at a time, or two tests find the same.
pub(super) static PORTS: Mutex<()> = Mutex::new(());

/// Names of mail files differ.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// The server. Dropping it kills it and removes its folder.
pub(crate) struct Dovecot {
    folder: TempDir,
    master: Option<Child>,
    imap: u16,
    imaps: u16,
    lmtp: u16,
}

impl Dovecot {
    /// Starts a server with empty mailboxes.
    pub(crate) fn start() -> Self {
        Self::start_with(|_| String::new())
    }

    /// The same, and only who shows a certificate of the server's authority may log in.
    pub(crate) fn start_for_certificates() -> Self {
        Self::start_with(setup::client_certificates)
    }

    /// The same, with other ways to log in.
    pub(crate) fn start_for(log_in: &LogIn) -> Self {
        Self::start_with(|server| log_in.config(server))
    }

    fn start_with(more: impl Fn(&Self) -> String) -> Self {
        for program in ["dovecot", "openssl"] {
            assert!(
                found(program),
                "these tests need `{program}`: apt-get install dovecot-imapd dovecot-lmtpd openssl"
            );
        }
        let folder = tempfile::Builder::new()
            .prefix("sftoken-dovecot-")
            .tempdir()
            .unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["run", "state", "mail", "tls"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        if is_root() {
            chown(folder.path().join("mail"), Some(MAIL_UID), Some(MAIL_UID)).unwrap();
        }
        setup::certificates(&folder.path().join("tls"));
        let mut server = Self {
            folder,
            master: None,
            imap: 0,
            imaps: 0,
            lmtp: 0,
        };
        let _one_at_a_time = PORTS
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        [server.imap, server.imaps, server.lmtp] = free_ports();
        let config = setup::config(&server) + &more(&server);
        fs::write(server.path("dovecot.conf"), config).unwrap();
        server.start_again();
        server
    }

    /// Starts a stopped server: same ports, same mail.
    pub(crate) fn start_again(&mut self) {
        assert!(self.master.is_none(), "it runs already");
        let log = fs::File::create(self.path("console.log")).unwrap();
        let master = Command::new(program("dovecot"))
            .arg("-F")
            .arg("-c")
            .arg(self.path("dovecot.conf"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.master = Some(master);
        self.await_ports();
    }

    /// Stops the server in its own way: sessions get a BYE.
    pub(crate) fn stop(&mut self) {
        self.end("TERM");
    }

    /// Kills the server: sessions are cut without a word.
    pub(crate) fn kill(&mut self) {
        self.end("KILL");
    }

    /// Freezes every process of the server: the network is there, and nobody answers.
    pub(crate) fn freeze(&self) {
        signal("STOP", &self.processes());
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) {
        signal("CONT", &self.processes());
    }

    /// The user's mailbox over TLS from the first byte, with the right certificate authority.
    pub(crate) fn endpoint(&self, user: &str) -> Endpoint {
        Endpoint {
            host: "localhost".to_owned(),
            port: self.imaps,
            security: Security::ImplicitTls,
            user: user.to_owned(),
            tls: TlsSetup::with_file(self.ca_file()),
            proxy: None,
        }
    }

    /// The same over STARTTLS.
    pub(crate) fn starttls(&self, user: &str) -> Endpoint {
        Endpoint {
            port: self.imap,
            security: Security::StartTls,
            ..self.endpoint(user)
        }
    }

    /// The same server by an address that its certificate does not bear.
    pub(crate) fn misnamed(&self, user: &str) -> Endpoint {
        Endpoint {
            host: "127.0.0.2".to_owned(),
            ..self.endpoint(user)
        }
    }

    /// The certificate authority that signed the server's certificate (for `localhost`, 127.0.0.1 and ::1).
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.tls_file("ca.crt")
    }

    /// One of the authority's files: its own, the server's (`server.crt`, `server.key`), and those of a
    /// client (`client.crt`, `client.key`).
    pub(crate) fn tls_file(&self, name: &str) -> PathBuf {
        self.path("tls").join(name)
    }

    /// Delivers a mail (CRLF or LF) by LMTP into the user's INBOX, or as `USER+FOLDER` into another folder;
    /// it is there, and told to whoever waits, when this returns.
    pub(crate) fn deliver(&self, user: &str, mail: &[u8]) {
        lmtp::deliver(self.lmtp, user, mail);
    }

    /// Puts a mail, byte for byte, into a folder of the user (`""`: INBOX) and names it to nobody: for
    /// mails that LMTP would change, and for other folders.
    pub(crate) fn put(&self, user: &str, folder: &str, mail: &[u8]) {
        self.put_all(user, folder, [mail]);
    }

    /// The same with many mails.
    pub(crate) fn put_all<M: AsRef<[u8]>>(
        &self,
        user: &str,
        folder: &str,
        mails: impl IntoIterator<Item = M>,
    ) {
        let maildir = self.path("mail").join(user).join(if folder.is_empty() {
            String::new()
        } else {
            format!(".{folder}")
        });
        for name in ["cur", "new", "tmp"] {
            fs::create_dir_all(maildir.join(name)).unwrap();
        }
        for mail in mails {
            // the server moves files away, and never gives a name twice
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let name = format!("{}.M{number}P{}.test", unix_seconds(), std::process::id());
            fs::write(maildir.join("tmp").join(&name), mail).unwrap();
            fs::rename(
                maildir.join("tmp").join(&name),
                maildir.join("new").join(&name),
            )
            .unwrap();
        }
        if is_root() {
            own(&self.path("mail").join(user));
        }
    }

    /// Removes every mail of the user's INBOX, as another client would.
    pub(crate) fn remove_mails(&self, user: &str) {
        let maildir = self.path("mail").join(user);
        for name in ["cur", "new"] {
            for entry in fs::read_dir(maildir.join(name)).unwrap() {
                fs::remove_file(entry.unwrap().path()).unwrap();
            }
        }
    }

    /// Forgets the UIDs of the user's INBOX, so that UIDVALIDITY changes. Stop the server first.
    pub(crate) fn forget_uids(&self, user: &str) {
        let maildir = self.path("mail").join(user);
        for entry in fs::read_dir(maildir).unwrap().map(Result::unwrap) {
            if entry.file_name().to_string_lossy().starts_with("dovecot") {
                fs::remove_file(entry.path()).unwrap();
            }
        }
    }

    /// The flags of each mail in the user's INBOX, as they stand in the files' names (`S`: seen).
    pub(crate) fn flags(&self, user: &str) -> Vec<String> {
        let maildir = self.path("mail").join(user);
        let files = ["cur", "new"]
            .into_iter()
            .filter_map(|name| fs::read_dir(maildir.join(name)).ok())
            .flatten();
        let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        files
            .map(|entry| {
                name(entry.unwrap())
                    .split_once(":2,")
                    .map_or_else(String::new, |(_, f)| f.to_owned())
            })
            .collect()
    }

    /// How many mails a folder of the user's holds; levels are separated by slashes.
    pub(crate) fn mails_in(&self, user: &str, folder: &str) -> usize {
        let maildir = self.path("mail").join(user);
        let maildir = maildir.join(format!(".{}", folder.replace('/', ".")));
        let files =
            ["cur", "new"].map(|name| fs::read_dir(maildir.join(name)).map_or(0, Iterator::count));
        files.iter().sum()
    }

    /// What it wrote about log-ins.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("dovecot.log")).unwrap_or_default()
    }

    /// The server's log, once it holds these words.
    pub(crate) fn await_log(&self, words: &str) -> String {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let log = fs::read_to_string(self.path("dovecot.log")).unwrap_or_default();
            if log.contains(words) {
                return log;
            }
            assert!(Instant::now() < end, "never said {words:?}:\n{log}");
            // the log is written by another process
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn await_ports(&mut self) {
        let end = Instant::now() + Duration::from_secs(20);
        let ports = [self.imap, self.imaps, self.lmtp];
        while !ports
            .iter()
            .all(|&port| TcpStream::connect(("127.0.0.1", port)).is_ok())
        {
            let ended = self
                .master
                .as_mut()
                .and_then(|master| master.try_wait().unwrap());
            let log = || {
                ["console.log", "dovecot.log"]
                    .map(|name| fs::read_to_string(self.path(name)).unwrap_or_default())
            };
            assert!(
                ended.is_none() && Instant::now() < end,
                "Dovecot does not start: {:?}",
                log()
            );
            // nothing tells when Dovecot listens
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn end(&mut self, how: &str) {
        let Some(mut master) = self.master.take() else {
            return;
        };
        let workers = descendants(master.id());
        if how == "KILL" {
            signal("KILL", &workers);
        }
        signal(how, &[master.id()]);
        let _ = master.wait();
        // sessions may outlive the master
        signal(
            "KILL",
            &workers
                .into_iter()
                .filter(|&pid| is_dovecot(pid))
                .collect::<Vec<_>>(),
        );
    }

    fn processes(&self) -> Vec<u32> {
        let master = self.master.as_ref().expect("it runs").id();
        let mut all = descendants(master);
        all.push(master);
        all
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        if self.master.is_some() {
            self.thaw();
            self.end("KILL");
        }
    }
}

pub(super) fn free_ports<const N: usize>() -> [u16; N] {
    let listeners: [TcpListener; N] =
        std::array::from_fn(|_| TcpListener::bind(("127.0.0.1", 0)).unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

fn program(name: &str) -> PathBuf {
    let sbin = Path::new("/usr/sbin").join(name);
    if sbin.exists() {
        sbin
    } else {
        PathBuf::from(name)
    }
}

fn found(name: &str) -> bool {
    // both answer to these, and change nothing
    let word = if name == "openssl" {
        "version"
    } else {
        "--version"
    };
    Command::new(program(name)).arg(word).output().is_ok()
}

fn id(what: &str) -> String {
    let output = Command::new("id").arg(what).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn is_root() -> bool {
    id("-u") == "0"
}

fn own(path: &Path) {
    chown(path, Some(MAIL_UID), Some(MAIL_UID)).unwrap();
    if path.is_dir() {
        fs::read_dir(path)
            .unwrap()
            .for_each(|entry| own(&entry.unwrap().path()));
    }
}

fn unix_seconds() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

fn signal(name: &str, pids: &[u32]) {
    for pid in pids {
        let _ = Command::new("kill")
            .args(["-s", name, &pid.to_string()])
            .stderr(Stdio::null())
            .status();
    }
}

/// Children and their children: Dovecot's processes are its own children, not of the session.
fn descendants(pid: u32) -> Vec<u32> {
    let children =
        fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let mut all: Vec<u32> = children
        .split_whitespace()
        .filter_map(|child| child.parse().ok())
        .collect();
    for child in all.clone() {
        all.extend(descendants(child));
    }
    all
}

/// A process id may have been given to someone else.
fn is_dovecot(pid: u32) -> bool {
    fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.starts_with(b"dovecot/"))
}
