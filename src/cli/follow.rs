//! Whoever does what comes after: hooks, tests of consumers, the webhook, the desktop, as configured.
//!
//! Knows which event asks for which steps, and the names that steps have in the ledger and in `status`. Never decides
//! when: the loop does. Commands and the webhook come from the configuration, its secrets from their references at each
//! try.

use std::time::Duration;

use jiff::Timestamp;

use super::engine;
use super::exit::Failure;
use crate::config::{self, Config, WebhookUrl};
use crate::ingest::event::EventWord;
use crate::ingest::secret::Secret;
use crate::ledger;
use crate::notify::{Event, Facts, NotifyError, Program, Retry, TrailEntry, Webhook, desktop};
use crate::store::Key;
use crate::verify::Http;
use crate::watch::{Follow, Ran, Told};

/// The account's hook.
const HOOK: &str = "on_stored";
/// The test of a consumer begins like this, and ends with its name.
const CONSUMER: &str = "consumer ";
/// The webhook.
const WEBHOOK: &str = "webhook";
/// The desktop.
const DESKTOP: &str = "desktop";

/// A notification takes milliseconds; a service that hangs holds up nobody.
const DESKTOP_DEADLINE: Duration = Duration::from_secs(5);

/// The configured followers.
#[derive(Debug)]
pub(crate) struct Followers {
    config: Config,
    /// Variables that no program of ours may see.
    private: Vec<String>,
}

impl Followers {
    pub(crate) fn of(config: &Config) -> Self {
        Self {
            private: engine::private(config),
            config: config.clone(),
        }
    }

    fn account(&self, key: &Key) -> Option<&config::Account> {
        let mut accounts = self.config.accounts.iter();
        accounts.find(|account| account.username == key.username && account.org == key.org)
    }

    /// Whether the configuration has this step of an account still.
    pub(crate) fn has(&self, key: &Key, step: &str) -> bool {
        match step {
            WEBHOOK => self.config.notify.webhook.is_some(),
            DESKTOP => self.config.notify.desktop,
            command => self.command(key, command).is_some(),
        }
    }

    /// The command of a step, if the configuration has it still.
    fn command(&self, key: &Key, step: &str) -> Option<&config::Command> {
        let account = self.account(key)?;
        match step.strip_prefix(CONSUMER) {
            None if step == HOOK => account.on_stored.as_ref(),
            // a newer version's
            None => None,
            Some(name) => {
                let mut consumers = account.consumers.iter();
                consumers
                    .find(|consumer| consumer.name == name)?
                    .test
                    .as_ref()
            }
        }
    }

    fn run_command(&self, command: &config::Command, event: &Event) -> Result<(), NotifyError> {
        let program = Program {
            argv: command.argv.clone(),
            deadline: Duration::try_from(command.timeout).unwrap_or_default(),
            private: self.private.clone(),
        };
        program.run(event)
    }

    fn webhook(&self, wanted: &config::Webhook) -> Result<Webhook, String> {
        let said = |failure: Failure| failure.problem;
        let url: Secret = match &wanted.url {
            WebhookUrl::Text(url) => url.clone(),
            WebhookUrl::Reference(reference) => engine::secret(reference).map_err(said)?,
        };
        let secret = wanted.secret.as_ref().map(engine::secret).transpose();
        let secret = secret.map_err(said)?;
        let http = match &wanted.ca_file {
            Some(path) => Http::with_authorities(path),
            None => Http::new(),
        };
        Webhook::new(&url, secret.as_ref(), &http).map_err(|error| error.to_string())
    }

    fn post(&self, wanted: &config::Webhook, event: &Event) -> Ran {
        match self.webhook(wanted) {
            // the place of a secret may be locked just now
            Err(problem) => Ran::Again(problem, None),
            Ok(webhook) => ended(webhook.send(event, Timestamp::now())),
        }
    }
}

