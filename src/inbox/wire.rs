//! Commands out, responses in: one at a time, each to its own tagged OK.
//!
//! Knows tags, continuations, deadlines, and that a connection with an unfinished command is worthless.
//! Never knows what a command is for. Its data comes from the guarded stream, through async-imap's codec.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;

use async_imap::Client;
use async_imap::imap_proto::{MailboxDatum, Outcome, Response, ResponseCode, Status};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::{Duration, Instant, timeout_at};
use zeroize::Zeroizing;

use super::guard::{Guard, Violation};
use super::outcome::{bye, capabilities_in, said};
use super::text::{Code, split_code};
use super::told::Told;
use super::{InboxError, Limits, Phase, TlsFault};

/// A transport: TCP, TLS, or a test's pipe.
pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// One connection. Dropping it at any moment is safe; a command that was not seen to its end leaves
/// `busy` behind, and every later one fails (facts, 4.2 row 15: the late answer would be taken for ours).
pub(super) struct Wire {
    client: Client<Guard<Box<dyn Io>>>,
    /// `host:port`, for errors.
    pub(super) at: String,
    pub(super) limits: Limits,
    /// The end of the current phase (the log-in), if it has one.
    pub(super) phase_end: Option<Instant>,
    /// Something that may mean new mail was seen since the last search.
    pub(super) changed: bool,
    /// How many mails the open folder has, as was told last.
    exists: Option<u32>,
    /// What was told of other folders, and other things that nobody asked for.
    pub(super) told: Told,
    /// When a command was last answered: both ways worked then.
    pub(super) last_roundtrip: Instant,
    /// When anything was last heard.
    pub(super) last_heard: Instant,
    tag: u32,
    read: u64,
    busy: bool,
}

/// A tagged OK.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// Capabilities in the response code, if it held any.
    pub(super) capabilities: Option<Vec<String>>,
    /// A response code that the parser does not know, such as `MODIFIED`.
    pub(super) code: Option<Code>,
    /// The folder that was opened cannot be changed.
    pub(super) read_only: bool,
}

/// What [`Wire::hear`] heard.
pub(super) enum Heard {
    /// An untagged response.
    Untagged,
    /// `+`, with its text: what a SASL mechanism asks.
    Continue(String),
    /// The tagged response: OK, or why not.
    Tagged(Result<Done, InboxError>),
}

impl Wire {
    pub(super) fn new(stream: Box<dyn Io>, at: String, limits: Limits) -> Self {
        let client = Client::new(Guard::new(stream, &limits));
        let now = Instant::now();
        Self {
            client,
            at,
            limits,
            phase_end: None,
            changed: false,
            exists: None,
            told: Told::default(),
            last_roundtrip: now,
            last_heard: now,
            tag: 0,
            read: 0,
            busy: false,
        }
    }

    /// The bare stream, if nothing of the server's is left between it and us.
    pub(super) fn into_stream(self) -> Option<Box<dyn Io>> {
        let clean = self.client.get_ref().whole_responses() == Some(self.read);
        clean.then(|| self.client.into_inner().into_inner())
    }

