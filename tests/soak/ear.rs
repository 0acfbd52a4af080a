//! What the log says: counted, and the last of it kept for whoever reads a failure.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use tokio::runtime::Runtime;
use tokio::time::Instant;
use tracing::field::{Field, Visit};
use tracing::{Dispatch, Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};

/// How many of the last lines are kept.
const KEPT: usize = 150;

/// Hears one run, whatever threads it has.
#[derive(Clone, Default)]
pub(crate) struct Ear(Arc<Mutex<Heard>>);

#[derive(Default)]
struct Heard {
    lines: u64,
    errors: u64,
    last: VecDeque<String>,
    /// Everything, where somebody wants to compare.
    all: Option<Vec<(Instant, String)>>,
}

impl Ear {
    /// One that forgets nothing.
    pub(crate) fn recording() -> Self {
        let ear = Self::default();
        ear.0.lock().unwrap().all = Some(Vec::new());
        ear
    }

    /// What it has heard, if it forgets nothing. Which of several mailboxes speaks first within one moment
    /// is up to the runtime, and to the threads that may block: such lines are put in order.
    pub(crate) fn all(&self) -> Vec<String> {
        let mut all = self.0.lock().unwrap().all.take().unwrap();
        all.sort();
        all.into_iter().map(|(_, line)| line).collect()
    }

    pub(crate) fn dispatch(&self) -> Dispatch {
        Dispatch::new(tracing_subscriber::registry().with(self.clone()))
    }

    /// A runtime with a clock of its own, whose threads are heard.
    pub(crate) fn runtime(&self) -> Runtime {
        let dispatch = self.dispatch();
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .on_thread_start(move || {
                // for as long as the thread lives
                std::mem::forget(tracing::dispatcher::set_default(&dispatch));
            })
            .build()
            .unwrap()
    }

    /// Lines so far, INFO and above.
    pub(crate) fn lines(&self) -> u64 {
        self.0.lock().unwrap().lines
    }

    /// Lines that want an operator.
    pub(crate) fn errors(&self) -> u64 {
        self.0.lock().unwrap().errors
    }

    fn is_loud(&self) -> bool {
        std::env::var_os("SFTOKEN_SOAK_LOUD").is_some()
    }

    pub(crate) fn last(&self) -> String {
        self.0
            .lock()
            .unwrap()
            .last
            .iter()
            .fold(String::new(), |text, line| text + line + "\n")
    }

    /// A line of the test's own, among the others.
    pub(crate) fn note(&self, line: String) {
        if self.is_loud() {
            eprintln!("{line}");
        }
        let mut heard = self.0.lock().unwrap();
        if let Some(all) = &mut heard.all {
            all.push((Instant::now(), line.clone()));
        }
        if heard.last.len() == KEPT {
            heard.last.pop_front();
        }
        heard.last.push_back(line);
    }
}

impl<S: Subscriber> Layer<S> for Ear {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let level = *event.metadata().level();
        if !event.metadata().target().starts_with("sftoken") {
            return;
        }
        if level > Level::INFO && !self.is_loud() {
            return;
        }
        if level <= Level::INFO {
            let mut heard = self.0.lock().unwrap();
            heard.lines += 1;
            heard.errors += u64::from(level == Level::ERROR);
        }
        let mut line = Line(format!("      {level:5}"));
        event.record(&mut line);
        self.note(line.0);
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = match field.name() {
            "message" => write!(self.0, " {value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}
