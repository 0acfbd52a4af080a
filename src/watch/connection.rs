//! One mailbox's connections: one after the other, for ever, or until trying again is of no use.
//!
//! Knows failures, pauses, the limit on log-ins, jumps of the clock and the end. Never speaks to a server:
//! that is `live`. After any error a session is dropped, not mended.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::jump::Jumps;
use super::limiter::Limiter;
use super::live::Never;
use super::mailbox::Mailbox;
use super::pauses::Pauses;
use super::service::Shutdown;
use crate::inbox::InboxError;

/// How often an outage that goes on is told again.
const REMINDER: Duration = Duration::from_secs(3600);
/// The pause after a fault of our own: the mail that causes it is set aside after a few.
const OWN_FAULT: Duration = Duration::from_secs(5);

/// Why a connection ended.
enum End {
    Error(InboxError),
    Jumped,
    /// The message is on standard error.
    Panicked,
}

/// Watches a mailbox until the shutdown, or until trying again is of no use. With `ready`, which is told
/// once every folder's beginning is fixed, the first connection must work.
pub(super) async fn follow(
    mut mailbox: Box<Mailbox>,
    mut ready: Option<oneshot::Sender<()>>,
    mut shutdown: Shutdown,
    mut jumps: Jumps,
) -> Result<(), InboxError> {
    let mut pauses = Pauses::new();
    let mut limiter = Limiter::new(Instant::now());
    let mut outage = Outage::default();
    loop {
        mailbox.limits = pauses.patient(&mailbox.task.limits);
        mailbox.outage = outage.since;
        let end = tokio::select! {
            // biased, here and below: which comes first is not left to chance
            biased;
            () = shutdown.requested() => {
                Box::pin(mailbox.farewell()).await;
                return Ok(());
            }
            () = jumped(&mut jumps) => End::Jumped,
            end = contained(Box::pin(mailbox.live(&mut ready))) => end,
        };
        let now = Instant::now();
        let lived = mailbox.logged_in.take().map(|at| now - at);
        if lived.is_some() || matches!(&end, End::Error(error) if reached_log_in(error)) {
            limiter.spend(now);
        }
        if lived.is_some() {
            pauses.logged_in();
            outage = Outage::default();
        }
        mailbox.session = None;
        let pause = match &end {
            End::Error(error) if ready.is_some() => return Err(error.clone()),
            End::Error(error) => {
                let chance = mailbox.task.chance.next();
                match pauses.after(error, lived.unwrap_or_default(), chance) {
                    Some(pause) => pause.max(limiter.pause(now)),
                    None => return Err(error.clone()),
                }
            }
            End::Jumped => Duration::ZERO,
            End::Panicked => {
                mailbox.panicked();
                OWN_FAULT.max(limiter.pause(now))
            }
        };
        outage.tell(&mailbox, &end, pause, now);
        tokio::select! {
            biased;
            () = shutdown.requested() => return Ok(()),
            () = jumped(&mut jumps) => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// A time without a connection, and what was said about it.
#[derive(Default)]
struct Outage {
    since: Option<Instant>,
    told: Option<(&'static str, Instant)>,
}

impl Outage {
    /// Says what happened: the first time, when it is another thing than before, and once an hour.
    fn tell(&mut self, mailbox: &Mailbox, end: &End, pause: Duration, now: Instant) {
        let name = &mailbox.task.mailbox;
        let proven = mailbox.proven.map(|at| (now - at).as_secs());
        let retry_in = format!("{:.1} s", pause.as_secs_f64());
        self.since.get_or_insert(now);
        let error = match end {
            // told where it was noticed
            End::Jumped => return,
            End::Panicked => {
                tracing::error!(
                    mailbox = name,
                    retry_in,
                    "a fault in sftoken cost the connection"
                );
                return;
            }
            End::Error(error) if error.is_expiry() => {
                tracing::info!(mailbox = name, "{error}: logging in again");
                return;
            }
            End::Error(error) => error,
        };
        let (kind, hint) = (error.kind(), error.hint());
        let is_new = self
            .told
            .is_none_or(|(told, at)| told != kind || now - at >= REMINDER);
        if is_new {
            self.told = Some((kind, now));
            tracing::warn!(
                mailbox = name,
                kind,
                hint,
                retry_in,
                proven_seconds_ago = proven,
                "connection lost: {error}"
            );
        } else {
            tracing::debug!(
                mailbox = name,
                kind,
                retry_in,
                "still no connection: {error}"
            );
        }
    }
}

/// Whether a failed connection may have cost a log-in.
fn reached_log_in(error: &InboxError) -> bool {
    !matches!(
        error,
        InboxError::Unreachable { .. } | InboxError::Tls { .. } | InboxError::NoToken { .. }
    )
}

/// A panic ends the connection, not the watch.
async fn contained(mut work: Pin<Box<impl Future<Output = Result<Never, InboxError>>>>) -> End {
    std::future::poll_fn(
        |cx| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
            Ok(poll) => poll.map(|ended| match ended {
                Ok(never) => match never {},
                Err(error) => End::Error(error),
            }),
            Err(_) => std::task::Poll::Ready(End::Panicked),
        },
    )
    .await
}

/// Returns at the next jump of the clock.
async fn jumped(jumps: &mut Jumps) {
    if jumps.changed().await.is_err() {
        // nobody looks at the clock any more
        std::future::pending::<()>().await;
    }
}
