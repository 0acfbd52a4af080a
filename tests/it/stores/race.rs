//! Eight writers at once, each with the same eight mails in an order of its own: the newest token stays.
//!
//! Stores that compare and set are raced by machines that know nothing of each other; the others by the threads and
//! processes of one machine, which share a ledger. A failure tells its seed: `SFTOKEN_SEED=…` rolls the same dice.

use std::path::Path;
use std::process::Command;
use std::sync::Barrier;
use std::thread;

use sftoken::dns::Resolver;
use sftoken::ledger::{Ledger, Source};
use sftoken::testing::server::Dice;
use sftoken::testing::store::MemoryStore;
use sftoken::watch::{Letter, Pipeline, Stores, Verdict};
use sftoken::{KeyAnswers, Policy};
use tempfile::TempDir;

use super::*;
use crate::support::run::{Home, Running};
use crate::support::salesforce::{
    ANN, Keeper, SELECTOR, ago, genuine, key_file, key_name, key_record, new_token,
};
use crate::support::secret_service::SecretService;

const WRITERS: u64 = 8;

/// The dice of a test, and what they began with.
pub(super) struct Fate {
    seed: u64,
    dice: Dice,
}

impl Fate {
    pub(super) fn new() -> Self {
        let given = std::env::var("SFTOKEN_SEED").ok();
        let now = || u64::try_from(Timestamp::now().as_nanosecond() & 0xffff_ffff).unwrap();
        let seed = given.map_or_else(now, |text| text.parse().unwrap());
        let dice = Dice::new(seed);
        Self { seed, dice }
    }

    /// For the message of an assertion.
    pub(super) fn told(&self) -> String {
        format!("SFTOKEN_SEED={}", self.seed)
    }

    fn shuffled<T: Clone>(&mut self, of: &[T]) -> Vec<T> {
        let mut items = of.to_vec();
        for at in (1..items.len()).rev() {
            let other = self.dice.below(at as u64 + 1);
            items.swap(at, usize::try_from(other).unwrap());
        }
        items
    }
}

/// Which ledger each writer has.
#[derive(Clone, Copy)]
pub(super) enum Ledgers<'l> {
    /// One of its own: machines that know nothing of each other.
    Own,
    /// The one in this folder.
    Shared(&'l Path),
}

impl Ledgers<'_> {
    fn open(self) -> Ledger {
        match self {
            Self::Own => Ledger::in_memory().unwrap(),
            Self::Shared(folder) => Ledger::open(folder.join("ledger.db")).unwrap(),
        }
    }
}

/// Eight mails of the account, and the newest token. The last two are of one second, in their order of arrival.
fn letters(username: &str) -> (Vec<Letter>, String) {
    let begin = ago(1000);
    let mut newest = String::new();
    let letters = (0..WRITERS).map(|number| {
        let second = i64::try_from(number.min(WRITERS - 2)).unwrap();
        let date = begin + jiff::SignedDuration::from_secs(second);
        newest = new_token();
        let name = format!("mail {number}");
        Letter {
            bytes: genuine(username, &newest, date),
            source: Source::File { file: name.clone() },
            name,
            arrival: Arrival {
                number,
                ..Arrival::default()
            },
        }
    });
    (letters.collect(), newest)
}

/// Races eight writers in this process, each with a store and a pipeline of its own; the token that must stay.
pub(super) fn run(
    fate: &mut Fate,
    ledgers: Ledgers<'_>,
    username: &str,
    open: impl Fn() -> Arc<dyn Store> + Sync,
) -> String {
    let (letters, newest) = letters(username);
    let orders: Vec<_> = (0..WRITERS).map(|_| fate.shuffled(&letters)).collect();
    let (start, told) = (Barrier::new(orders.len()), fate.told());
    thread::scope(|scope| {
        for order in orders {
            let (open, start, told) = (&open, &start, &told);
            scope.spawn(move || {
                let pipeline = pipeline(open(), ledgers.open());
                start.wait();
                write(&pipeline, order, told);
            });
        }
    });
    newest
}

fn pipeline(store: Arc<dyn Store>, ledger: Ledger) -> Pipeline {
    let keys = format!("{} {}\n", key_name(SELECTOR), key_record());
    let keys = KeyAnswers::from_key_file(&keys).unwrap();
    Pipeline::new(
        Arc::new(Policy::default()),
        Arc::new(Resolver::from_files(keys)),
        Arc::new(Stores::all_in(store)),
        Arc::new(ledger),
    )
}

/// Takes each mail to its verdict. A store may say that others came first too often: it is tried again, as ever.
fn write(pipeline: &Pipeline, order: Vec<Letter>, told: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.unwrap();
    for letter in order {
        let settled = (0..20).any(|_| {
            let verdict = runtime.block_on(pipeline.process(letter.clone())).remove(0);
            match verdict {
                Verdict::Settled(_) => true,
                Verdict::Open(_, trouble) => {
                    let kind = trouble.kind();
                    assert_eq!(kind, "store_unreachable", "{trouble} ({told})");
                    false
                }
            }
        });
        assert!(settled, "{} stays open ({told})", letter.name);
    }
}

