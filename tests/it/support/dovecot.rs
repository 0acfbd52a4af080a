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
mod mailboxes;
mod setup;
mod system;

pub(crate) use log_in::LogIn;
pub(crate) use setup::certificates;
pub(crate) use system::free_ports;

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use system::{descendants, found, is_dovecot, is_root, program, signal};

use sftoken::inbox::{Endpoint, Security, TlsSetup};
use tempfile::TempDir;

/// Everyone's password.
pub(crate) const PASSWORD: &str = "dovecot-pass-1";

/// Owner of the mail when Dovecot runs as root.
const MAIL_UID: u32 = 5000;

/// Ports are found by binding and letting go: one at a time, or two tests find the same.
pub(super) static PORTS: Mutex<()> = Mutex::new(());

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

    /// The same, with a namespace `Full` for so many mails.
    pub(crate) fn start_with_quota(mails: u32) -> Self {
        Self::start_with(|server| setup::quota(server, mails))
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
