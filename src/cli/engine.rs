//! From a configuration to the library's values: stores, folders, the pipeline.
//!
//! Knows which configured word becomes which argument, and asks for a password on a terminal.
//! Never decides: it only builds. Everything comes from the configuration and the options.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::exit::{Exit, Failure};
use super::follow::Followers;
use super::keys;
use super::oauth::Providers;
use super::transport::Transports;
use super::verifier::Accounts;
use crate::config::{self, Config, DEFAULT_STORE_URL, Mailbox, Watching};
use crate::inbox::{Credential, Limits, Server};
use crate::ingest::policy::{Account, Org, Policy};
use crate::ingest::secret::Secret;
use crate::ledger::Ledger;
use crate::secret::{
    SaveError, SecretError, SecretLock, SecretRef, Sources, check_file, lock, resolve, save,
};
use crate::store::{self, Key, NoSecret, Secrets, Store, StoreError, StoreOptions};
use crate::watch::{
    Clock, Errands, FolderChoice, Handled, Limit, MailboxTask, Pipeline, Start, Stores, Trouble,
};

/// The pipeline of a configuration.
pub(crate) fn pipeline(config: &Config, policy: Policy, clock: Clock) -> Result<Pipeline, Failure> {
    let resolver = Arc::new(keys::resolver(&config.dns)?);
    let stores = Arc::new(stores(config, &policy)?);
    let ledger = Arc::new(ledger(config)?);
    let limits = config.accounts.iter().map(|account| Limit {
        key: key_of(account),
        max_age: account.max_age,
    });
    Ok(Pipeline {
        clock,
        limits: limits.collect(),
        verifier: Arc::new(Accounts::of(config)),
        errands: Errands::by(Arc::new(Followers::of(config))),
        keep: config.trail.keep,
        ..Pipeline::new(Arc::new(policy), resolver, stores, ledger)
    })
}

/// The system's clock.
pub(crate) fn real_clock() -> Clock {
    Arc::new(Timestamp::now)
}

/// How long a store's write may go on after the end: a keyring takes milliseconds. One that is cut
/// off is repeated by the next run.
const DRAIN: Duration = Duration::from_secs(5);

/// Runs to its end what a command waits for.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = runtime()?;
    let done = runtime.block_on(work);
    // NOTE: dropping it would wait for as long as a store hangs, whatever the signal.
    runtime.shutdown_timeout(DRAIN);
    done
}

/// An async runtime on this thread: one sleeping connection costs no thread.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let built = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    built.map_err(|error| {
        Failure::new(
            Exit::Failed,
            format!("cannot begin to wait: {error}"),
            "check the limits on open files and threads",
        )
    })
}

/// The ledger in the state folder.
pub(crate) fn ledger(config: &Config) -> Result<Ledger, Failure> {
    Ok(Ledger::open(ledger_path(config)?)?)
}

/// Where the ledger is, or will be.
pub(crate) fn ledger_path(config: &Config) -> Result<PathBuf, Failure> {
    let folder = config
        .state_dir
        .clone()
        .or_else(crate::config::default_state_dir);
    let folder = folder.ok_or_else(|| {
        let hint = "set HOME, or state_dir in the configuration";
        Failure::new(Exit::Usage, "there is no place for the ledger", hint)
    })?;
    Ok(folder.join("ledger.db"))
}

/// Accounts that the user named: as configured, or with any org.
pub(crate) fn named_accounts(config: &Config, names: &[String]) -> Vec<Account> {
    let of = |name: &String| {
        let configured = config.policy.accounts.iter();
        let same: Vec<Account> = configured
            .filter(|account| account.username == *name)
            .cloned()
            .collect();
        let any = Account {
            username: name.clone(),
            org: None,
        };
        if same.is_empty() { vec![any] } else { same }
    };
    names.iter().flat_map(of).collect()
}

/// Whether somebody sits in front of the screen.
fn options() -> StoreOptions {
    StoreOptions {
        interactive: io::stdin().is_terminal() && io::stderr().is_terminal(),
        deadline: None,
        private: Vec::new(),
        secrets: Some(Arc::new(ByReference)),
    }
}

/// A store's own secrets, by reference as everywhere.
#[derive(Debug)]
struct ByReference;