    /// Runs a command to its tagged OK. `parts` after the first are sent when the server asks for more
    /// (literals, SASL); `each` sees every untagged response.
    pub(super) async fn command(
        &mut self,
        name: &'static str,
        parts: &[&str],
        each: impl FnMut(&Response<'_>),
    ) -> Result<Done, InboxError> {
        self.command_within(self.limits.command, name, parts, each)
            .await
    }

    /// The same, with a deadline of its own.
    pub(super) async fn command_within(
        &mut self,
        within: Duration,
        name: &'static str,
        parts: &[&str],
        mut each: impl FnMut(&Response<'_>),
    ) -> Result<Done, InboxError> {
        let deadline = self.deadline(within);
        let phase = self.phase(name);
        let mut parts = parts.iter();
        let first = parts.next().copied().unwrap_or(name);
        let tag = self.start(first, deadline, phase).await?;
        loop {
            match self.hear(name, &tag, deadline, phase, &mut each).await? {
                Heard::Untagged => {}
                Heard::Continue(_) => match parts.next() {
                    Some(part) => self.send(&[part, "\r\n"], deadline, phase).await?,
                    None => {
                        return Err(self.protocol("the server asks for more than the command has"));
                    }
                },
                Heard::Tagged(result) => return result,
            }
        }
    }

    /// Sends a command. From now to its tagged response the connection is busy.
    pub(super) async fn start(
        &mut self,
        line: &str,
        deadline: Instant,
        phase: Phase,
    ) -> Result<String, InboxError> {
        if self.busy {
            return Err(self.disconnected(None));
        }
        self.busy = true;
        self.tag += 1;
        let tag = format!("S{:04}", self.tag);
        self.send(&[&tag, " ", line, "\r\n"], deadline, phase)
            .await?;
        Ok(tag)
    }

    /// One write and one flush, so that a command is one TLS record and one segment; the buffer is wiped,
    /// because it may hold a password.
    pub(super) async fn send(
        &mut self,
        pieces: &[&str],
        deadline: Instant,
        phase: Phase,
    ) -> Result<(), InboxError> {
        let mut line = Zeroizing::new(Vec::with_capacity(pieces.iter().map(|p| p.len()).sum()));
        pieces
            .iter()
            .for_each(|piece| line.extend_from_slice(piece.as_bytes()));
        let stream = self.client.get_mut();
        let written = timeout_at(deadline, async {
            stream.write_all(&line).await?;
            stream.flush().await
        });
        match written.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(self.disconnected(None)),
            Err(_) => Err(self.timeout(phase)),
        }
    }

    /// The next response to the command `tag`; `each` sees it if it is untagged.
    pub(super) async fn hear(
        &mut self,
        name: &'static str,
        tag: &str,
        deadline: Instant,
        phase: Phase,
        each: impl FnOnce(&Response<'_>),
    ) -> Result<Heard, InboxError> {
        let at = self.at.clone();
        let read = self.receive(|response| match response {
            Response::Continue(outcome) => {
                let text = outcome.information.as_deref().unwrap_or_default();
                Ok(Heard::Continue(text.to_owned()))
            }
            Response::Done { tag: other, .. } if other.0 != tag => {
                Err("the server answers a command that nobody gave")
            }
            Response::Done {
                status, outcome, ..
            } => judge(at, name, status, outcome).map(Heard::Tagged),
            untagged => {
                each(untagged);
                Ok(Heard::Untagged)
            }
        });
        let heard = match timeout_at(deadline, read).await {
            Ok(read) => read?.map_err(|what| self.protocol(what))?,
            Err(_) => return Err(self.timeout(phase)),
        };
        if let Heard::Tagged(_) = heard {
            self.busy = false;
            self.last_roundtrip = Instant::now();
        }
        Ok(heard)
    }

    /// The next response, whatever it is, shown to `read`. A BYE is the end. Dropping the future loses
    /// nothing: the codec keeps what it has read (`ImapStream` holds all its state outside of futures).
    pub(super) async fn receive<T>(
        &mut self,
        read: impl FnOnce(&Response<'_>) -> T,
    ) -> Result<T, InboxError> {
        let result = caught(self.client.read_response()).await;
        // any way out of here but the last is the end of the connection; being dropped above is not
        let busy = std::mem::replace(&mut self.busy, true);
        let data = match result {
            Err(Panicked) => return Err(self.protocol("the server's response breaks the parser")),
            Ok(Ok(Some(data))) => data,
            Ok(Ok(None)) => return Err(self.disconnected(None)),
            Ok(Err(error)) => return Err(self.explain(&error)),
        };
        self.read += 1;
        self.last_heard = Instant::now();
        self.told.note(data.parsed());
        self.changed |= may_mean_new_mail(data.parsed(), &mut self.exists);
        if let Response::Data {
            status: Status::Bye,
            outcome,
        } = data.parsed()
        {
            return Err(self.disconnected(Some(bye(outcome))));
        }
        self.busy = busy;
        Ok(read(data.parsed()))
    }

    /// NOTE: the codec's errors hold the raw bytes: none of their text is kept (facts, 4.2 row 10).
    fn explain(&self, error: &io::Error) -> InboxError {
        if let Some(violation) = error.get_ref().and_then(|e| e.downcast_ref::<Violation>()) {
            return InboxError::Limit {
                at: self.at.clone(),
                violation: *violation,
            };
        }
        if let Some(fault) = error.get_ref().and_then(|e| e.downcast_ref::<TlsFault>()) {
            return InboxError::Tls {
                at: self.at.clone(),
                fault: fault.clone(),
            };
        }
        if self.client.get_ref().was_cut() || error.kind() == io::ErrorKind::UnexpectedEof {
            return self.disconnected(None);
        }
        self.protocol("the server's response cannot be read")
    }

    /// The earlier of `within` from now and the end of the phase.
    pub(super) fn deadline(&self, within: Duration) -> Instant {
        let end = Instant::now() + within;
        self.phase_end.map_or(end, |phase| phase.min(end))
    }

    fn phase(&self, name: &'static str) -> Phase {
        if self.phase_end.is_some() {
            Phase::Login
        } else {
            Phase::Command(name)
        }
    }

    /// The server has told that it speaks IMAP4rev2 only.
    pub(super) fn is_rev2_only(&self) -> bool {
        self.client.get_ref().is_rev2_only()
    }

    pub(super) fn is_busy(&self) -> bool {
        self.busy
    }

    pub(super) fn timeout(&self, phase: Phase) -> InboxError {
        InboxError::Timeout {
            at: self.at.clone(),
            phase,
        }
    }

    pub(super) fn protocol(&self, what: &'static str) -> InboxError {
        InboxError::Protocol {
            at: self.at.clone(),
            what,
        }
    }

    pub(super) fn disconnected(&self, bye: Option<String>) -> InboxError {
        InboxError::Disconnected {
            at: self.at.clone(),
            bye,
        }
    }

    /// Closes the transport; what it says to that does not matter any more.
    pub(super) async fn close(mut self) {
        let _ = self.client.get_mut().shutdown().await;
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire")
            .field("at", &self.at)
            .field("busy", &self.busy)
            .finish_non_exhaustive()
    }
}

/// What a tagged response says: OK, or a refusal; anything else is not an answer.
fn judge(
    at: String,
    command: &'static str,
    status: &Status,
    outcome: &Outcome<'_>,
) -> Result<Result<Done, InboxError>, &'static str> {
    let status = match status {
        Status::Ok => {
            return Ok(Ok(Done {
                capabilities: capabilities_in(outcome),
                code: split_code(outcome.information.as_deref().unwrap_or_default()).0,
                read_only: outcome.code == Some(ResponseCode::ReadOnly),
            }));
        }
        Status::No => "NO",
        Status::Bad => "BAD",
        _ => return Err("the server ends a command with neither OK, NO nor BAD"),
    };
    let (code, text) = said(outcome);
    Ok(Err(InboxError::Refused {
        at,
        command,
        status,
        code,
        text,
    }))
}

/// What may mean new mail in the folder that is open. EXPUNGE counts: after 150 of them async-imap's
/// channel had dropped the EXISTS (facts, 4.2 row 13), and a search too many costs nothing. An EXISTS that
/// tells what was told before does not: there are servers that repeat it with each answer, and each
/// search is answered.
fn may_mean_new_mail(response: &Response<'_>, exists: &mut Option<u32>) -> bool {
    match response {
        Response::MailboxData(MailboxDatum::Exists(count)) => {
            exists.replace(*count) != Some(*count)
        }
        Response::Expunge(_) | Response::Vanished { .. } => {
            // whatever number comes next is news
            *exists = None;
            true
        }
        _ => false,
    }
}

struct Panicked;

/// Polls a future so that a panic ends the connection, not the task: imap-proto has `unwrap`s on
/// `INTERNALDATE NIL` and slices in a response text (facts, 4.2 row 8).
async fn caught<F: Future>(future: F) -> Result<F::Output, Panicked> {
    let mut future = pin!(future);
    poll_fn(
        |cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(_) => std::task::Poll::Ready(Err(Panicked)),
        },
    )
    .await
}
