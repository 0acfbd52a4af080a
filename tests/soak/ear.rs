//! What the log says: counted, and the last of it kept for whoever reads a failure.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use tokio::runtime::Runtime;
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
}

impl Ear {
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
        let mut heard = self.0.lock().unwrap();
        if heard.last.len() == KEPT {
            heard.last.pop_front();
        }
        heard.last.push_back(line);
    }
}

impl<S: Subscriber> Layer<S> for Ear {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let level = *event.metadata().level();
        if level > Level::INFO || !event.metadata().target().starts_with("sftoken") {
            return;
        }
        {
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