impl Secrets for ByReference {
    fn read(&self, reference: &str) -> Result<Secret, NoSecret> {
        let parsed = SecretRef::parse(reference, Path::new("")).map_err(|error| NoSecret {
            problem: error.to_string(),
            hint: error.hint(),
            passing: false,
        })?;
        if matches!(&parsed, SecretRef::File(path) if path.is_relative()) {
            return Err(NoSecret {
                problem: format!("{parsed} does not start at the root"),
                hint: "in a store's URL, write file:/PATH".to_owned(),
                passing: false,
            });
        }
        read_secret(&parsed).map_err(|error| NoSecret {
            problem: error.to_string(),
            hint: error.hint,
            // nobody changes our environment from outside
            passing: !matches!(parsed, SecretRef::Env(_)),
        })
    }
}

/// Variables that hold a secret of ours: no program that we start sees them.
pub(super) fn private(config: &Config) -> Vec<String> {
    let accounts = config.accounts.iter();
    let passwords = accounts.filter_map(config::Account::private_variable);
    passwords.chain(config.private_variables()).collect()
}

/// Opens one store. No program of it sees what is private in the environment.
pub(crate) fn open_store(url: &str, config: &Config) -> Result<Arc<dyn Store>, Failure> {
    let options = StoreOptions {
        private: private(config),
        ..options()
    };
    Ok(store::open(url, &options)?)
}

/// Each account's store; accounts that are named nowhere go to the default one.
fn stores(config: &Config, policy: &Policy) -> Result<Stores, Failure> {
    let mut opened: BTreeMap<&str, Arc<dyn Store>> = BTreeMap::new();
    let default = config
        .stores
        .get("default")
        .map_or(DEFAULT_STORE_URL, String::as_str);
    let strangers = policy.accounts.is_empty()
        || policy
            .accounts
            .iter()
            .any(|account| configured(config, account).is_none());
    let mut stores = Stores::default();
    if strangers {
        let store = open_store(default, config)?;
        opened.insert(default, Arc::clone(&store));
        stores = Stores::all_in(store);
    }
    for account in &config.accounts {
        for url in config.store_urls(account) {
            let store = match opened.get(url) {
                Some(store) => Arc::clone(store),
                None => open_store(url, config)?,
            };
            opened.insert(url, Arc::clone(&store));
            stores.route(key_of(account), store);
        }
    }
    Ok(stores)
}

/// An account, as a store names it.
fn key_of(account: &config::Account) -> Key {
    Key {
        username: account.username.clone(),
        org: account.org,
    }
}

fn configured<'c>(config: &'c Config, wanted: &Account) -> Option<&'c crate::config::Account> {
    let fits = |org: Org| wanted.org.is_none_or(|wanted| wanted == org);
    config
        .accounts
        .iter()
        .find(|account| account.username == wanted.username && fits(account.org))
}

/// Every store must be able to take a token now: before anything is reset. What is stored already is brought up to
/// what is configured.
pub(crate) fn check_stores(pipeline: &Pipeline, config: &Config) -> Result<(), Failure> {
    let by_default = config.stores.values().all(|url| url == DEFAULT_STORE_URL);
    for store in pipeline.stores.each() {
        if let Err(error) = store.check() {
            // Nobody chose a store: say what else there is.
            let chosen = if by_default {
                store::choose_default(&options()).err()
            } else {
                None
            };
            return Err(chosen.unwrap_or(error).into());
        }
    }
    pipeline.renew_slots();
    Ok(())
}

/// Every mailbox.
pub(crate) fn mailboxes(config: &Config, start: Start) -> Result<Vec<MailboxTask>, Failure> {
    if config.mailboxes.is_empty() {
        let hint = "add a [mailbox.NAME] to the configuration, or give --mailbox imaps://USER@HOST";
        return Err(Failure::new(Exit::Usage, "no mailbox is configured", hint));
    }
    let mut tasks = Vec::new();
    let mut transports = Transports::default();
    let mut providers = Providers::default();
    for mailbox in &config.mailboxes {
        let credential = match &mailbox.oauth {
            Some(oauth) => providers.source(mailbox, oauth)?.into(),
            None => Credential::from(mailbox_password(mailbox)?),
        };
        let server = Server {
            endpoint: transports.endpoint(mailbox)?,
            credential,
        };
        let task = MailboxTask::new(&mailbox.name, Arc::new(server));
        tasks.push(watched(task, &mailbox.watching, start));
    }
    Ok(tasks)
}

