//! One folder's connections: open, look, wait, and again after a cut.
//!
//! Knows classes of failure and how long to pause after each. Never looks into a mail. A session
//! goes in by value: after any error it is dropped, not mended.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::backoff::Backoff;
use super::folder::Folder;
use super::service::Shutdown;
use crate::inbox::{Class, InboxError, Session, Wake};

/// A connection that lived this long was sound: what ended it is a new story.
const SOUND: Duration = Duration::from_secs(60);
/// Refused log-ins before giving up: more of them lock accounts (facts: imap, 4.4, 18).
const MAX_REFUSED: u32 = 3;
/// The pause after a server's plea to slow down.
const SLOW: Duration = Duration::from_secs(60);
/// The pause after a refused log-in: a server may have hiccuped; a wrong password is soon told.
const REFUSED: Duration = Duration::from_secs(5);

/// Watches a folder until the shutdown, or until trying again is of no use. With `ready`, which is
/// told once the folder's beginning is fixed, the first connection must work.
pub(super) async fn follow(
    mut folder: Folder,
    mut ready: Option<oneshot::Sender<()>>,
    mut shutdown: Shutdown,
) -> Result<(), InboxError> {
    let mut pauses = Pauses::new();
    loop {
        let begun = Instant::now();
        let error = tokio::select! {
            () = shutdown.requested() => return Ok(()),
            ended = live(&mut folder, &mut ready) => match ended {
                Ok(never) => match never {},
                Err(error) => error,
            },
        };
        if ready.is_some() {
            return Err(error);
        }
        let Some(pause) = pauses.after(&error, begun.elapsed()) else {
            return Err(error);
        };
        let (mailbox, name) = (&folder.task.mailbox, &folder.task.folder);
        let retry_in = format!("{:.1} s", pause.as_secs_f64());
        tracing::warn!(
            mailbox,
            folder = name,
            kind = error.kind(),
            hint = error.hint(),
            retry_in,
            "connection lost: {error}"
        );
        tokio::select! {
            () = shutdown.requested() => return Ok(()),
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Looks through a folder once.
pub(super) async fn once(folder: &mut Folder) -> Result<(), InboxError> {
    let (mut session, name) = open(folder).await?;
    let state = session.examine(&name).await?;
    folder.begin(&mut session, state).await?;
    folder.look(&mut session, state).await?;
    folder.contact();
    session.logout().await;
    Ok(())
}

enum Never {}

/// One connection's life. Searches before and after every wait; a renewal opens the folder anew,
/// since some servers show new mail only then (facts: imap, 3.8).
async fn live(
    folder: &mut Folder,
    ready: &mut Option<oneshot::Sender<()>>,
) -> Result<Never, InboxError> {
    let (mut session, name) = open(folder).await?;
    loop {
        let mut state = session.examine(&name).await?;
        folder.begin(&mut session, state).await?;
        if let Some(ready) = ready.take() {
            let _ = ready.send(());
        }
        let (opened, renew) = (Instant::now(), folder.task.limits.poll);
        let mut wake = Wake::Changed;
        // A wake for an open mail that is due again is no renewal.
        while wake == Wake::Changed || (folder.has_open() && opened.elapsed() < renew) {
            folder.look(&mut session, state).await?;
            // NOTE: it was true at EXAMINE. Held against a cursor that has moved since, it would say
            // that the folder went back, and every mail of the last days would be looked at again.
            state.uid_next = None;
            folder.contact();
            let at_most = folder.until_due().unwrap_or(Duration::MAX);
            wake = session.wait_at_most(at_most).await?;
        }
    }
}

async fn open(folder: &Folder) -> Result<(Session, crate::inbox::Folder), InboxError> {
    let task = &folder.task;
    let mut session = Session::connect(&task.endpoint, &task.credential, &task.limits).await?;
    let name = session.resolve_folder(&task.folder).await?;
    tracing::info!(mailbox = task.mailbox, folder = task.folder, "connected");
    Ok((session, name))
}

/// How long to pause after each failure.
struct Pauses {
    network: Backoff,
    slow: Backoff,
    refused: u32,
}

impl Pauses {
    fn new() -> Self {
        Self {
            network: Backoff::CONNECTION,
            slow: Backoff::new(SLOW, SLOW * 10),
            refused: 0,
        }
    }

    /// The pause, or `None` when trying again is of no use.
    fn after(&mut self, error: &InboxError, lived: Duration) -> Option<Duration> {
        if lived >= SOUND {
            *self = Self::new();
        }
        match error.class() {
            Class::Network => Some(self.network.pause(dice())),
            Class::Throttled => Some(self.slow.pause(dice())),
            Class::Auth => {
                self.refused += 1;
                (self.refused < MAX_REFUSED).then_some(REFUSED * self.refused)
            }
            Class::Policy => None,
        }
    }
}

/// Dice for jitter: the nanoseconds of a clock that nobody can line up.
fn dice() -> f64 {
    let nanos = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.subsec_nanos());
    f64::from(nanos % 1_000_000) / 1_000_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused() -> InboxError {
        InboxError::Disconnected {
            at: "imap.example.com:993".to_owned(),
            bye: None,
        }
    }

    #[test]
    fn the_first_retry_is_quick_and_a_sound_connection_begins_anew() {
        let mut pauses = Pauses::new();
        let first = pauses.after(&refused(), Duration::ZERO).unwrap();
        assert!(first <= Duration::from_millis(500));
        for _ in 0..20 {
            pauses.after(&refused(), Duration::ZERO).unwrap();
        }
        assert!(pauses.after(&refused(), Duration::ZERO).unwrap() >= Duration::from_secs(150));
        assert!(pauses.after(&refused(), SOUND).unwrap() <= Duration::from_millis(500));
    }

    #[test]
    fn a_refused_log_in_is_given_up_after_three() {
        let refused = InboxError::LoginRefused {
            at: "imap.example.com:993".to_owned(),
            code: None,
            text: "no".to_owned(),
        };
        let mut pauses = Pauses::new();
        let tries: Vec<bool> = (0..3)
            .map(|_| pauses.after(&refused, Duration::ZERO).is_some())
            .collect();
        assert_eq!(tries, [true, true, false]);
    }
}
