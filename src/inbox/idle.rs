//! Waiting for something to happen.
//!
//! Knows IDLE (RFC 2177), and what to do without it. Never searches: whoever is woken does, after every
//! wake and before every wait. Its data comes from the [`Wire`](super::wire::Wire).
//!
//! ```text
//! IDLE -> "+" -> anything that may mean new mail, or the renewal's time -> DONE -> tagged OK -> Wake
//! ```

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::wire::Heard;
use super::{InboxError, Phase, Session};

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// Something was seen that may mean new mail.
    Changed,
    /// Time to show that the connection lives; there may be new mail all the same.
    Renew,
}

impl Session {
    /// Waits until there may be new mail, or until it is time to look anyway. Search after either.
    ///
    /// Returns at once if anything was seen since the last search: an EXISTS that comes with another
    /// command's answer, or before the `+`, is told only once (chatmail/core#4926).
    ///
    /// # Errors
    /// A cut, a BYE, a server that does not answer.
    pub async fn wait(&mut self) -> Result<Wake, InboxError> {
        self.wait_at_most(Duration::MAX).await
    }

    /// The same, but no longer than `at_most`: something else is due then.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    pub async fn wait_at_most(&mut self, at_most: Duration) -> Result<Wake, InboxError> {
        if self.wire.is_busy() {
            return Err(self.wire.disconnected(None));
        }
        if self.wire.changed {
            return Ok(Wake::Changed);
        }
        if self.idles
            && let Some(wake) = self.idle(at_most).await?
        {
            return Ok(wake);
        }
        let until = Instant::now() + self.wire.limits.poll.min(at_most);
        self.listen(until, None).await?;
        Ok(self.wake())
    }

    /// One round of IDLE; `None` when the server refuses it.
    async fn idle(&mut self, at_most: Duration) -> Result<Option<Wake>, InboxError> {
        // absolute: async-imap's own timer starts again at every keepalive (facts, 4.2 row 7)
        let renew = Instant::now() + self.wire.limits.idle_renew.min(at_most);
        let deadline = self.wire.deadline(self.wire.limits.command);
        let tag = self.wire.start("IDLE", deadline, IDLE).await?;
        loop {
            match self.wire.hear("IDLE", &tag, deadline, IDLE, |_| ()).await? {
                Heard::Untagged => {}
                Heard::Continue(_) => break,
                Heard::Tagged(result) => return self.without_idle(result.map(drop)),
            }
        }
        if let Some(ended) = self.listen(renew, Some(&tag)).await? {
            return self.without_idle(ended);
        }
        self.done(&tag).await?;
        Ok(Some(self.wake()))
    }

    /// Ends an IDLE: DONE, then everything up to the tagged OK.
    async fn done(&mut self, tag: &str) -> Result<(), InboxError> {
        let deadline = Instant::now() + self.wire.limits.done;
        self.wire.send(&["DONE\r\n"], deadline, IDLE).await?;
        loop {
            if let Heard::Tagged(result) =
                self.wire.hear("IDLE", tag, deadline, IDLE, |_| ()).await?
            {
                return result.map(drop);
            }
        }
    }

    /// An IDLE that the server ended by itself. From now on this connection polls: to ask again at once
    /// would be a tight loop.
    fn without_idle(&mut self, ended: Result<(), InboxError>) -> Result<Option<Wake>, InboxError> {
        match ended {
            Ok(()) | Err(InboxError::Refused { .. }) => {
                tracing::warn!(at = %self.wire.at, "the server refuses IDLE: polling instead");
                self.idles = false;
                Ok(self.wire.changed.then_some(Wake::Changed))
            }
            Err(error) => Err(error),
        }
    }

    /// Reads until something may mean new mail, or until `until`. With a tag, `Some` when the server has
    /// ended that command.
    async fn listen(
        &mut self,
        until: Instant,
        tag: Option<&str>,
    ) -> Result<Option<Result<(), InboxError>>, InboxError> {
        let far = until + self.wire.limits.command;
        while !self.wire.changed {
            let hearing = async {
                match tag {
                    Some(tag) => self.wire.hear("IDLE", tag, far, IDLE, |_| ()).await,
                    None => self.wire.receive(|_| Heard::Untagged).await,
                }
            };
            // dropping it at the time of renewal loses nothing, see `Wire::receive`
            match timeout_at(until, hearing).await {
                Ok(heard) => {
                    if let Heard::Tagged(result) = heard? {
                        return Ok(Some(result.map(drop)));
                    }
                }
                Err(_) => break,
            }
        }
        Ok(None)
    }

    fn wake(&self) -> Wake {
        if self.wire.changed {
            Wake::Changed
        } else {
            Wake::Renew
        }
    }
}

/// The phase of every time-out here.
const IDLE: Phase = Phase::Command("IDLE");