/// The task, as its owner wants it watched.
fn watched(task: MailboxTask, wanted: &Watching, start: Start) -> MailboxTask {
    let seconds = |length: SignedDuration| Duration::try_from(length).unwrap_or_default();
    let named = |names: &Vec<String>| names.iter().map(FolderChoice::required).collect();
    MailboxTask {
        folders: wanted
            .folders
            .as_ref()
            .map_or_else(FolderChoice::usual, named),
        limits: Limits {
            liveness: seconds(wanted.liveness),
            idle_renew: seconds(wanted.renewal),
            ..Limits::default()
        },
        start,
        handled: match &wanted.handled {
            config::Handled::Leave => Handled::Leave,
            config::Handled::Seen => Handled::Seen,
            config::Handled::Flag => Handled::Flag,
            config::Handled::MoveTo(folder) => Handled::MoveTo(folder.clone()),
            config::Handled::Delete => Handled::Delete,
        },
        claim: wanted.claim,
        ..task
    }
}

fn mailbox_password(mailbox: &Mailbox) -> Result<Secret, Failure> {
    if let Some(reference) = &mailbox.password {
        return secret(reference);
    }
    let (user, host) = (&mailbox.url.user, &mailbox.url.host);
    if !io::stdin().is_terminal() {
        let problem = format!(
            "mailbox {}: no password, and no terminal to ask on",
            mailbox.name
        );
        let hint =
            "name where it stands: --password env:NAME, or auth = { password = \"keyring:NAME\" }";
        return Err(Failure::new(Exit::Usage, problem, hint));
    }
    let asked = rpassword::prompt_password(format!("Password of {user} on {host}: "));
    asked.map(Secret::new).map_err(|error| {
        Failure::new(
            Exit::Usage,
            format!("the password cannot be asked for: {error}"),
            "give --password REF",
        )
    })
}

/// Reads a secret from where its reference says.
pub(crate) fn secret(reference: &SecretRef) -> Result<Secret, Failure> {
    Ok(read_secret(reference)?)
}

/// The same, for whoever goes on without it.
pub(super) fn read_secret(reference: &SecretRef) -> Result<Secret, SecretError> {
    let keyring = |service: &str, user: &str| {
        store::password(service, user, &options()).map_err(|error| error.to_string())
    };
    let sources = Sources {
        keyring: &keyring,
        env: &|name| std::env::var_os(name),
    };
    resolve(reference, &sources)
}

/// That a secret could be put there now, as far as that can be told.
pub(super) fn check_place(reference: &SecretRef) -> Result<(), Failure> {
    if let SecretRef::Keyring { service, user } = reference {
        store::password(service, user, &options())?;
    }
    Ok(check_file(reference)?)
}

/// Puts a secret where its reference says.
pub(super) fn save_secret(reference: &SecretRef, secret: &Secret) -> Result<(), SaveError> {
    let keyring = |service: &str, user: &str, secret: &Secret| {
        store::set_password(service, user, secret, &options()).map_err(|error| error.to_string())
    };
    save(reference, secret, &keyring)
}

/// Keeps other programs from replacing a secret meanwhile. The user's own folder, not the configuration's:
/// two configurations may name one entry of the keyring.
pub(super) fn lock_secret(reference: &SecretRef) -> Result<SecretLock, SecretError> {
    lock(reference, crate::config::default_state_dir().as_deref())
}

impl From<SecretError> for Failure {
    fn from(error: SecretError) -> Self {
        Self::new(Exit::Usage, &error, &error.hint)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let exit = match error.kind {
            store::StoreErrorKind::Misconfigured => Exit::Usage,
            _ => Exit::Store,
        };
        Self::new(exit, &error, error.hint())
    }
}

impl From<crate::ledger::LedgerError> for Failure {
    fn from(error: crate::ledger::LedgerError) -> Self {
        Self::new(Exit::Failed, &error, error.hint())
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Store(error) => error.into(),
            Trouble::Ledger(error) => error.into(),
            other => Self::new(Exit::Failed, &other, other.hint()),
        }
    }
}

impl From<crate::watch::Stopped> for Failure {
    fn from(stopped: crate::watch::Stopped) -> Self {
        Self::new(Exit::Mailbox, &stopped, stopped.error.hint())
    }
}
