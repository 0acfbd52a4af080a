//! A notification on the desktop of whoever runs sftoken.
//!
//! Knows how an event reads in two lines. Never shows a secret, never lets a text of a mail be taken for markup, and never waits
//! longer than it may. Whether there is a desktop is the session's affair: without one, that is what is said.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use notify_rust::Notification;

use super::error::{NotifyError, NotifyErrorKind as Kind};
use super::event::Event;
use crate::ingest::event::EventWord;
use crate::plain::plain;

/// A desktop answers within milliseconds, or not at all.
pub const DEADLINE: Duration = Duration::from_secs(5);

/// Shows an event. Blocks, no longer than the deadline.
///
/// # Errors
/// When there is no desktop, or it does not take the notification. Another try is never worth it.
pub fn show(event: &Event, deadline: Duration) -> Result<(), NotifyError> {
    let text = Text::of(event);
    let (done, told) = mpsc::channel();
    // A session bus that is there and says nothing cannot be left otherwise.
    thread::spawn(move || {
        let shown = Notification::new()
            .appname("sftoken")
            .summary(&text.title)
            .body(&text.body)
            .show();
        let _ = done.send(shown.map(drop).map_err(|error| plain(&error.to_string())));
    });
    let no_desktop = "nothing to do on a machine without one: set desktop = false in [notify]";
    let (kind, problem, hint) = match told.recv_timeout(deadline) {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(said)) => (
            Kind::NoDesktop,
            format!("no desktop shows notifications here: {said}"),
            no_desktop,
        ),
        Err(RecvTimeoutError::Timeout) => (
            Kind::Timeout,
            format!(
                "the desktop did not answer within {} s",
                deadline.as_secs_f32()
            ),
            "see whether the session's notification service hangs",
        ),
        Err(RecvTimeoutError::Disconnected) => (
            Kind::NoDesktop,
            "the library for notifications gave up".to_owned(),
            no_desktop,
        ),
    };
    Err(NotifyError::lasting("desktop", kind, problem, hint))
}

/// Two lines for a person.
struct Text {
    title: String,
    body: String,
}

impl Text {
    fn of(event: &Event) -> Self {
        let facts = event.facts();
        let age = facts
            .age_days
            .map_or(String::new(), |days| format!(" ({days} days)"));
        let title = match event.word() {
            EventWord::Stored => "A new Salesforce token is stored".to_owned(),
            EventWord::Verified => "The new Salesforce token logs in".to_owned(),
            EventWord::NotVerified => "The Salesforce token does not log in".to_owned(),
            EventWord::StoreFailed => "A Salesforce token could not be stored".to_owned(),
            EventWord::HookFailed => "A hook failed; the token is stored".to_owned(),
            EventWord::ConsumerFailed => "A consumer of the token fails its test".to_owned(),
            EventWord::Due => format!("A Salesforce token will soon be too old{age}"),
            EventWord::Overdue => format!("A Salesforce token is too old{age}"),
            EventWord::Test => "sftoken can be heard here".to_owned(),
        };
        let mut lines = Vec::new();
        if let Some(username) = &facts.username {
            let org = facts
                .org
                .map_or(String::new(), |org| format!(" ({})", org.as_str()));
            lines.push(format!("{}{org}", plain(username)));
        }
        lines.extend(facts.detail.as_deref().map(plain));
        Self {
            title,
            body: without_markup(&lines.join("\n")),
        }
    }
}

/// The body may be read as markup (Desktop Notifications Specification 1.2, "Markup").
fn without_markup(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::notify::Facts;

    #[test]
    fn a_text_of_a_mail_is_no_markup_and_drives_nothing() {
        let facts = Facts {
            username: Some("a<b>&\u{1b}\0\u{202e}@acme.example".to_owned()),
            age_days: Some(91),
            ..Facts::default()
        };
        let text = Text::of(&Event::new(
            EventWord::Overdue,
            Timestamp::UNIX_EPOCH,
            facts,
        ));
        assert_eq!(text.title, "A Salesforce token is too old (91 days)");
        assert!(text.body.starts_with("a&lt;b&gt;&amp;"), "{}", text.body);
        assert!(
            !text.body.contains(['<', '\u{1b}', '\0', '\u{202e}']),
            "{:?}",
            text.body
        );
    }
}
