//! A store of your own: a file per token, for consumers that read files.
//!
//! ```sh
//! custom_store HOST PORT CA.pem OUT ACCOUNTS KEYS
//! ```
//!
//! OUT is a folder that only you may read, best on a tmpfs: `/run/user/1000/tokens`. ACCOUNTS has one
//! mailbox a line, `USER<tab>PASSWORD`. KEYS has DKIM records to use instead of the DNS; `-` asks the
//! DNS. Each genuine token goes to `OUT/USERNAME` (0600), by a rename, so that nobody ever reads half
//! a token. The ledger lies in OUT too: should the tmpfs be emptied, recent mail is looked through
//! again and the files come back. Prints nothing while it works.

use std::error::Error;
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::SignedDuration;
use sftoken::dns::Resolver;
use sftoken::inbox::{Endpoint, Security, Server, TlsSetup};
use sftoken::ingest::secret::Secret;
use sftoken::ledger::Ledger;
use sftoken::store::{Capabilities, Key, Meta, Put, Store, StoreError, StoreErrorKind};
use sftoken::watch::{MailboxTask, Pipeline, Shutdown, Stores, watch};
use sftoken::{Account, KeyAnswers, Policy, Token};

/// A folder with a file per token.
#[derive(Debug)]
struct Files(PathBuf);

impl Files {
    /// A username may hold any letter; a file's name must not lead elsewhere.
    fn path(&self, key: &Key) -> PathBuf {
        let name = key.username.replace('%', "%25").replace('/', "%2F");
        self.0.join(match name.strip_prefix('.') {
            Some(rest) => format!("%2E{rest}"),
            None => name,
        })
    }

    fn error(&self, error: &std::io::Error) -> StoreError {
        StoreError::new(
            &format!("files:{}", self.0.display()),
            StoreErrorKind::Unreachable,
            error.to_string(),
            "check that the folder is there, and is yours",
        )
    }

    fn write(&self, key: &Key, token: &Token) -> std::io::Result<()> {
        let path = self.path(key);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // The ledger's lock on the slot keeps other writers of this file away.
        let fresh = self.0.join(format!(".{name}.new"));
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        options.open(&fresh)?.write_all(token.expose().as_bytes())?;
        fs::rename(fresh, path)
    }
}

impl Store for Files {
    fn slot(&self, key: &Key) -> String {
        format!("files:{}", self.path(key).display())
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            conditional: false,
            readable: true,
        }
    }

    fn check(&self) -> Result<(), StoreError> {
        let folder = fs::read_dir(&self.0).map(drop);
        folder.map_err(|error| self.error(&error))
    }

    fn publish(&self, key: &Key, token: &Token, _: &Meta) -> Result<Put, StoreError> {
        self.write(key, token).map_err(|error| self.error(&error))?;
        match self.get(key)? {
            Some(read) if read == *token => Ok(Put::Written),
            _ => Err(self.error(&std::io::ErrorKind::InvalidData.into())),
        }
    }

    fn get(&self, key: &Key) -> Result<Option<Token>, StoreError> {
        match fs::read_to_string(self.path(key)) {
            Ok(text) => Ok(Token::new(text.trim_end()).ok()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.error(&error)),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [host, port, ca, out, accounts, keys] = &words[..] else {
        return Err("usage: custom_store HOST PORT CA.pem OUT ACCOUNTS KEYS".into());
    };
    let accounts = fs::read_to_string(accounts)?;
    let pipeline = pipeline(Path::new(out), keys, &accounts)?;
    let tls = TlsSetup::with_file(ca);
    let mailbox = |line: &str| -> Result<MailboxTask, Box<dyn Error>> {
        let (user, password) = line.split_once('\t').ok_or("USER<tab>PASSWORD is wanted")?;
        let server = Server {
            endpoint: Endpoint {
                host: host.clone(),
                port: port.parse()?,
                security: Security::ImplicitTls,
                user: user.to_owned(),
                tls: tls.clone(),
                proxy: None,
            },
            credential: Secret::new(password.to_owned()).into(),
        };
        Ok(MailboxTask::new(user, Arc::new(server)))
    };
    let mailboxes: Result<Vec<MailboxTask>, _> = accounts.lines().map(mailbox).collect();

    // Verdicts are for whoever wants to tell people; here nobody listens.
    let (verdicts, _) = tokio::sync::mpsc::unbounded_channel();
    let (_switch, shutdown) = Shutdown::new();
    tokio::select! {
        ended = watch(mailboxes?, &pipeline, &verdicts, &shutdown) => match ended {
            Ok(()) => Ok(()),
            Err(given_up) => Err(given_up[0].to_string().into()),
        },
        stopped = tokio::signal::ctrl_c() => Ok(stopped?),
    }
}

fn pipeline(out: &Path, keys: &str, accounts: &str) -> Result<Pipeline, Box<dyn Error>> {
    let resolver = match keys {
        "-" => Resolver::system(),
        file => Resolver::from_files(KeyAnswers::from_key_file(&fs::read_to_string(file)?)?),
    };
    let store = Arc::new(Files(out.to_owned()));
    store.check()?;
    // Each mailbox belongs to the Salesforce user of the same name.
    let policy = Policy {
        accounts: accounts.lines().map(account).collect(),
        max_age: Some(SignedDuration::from_hours(7 * 24)),
        ..Policy::default()
    };
    let ledger = Ledger::open(out.join(".ledger/ledger.db"))?;
    Ok(Pipeline::new(
        Arc::new(policy),
        Arc::new(resolver),
        Arc::new(Stores::all_in(store)),
        Arc::new(ledger),
    ))
}

fn account(line: &str) -> Account {
    Account {
        username: line.split('\t').next().unwrap_or_default().to_owned(),
        org: None,
    }
}