/// Races eight processes of `sftoken replay` in one home; the token that must stay.
fn processes(fate: &mut Fate, home: &Home, url: &str) -> String {
    let keys = key_file(home);
    let mut newest = String::new();
    let mails: Vec<String> = (0..WRITERS)
        .map(|number| {
            newest = new_token();
            let age = 1000 - i64::try_from(number).unwrap();
            home.write(&format!("{newest}.eml"), genuine(ANN, &newest, ago(age)))
        })
        .collect();
    let writers: Vec<Running> = (0..WRITERS)
        .map(|_| {
            let order = fate.shuffled(&mails);
            let words = ["replay", "--keys", &keys, "--store", url].map(str::to_owned);
            home.start(&[&words, &order[..]].concat())
        })
        .collect();
    for writer in writers {
        writer.end().check(0);
    }
    newest
}

#[test]
fn memory_keeps_the_newest_of_machines_that_do_not_know_each_other() {
    let mut fate = Fate::new();
    for round in 0..20 {
        let store = Arc::new(MemoryStore::new());
        let open = || -> Arc<dyn Store> { store.clone() };
        let newest = run(&mut fate, Ledgers::Own, USERNAME, open);
        let held = store.get(&key(USERNAME)).unwrap();
        assert!(
            held == Some(token(&newest)),
            "round {round}, {}",
            fate.told()
        );
    }
}

/// A folder of age files, and who can read it.
struct Files {
    home: TempDir,
}

impl Files {
    fn new() -> Self {
        let home = TempDir::new().unwrap();
        let identity = home.path().join("identity");
        let made = Command::new("age-keygen").arg("-o").arg(&identity).output();
        assert!(made.expect("age must be installed").status.success());
        let public = Command::new("age-keygen").arg("-y").arg(&identity).output();
        std::fs::write(home.path().join("recipients"), public.unwrap().stdout).unwrap();
        Self { home }
    }

    fn url(&self) -> String {
        let home = self.home.path().display();
        format!("age:{home}/tokens?recipients-file={home}/recipients")
    }

    /// What `age` reads.
    fn held(&self, username: &str) -> String {
        let file = self.home.path().join("tokens").join(username);
        let mut age = Command::new("age");
        age.arg("-d")
            .arg("-i")
            .arg(self.home.path().join("identity"));
        let output = age.arg(file.join("token.age")).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

#[test]
fn age_files_keep_the_newest_of_threads_and_processes() {
    let (mut fate, files) = (Fate::new(), Files::new());
    for round in 0..8 {
        let username = format!("{round}@acme.example");
        let open = || open(&files.url(), &StoreOptions::default()).unwrap();
        let newest = run(
            &mut fate,
            Ledgers::Shared(files.home.path()),
            &username,
            open,
        );
        assert_eq!(
            files.held(&username),
            newest,
            "round {round}, {}",
            fate.told()
        );
    }
    let home = Home::new();
    for round in 0..2 {
        let newest = processes(&mut fate, &home, &files.url());
        assert_eq!(files.held(ANN), newest, "round {round}, {}", fate.told());
    }
}

/// A program sees what came when: nothing goes back, not even for a moment.
#[test]
fn a_program_is_given_newer_tokens_only_by_threads_and_processes() {
    let (mut fate, home) = (Fate::new(), Home::new());
    let keeper = Keeper::in_home(&home);
    let ledger = TempDir::new().unwrap();
    for round in 0..6 {
        let username = format!("{round}@acme.example");
        let open = || open(&keeper.url(), &StoreOptions::default()).unwrap();
        let newest = run(&mut fate, Ledgers::Shared(ledger.path()), &username, open);
        let kept = keeper.kept(&username);
        assert_eq!(kept.as_ref(), Some(&newest), "{round}, {}", fate.told());
    }
    for round in 0..2 {
        let newest = processes(&mut fate, &home, &keeper.url());
        assert_eq!(keeper.kept(ANN), Some(newest), "{round}, {}", fate.told());
    }
    // tokens are numbered as they are made, and each line names its account first
    let mut puts = keeper.puts();
    let given = puts.clone();
    puts.sort();
    puts.sort_by_key(|line| {
        given
            .iter()
            .position(|other| account(other) == account(line))
    });
    assert_eq!(given, puts, "{}", fate.told());
}

fn account(line: &str) -> &str {
    line.split(' ').next().unwrap()
}

#[test]
fn a_real_keyring_keeps_the_newest_of_processes() {
    let (mut fate, service) = (Fate::new(), SecretService::unlocked());
    let mut home = Home::new();
    home.join(&service);
    for round in 0..3 {
        let newest = processes(&mut fate, &home, "keyring://sftoken");
        let held = service.secret_tool_lookup("sftoken", ANN);
        assert_eq!(held, Some(newest), "round {round}, {}", fate.told());
    }
}
