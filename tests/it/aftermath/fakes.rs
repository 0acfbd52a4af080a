//! A world in memory: a store, a log-in that answers as it is told, and a desk where errands are done.
//!
//! Knows what was asked of each. Never decides: the pipeline does.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sftoken::dns::Resolver;
use sftoken::ingest::event::EventWord;
use sftoken::ingest::order::Arrival;
use sftoken::ledger::{Event, Ledger, Source};
use sftoken::store::{Key, Store as _};
use sftoken::testing::store::MemoryStore;
use sftoken::watch::{
    Attempt, Errands, Failing, Follow, Letter, Pipeline, Ran, Stores, Told, Verdict, Verifier,
    Verify,
};
use sftoken::{KeyAnswers, Org, Policy, Token};

use crate::support::salesforce::{ANN, SELECTOR, key_name, key_record};

pub(crate) fn failing(kind: &str, against_token: bool) -> Failing {
    Failing {
        kind: kind.to_owned(),
        problem: format!("the problem is {kind}"),
        hint: "do something about it".to_owned(),
        against_token,
    }
}

/// Answers in turn; one that is asked too often fails the test.
#[derive(Debug)]
struct Answers {
    when: Verify,
    answers: Mutex<VecDeque<Attempt>>,
    attempts: Mutex<usize>,
}

impl Verifier for Answers {
    fn when(&self, _: &Key) -> Verify {
        self.when
    }

    fn attempt(&self, _: &Key, _: &Token) -> Attempt {
        *self.attempts.lock().unwrap() += 1;
        let mut answers = self.answers.lock().unwrap();
        answers.pop_front().expect("one attempt too many")
    }
}

/// What steps come to, in turn; then they are done.
#[derive(Debug, Default)]
pub(crate) struct Script {
    ends: Mutex<HashMap<&'static str, VecDeque<Ran>>>,
    takes: Duration,
}

impl Script {
    pub(crate) fn from<const N: usize>(ends: [(&'static str, Vec<Ran>); N]) -> Self {
        let ends = ends.into_iter().map(|(step, ends)| (step, ends.into()));
        Self {
            ends: Mutex::new(ends.collect()),
            takes: Duration::ZERO,
        }
    }

    pub(crate) fn slow(takes: Duration) -> Self {
        Self {
            takes,
            ..Self::default()
        }
    }
}

/// Where errands are done: a hook for what is stored, a message for everything.
#[derive(Debug)]
pub(crate) struct Desk {
    script: Script,
    done: Mutex<Vec<(String, Told)>>,
}

impl Desk {
    /// Step and event of each try, in order.
    pub(crate) fn done(&self) -> Vec<String> {
        let done = self.done.lock().unwrap();
        done.iter()
            .map(|(step, told)| format!("{step} {}", told.event.as_str()))
            .collect()
    }

    pub(crate) fn told(&self) -> Vec<Told> {
        let done = self.done.lock().unwrap();
        done.iter().map(|(_, told)| told.clone()).collect()
    }
}

impl Follow for Desk {
    fn steps(&self, _: &Key, event: EventWord) -> Vec<String> {
        match event {
            EventWord::Stored => vec!["hook".to_owned(), "message".to_owned()],
            _ => vec!["message".to_owned()],
        }
    }

    fn run(&self, _: &Key, step: &str, told: &Told) -> Ran {
        std::thread::sleep(self.script.takes);
        self.done
            .lock()
            .unwrap()
            .push((step.to_owned(), told.clone()));
        let mut ends = self.script.ends.lock().unwrap();
        let end = ends.get_mut(step).and_then(VecDeque::pop_front);
        end.unwrap_or(Ran::Done(None))
    }

    fn pause(&self, _: &str, tries: u32) -> Option<Duration> {
        (tries < 3).then_some(Duration::from_millis(5))
    }

    fn trace(&self, step: &str, ok: bool) -> Event {
        match (step, ok) {
            ("hook", true) => Event::HookDone,
            ("hook", false) => Event::HookFailed,
            (_, true) => Event::Notified,
            (_, false) => Event::NotificationFailed,
        }
    }

    fn is_waited_for(&self, step: &str) -> bool {
        step == "hook"
    }

    fn comes_after(&self, _: &str, _: &str) -> bool {
        false
    }

    fn failure(&self, step: &str) -> Option<EventWord> {
        (step == "hook").then_some(EventWord::HookFailed)
    }
}

pub(crate) struct World {
    pub(crate) pipeline: Pipeline,
    pub(crate) desk: Arc<Desk>,
    store: Arc<MemoryStore>,
    verifier: Arc<Answers>,
}

impl World {
    pub(crate) fn new<const N: usize>(when: Verify, answers: [Attempt; N]) -> Self {
        Self::with(when, answers, Script::default())
    }

    pub(crate) fn with<const N: usize>(
        when: Verify,
        answers: [Attempt; N],
        script: Script,
    ) -> Self {
        let keys = format!("{} {}\n", key_name(SELECTOR), key_record());
        let keys = KeyAnswers::from_key_file(&keys).unwrap();
        let store = Arc::new(MemoryStore::new());
        let verifier = Arc::new(Answers {
            when,
            answers: Mutex::new(answers.into()),
            attempts: Mutex::new(0),
        });
        let desk = Arc::new(Desk {
            script,
            done: Mutex::default(),
        });
        let pipeline = Pipeline {
            verifier: verifier.clone(),
            errands: Errands::by(desk.clone()),
            ..Pipeline::new(
                Arc::new(Policy::default()),
                Arc::new(Resolver::from_files(keys)),
                Arc::new(Stores::all_in(store.clone())),
                Arc::new(Ledger::in_memory().unwrap()),
            )
        };
        Self {
            pipeline,
            desk,
            store,
            verifier,
        }
    }

    /// The same ledger, stores and desk; what is known in memory only is gone.
    pub(crate) fn next_process(&self) -> Pipeline {
        Pipeline {
            errands: Errands::by(self.desk.clone()),
            ..self.pipeline.clone()
        }
    }

    pub(crate) async fn give(&self, mail: &[u8]) -> Vec<Verdict> {
        self.give_to(&self.pipeline, mail).await
    }

    pub(crate) async fn give_to(&self, pipeline: &Pipeline, mail: &[u8]) -> Vec<Verdict> {
        let letter = Letter {
            bytes: mail.to_vec(),
            name: "a mail".to_owned(),
            source: Source::File {
                file: "a mail".to_owned(),
            },
            arrival: Arrival::default(),
        };
        pipeline.process(letter).await
    }

    pub(crate) async fn finish(&self) {
        self.pipeline.finish_errands(None).await.unwrap();
    }

    pub(crate) fn attempts(&self) -> usize {
        *self.verifier.attempts.lock().unwrap()
    }

    pub(crate) fn kept(&self) -> Option<String> {
        let key = Key {
            username: ANN.to_owned(),
            org: Org::Production,
        };
        let token = self.store.get(&key).unwrap()?;
        Some(token.expose().to_owned())
    }
}
