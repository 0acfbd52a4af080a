//! The machines: one watches every mailbox, another one the last of them too. Each has a ledger of its own;
//! the store is the same.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use jiff::SignedDuration;
use sftoken::dns::Resolver;
use sftoken::ledger::{Decision, Ledger};
use sftoken::testing::server::Dice;
use sftoken::watch::{Chance, MailboxTask, Pipeline, Shutdown, Stores, watch};
use sftoken::{KeyAnswer, Policy, Recipe};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::{NAMES, PASSWORD, SHARED, Stage, USER};

pub(super) struct Machine {
    name: &'static str,
    mailboxes: Vec<usize>,
    running: Option<Running>,
}

struct Running {
    ledger: Arc<Ledger>,
    task: JoinHandle<()>,
    switch: tokio::sync::watch::Sender<bool>,
}

impl Machine {
    pub(super) fn all() -> Vec<Self> {
        let machine = |name, mailboxes| Self {
            name,
            mailboxes,
            running: None,
        };
        vec![
            machine("first", (0..NAMES.len()).collect()),
            machine("second", vec![SHARED]),
        ]
    }

    /// Where its ledger is.
    fn ledger(&self, home: &Path) -> Ledger {
        Ledger::open(home.join(self.name).join("ledger.db")).unwrap()
    }
}

impl Stage {
    /// How many machines watch a mailbox.
    pub(crate) fn watchers(&self, at: usize) -> u64 {
        let of = |machine: &&Machine| machine.mailboxes.contains(&at);
        u64::try_from(self.machines.iter().filter(of).count()).unwrap()
    }

    pub(crate) fn machines(&self) -> u64 {
        u64::try_from(self.machines.len()).unwrap()
    }

    /// Starts the daemon of every machine that has none running.
    pub(crate) fn start_daemon(&mut self) {
        for which in 0..self.machines.len() {
            if self.machines[which].running.is_none() {
                self.start(which);
            }
        }
    }

    pub(crate) fn start(&mut self, which: usize) {
        self.starts += 1;
        let ledger = Arc::new(self.machines[which].ledger(self.home.path()));
        let (pipeline, tasks) = (self.pipeline(Arc::clone(&ledger)), self.tasks(which));
        let (switch, shutdown) = Shutdown::new();
        let task = tokio::spawn(async move {
            let (verdicts, mut told) = mpsc::unbounded_channel();
            tokio::spawn(async move { while told.recv().await.is_some() {} });
            watch(tasks, &pipeline, &verdicts, &shutdown).await.unwrap();
        });
        self.machines[which].running = Some(Running {
            ledger,
            task,
            switch,
        });
    }

    fn pipeline(&self, ledger: Arc<Ledger>) -> Pipeline {
        let policy = Policy {
            max_age: Some(SignedDuration::from_hours(7 * 24)),
            ..Policy::default()
        };
        let (keys, deaf) = (self.sender.keys(), Arc::clone(&self.deaf));
        let answer = move |name: &str| match deaf.load(Ordering::SeqCst) {
            true => KeyAnswer::Unknown,
            false => keys.answering([name]).get(name).clone(),
        };
        Pipeline {
            policy: Arc::new(policy),
            recipes: Recipe::built_in(),
            verifier: Arc::new(sftoken::watch::NoVerifier),
            errands: sftoken::watch::Errands::default(),
            limits: Arc::default(),
            keep: None,
            resolver: Arc::new(Resolver::from_fn(answer)),
            stores: Arc::new(Stores::all_in(self.vault.clone())),
            ledger,
            clock: self.clock(),
        }
    }

    fn tasks(&self, which: usize) -> Vec<MailboxTask> {
        let task = |&at: &usize| {
            let one = &self.boxes[at];
            let place = u64::try_from(at).unwrap();
            let dice = Mutex::new(Dice::new(self.seed ^ (self.starts * 100 + place) << 32));
            MailboxTask {
                claim: at == SHARED,
                chance: Chance::from_fn(move || {
                    let thousandths = u32::try_from(dice.lock().unwrap().below(1000)).unwrap();
                    f64::from(thousandths) / 1000.0
                }),
                ..MailboxTask::new(one.name, Arc::new(one.server.door(USER, PASSWORD)))
            }
        };
        self.machines[which].mailboxes.iter().map(task).collect()
    }

    /// Ends all of them as an operator does.
    pub(crate) async fn stop_daemon(&mut self) {
        for which in 0..self.machines.len() {
            self.stop(which).await;
        }
    }

    pub(crate) async fn stop(&mut self, which: usize) {
        let running = self.machines[which].running.take().unwrap();
        running.switch.send_replace(true);
        running.task.await.unwrap();
    }

    /// Ends one in the middle of whatever it does.
    pub(crate) async fn kill(&mut self, which: usize) {
        let running = self.machines[which].running.take().unwrap();
        running.task.abort();
        assert!(running.task.await.is_err(), "{}", self.story());
    }

    /// A watch that ends by itself has given a mailbox up.
    #[track_caller]
    pub(crate) fn check_alive(&self) {
        for machine in &self.machines {
            let running = machine.running.as_ref().unwrap();
            assert!(
                !running.task.is_finished(),
                "the daemon of the {} machine ended\n{}",
                machine.name,
                self.story()
            );
        }
    }

    /// What each machine that watches a mailbox has decided for its account.
    pub(crate) fn histories(&self, at: usize) -> Vec<Vec<Decision>> {
        let of = |machine: &&Machine| machine.mailboxes.contains(&at);
        let username = self.boxes[at].username();
        let history = |machine: &Machine| match &machine.running {
            Some(running) => running.ledger.history(Some(&username), 1_000_000).unwrap(),
            None => Vec::new(),
        };
        self.machines.iter().filter(of).map(history).collect()
    }
}