impl Follow for Followers {
    fn steps(&self, key: &Key, event: EventWord) -> Vec<String> {
        let mut steps = Vec::new();
        if let Some(account) = self.account(key).filter(|_| event == EventWord::Stored) {
            steps.extend(account.on_stored.as_ref().map(|_| HOOK.to_owned()));
            let tested = account
                .consumers
                .iter()
                .filter(|consumer| consumer.test.is_some());
            steps.extend(tested.map(|consumer| format!("{CONSUMER}{}", consumer.name)));
        }
        let notify = &self.config.notify;
        if notify.events.contains(&event) {
            steps.extend(notify.webhook.as_ref().map(|_| WEBHOOK.to_owned()));
            steps.extend(notify.desktop.then(|| DESKTOP.to_owned()));
        }
        steps
    }

    fn run(&self, key: &Key, step: &str, told: &Told) -> Ran {
        let event = event(told);
        match step {
            WEBHOOK => match &self.config.notify.webhook {
                Some(wanted) => self.post(wanted, &event),
                None => Ran::Gone,
            },
            DESKTOP if self.config.notify.desktop => ended(desktop::show(&event, DESKTOP_DEADLINE)),
            DESKTOP => Ran::Gone,
            command => match self.command(key, command) {
                Some(command) => ended(self.run_command(command, &event)),
                None => Ran::Gone,
            },
        }
    }

    fn pause(&self, step: &str, tries: u32) -> Option<Duration> {
        match step {
            DESKTOP => None,
            WEBHOOK => Retry::WEBHOOK.after(tries),
            _ => Retry::PROGRAM.after(tries),
        }
    }

    fn trace(&self, step: &str, ok: bool) -> ledger::Event {
        use ledger::Event;
        match (step, ok) {
            (WEBHOOK, true) => Event::WebhookDone,
            (WEBHOOK, false) => Event::WebhookFailed,
            (DESKTOP, true) => Event::Notified,
            (DESKTOP, false) => Event::NotificationFailed,
            (HOOK, true) => Event::HookDone,
            (HOOK, false) => Event::HookFailed,
            (_, true) => Event::ConsumerOk,
            (_, false) => Event::ConsumerFailed,
        }
    }

    fn is_waited_for(&self, step: &str) -> bool {
        !matches!(step, WEBHOOK | DESKTOP)
    }

    fn comes_after(&self, step: &str, earlier: &str) -> bool {
        step.starts_with(CONSUMER) && earlier == HOOK
    }

    fn failure(&self, step: &str) -> Option<EventWord> {
        match step {
            // a desktop that is not there is no news
            DESKTOP => None,
            HOOK | WEBHOOK => Some(EventWord::HookFailed),
            _ => Some(EventWord::ConsumerFailed),
        }
    }
}

fn ended(done: Result<(), NotifyError>) -> Ran {
    match done {
        Ok(()) => Ran::Done(None),
        Err(error) if error.passing => Ran::Again(error.to_string(), error.wait),
        Err(error) => Ran::Failed(format!("{error}; {}", error.hint())),
    }
}

/// As it is told: the same for each try.
fn event(told: &Told) -> Event {
    let still_missing = match told.missing.is_empty() {
        true => None,
        false => Some(format!("not yet in {}", told.missing.join(", "))),
    };
    let facts = Facts {
        username: Some(told.username.clone()),
        org: Some(told.org),
        fingerprint: told.fingerprint.clone(),
        date: told.date,
        slots: told.slots.clone(),
        verified: told.verified,
        reason: told.reason.clone(),
        detail: told.detail.clone().or(still_missing),
        age_days: told
            .age_seconds
            .and_then(|seconds| u64::try_from(seconds / 86_400).ok()),
        trail: told.trail.as_ref().map(|head| TrailEntry {
            seq: head.seq,
            hash: head.hash.clone(),
        }),
    };
    Event::new(told.event, told.at, facts)
}
