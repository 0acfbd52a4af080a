//! Waiting for something to happen, and proving meanwhile that it would be heard.
//!
//! Knows IDLE (RFC 2177), what to do without it, and when a silent connection is asked whether it still
//! lives. Never searches: whoever is woken does, after every wake and before every wait. Its data comes
//! from the [`Wire`](super::wire::Wire).
//!
//! ```text
//! IDLE -> "+" -> anything that may mean new mail, or the time to ask -> DONE -> tagged OK -> Wake
//! ```

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::wire::Heard;
use super::{InboxError, Phase, Session};

/// Exchange stops to push in a longer IDLE (angus-mail#176).
const EXCHANGE_RENEW: Duration = Duration::from_secs(10 * 60);

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// Something was seen that may mean new mail in the open folder.
    Changed,
    /// Something was seen that may mean new mail in another folder: see
    /// [`news_elsewhere`](Session::news_elsewhere).
    Elsewhere,
    /// The server has answered: the connection lives, and nothing was seen.
    Alive,
    /// Time to open the folder anew.
    Renew,
}

impl Session {
    /// Waits until there may be new mail, or until the connection was proven to live. Search after
    /// [`Wake::Changed`]; after [`Wake::Alive`], wait again.
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
        if let Some(news) = self.news() {
            return Ok(news);
        }
        let now = Instant::now();
        // absolute: async-imap's own timer starts again at every keepalive (facts, 4.2 row 7)
        let end = self.renewal().min(far_from(now, at_most));
        if !self.idles || !self.idle(end).await? {
            let poll = (self.opened_at + self.wire.limits.poll).max(now);
            self.ask(end.min(poll)).await?;
        }
        Ok(self.news().unwrap_or_else(|| self.time()))
    }

    /// When the folder is due to be opened anew.
    fn renewal(&self) -> Instant {
        let limits = &self.wire.limits;
        let age = match self.wire.told.exchange {
            true => limits.idle_renew.min(EXCHANGE_RENEW),
            false => limits.idle_renew,
        };
        self.opened_at + age
    }

    /// What was seen since the last look, if anything.
    fn news(&self) -> Option<Wake> {
        let told = &self.wire.told;
        match (
            self.wire.changed,
            told.overflow || !told.elsewhere.is_empty(),
        ) {
            (true, _) => Some(Wake::Changed),
            (_, true) => Some(Wake::Elsewhere),
            _ => None,
        }
    }

    fn time(&self) -> Wake {
        let now = Instant::now();
        let polled = !self.idles && now >= self.opened_at + self.wire.limits.poll;
        if polled || now >= self.renewal() {
            Wake::Renew
        } else {
            Wake::Alive
        }
    }

    /// One round of IDLE, to its tagged OK; `false` when the server refuses it.
    async fn idle(&mut self, end: Instant) -> Result<bool, InboxError> {
        let deadline = self.wire.deadline(self.wire.limits.answer());
        let tag = self.wire.start("IDLE", deadline, IDLE).await?;
        loop {
            match self.wire.hear("IDLE", &tag, deadline, IDLE, |_| ()).await? {
                Heard::Untagged => {}
                Heard::Continue(_) => break,
                Heard::Tagged(result) => return self.without_idle(result.map(drop)),
            }
        }
        self.idling = Some(tag.clone());
        let ended = self.listen(end, Some(&tag)).await;
        self.idling = None;
        if let Some(ended) = ended? {
            return self.without_idle(ended);
        }
        self.done(&tag).await?;
        Ok(true)
    }

    /// Ends an IDLE: DONE, then everything up to the tagged OK. A dead connection shows here.
    pub(super) async fn done(&mut self, tag: &str) -> Result<(), InboxError> {
        let deadline = Instant::now() + self.wire.limits.answer();
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
    fn without_idle(&mut self, ended: Result<(), InboxError>) -> Result<bool, InboxError> {
        match ended {
            Ok(()) | Err(InboxError::Refused { .. }) => {
                tracing::warn!(at = %self.wire.at, "the server refuses IDLE: polling instead");
                self.idles = false;
                Ok(self.wire.changed)
            }
            Err(error) => Err(error),
        }
    }

    /// Waits without IDLE, then asks by NOOP: its answer tells of new mail, too (RFC 9051, 6.1.2).
    async fn ask(&mut self, end: Instant) -> Result<(), InboxError> {
        self.listen(end, None).await?;
        if self.news().is_none() {
            let within = self.wire.limits.answer();
            let asked = self.wire.command_within(within, "NOOP", &[], |_| ());
            asked.await?;
        }
        Ok(())
    }

    /// Reads until something may mean new mail, until `end`, or until the connection was silent for so
    /// long that it is to be asked. With a tag, `Some` when the server has ended that command.
    async fn listen(
        &mut self,
        end: Instant,
        tag: Option<&str>,
    ) -> Result<Option<Result<(), InboxError>>, InboxError> {
        let far = far_from(Instant::now(), self.wire.limits.idle_renew * 2);
        while self.news().is_none() {
            let probe = self.wire.last_heard + self.wire.limits.probe();
            let hearing = async {
                match tag {
                    Some(tag) => self.wire.hear("IDLE", tag, far, IDLE, |_| ()).await,
                    None => self.wire.receive(|_| Heard::Untagged).await,
                }
            };
            // dropping it loses nothing, see `Wire::receive`
            match timeout_at(end.min(probe), hearing).await {
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
}

/// `Duration::MAX` from now is not a time.
fn far_from(now: Instant, after: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(86_400);
    now + after.min(FAR)
}

/// The phase of every time-out here.
const IDLE: Phase = Phase::Command("IDLE");
