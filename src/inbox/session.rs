//! One logged-in connection with one folder, opened read-only.
//!
//! Knows which commands to give and what their answers mean. Never takes a refusal, a cut or a strange
//! answer for an empty one, never changes the mailbox. Its data comes from the [`Wire`].

use std::time::Instant as StdInstant;

use async_imap::imap_proto::{MailboxDatum, Response, ResponseCode, StatusAttribute};
use jiff::civil::Date;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Duration, Instant, timeout};

use super::folder::{self, Folder};
use super::login::{self, Capabilities};
use super::text::clean;
use super::wire::{Io, Wire};
use super::{Endpoint, InboxError, Limits, Security, TlsFault, transport};
use crate::ingest::secret::Secret;

/// How long a server may take to say good-bye.
const FAREWELL: Duration = Duration::from_secs(2);

/// The most UIDs that one search may give: beyond it the server is not telling UIDs of one mailbox.
const MAX_FOUND: usize = 1_000_000;

/// A logged-in connection.
///
/// Any method may be dropped before it ends, and any may fail: the connection is then spent, and every
/// later call fails with [`InboxError::Disconnected`]. Only [`InboxError::Refused`] and
/// [`InboxError::NoSuchFolder`] leave it usable.
#[derive(Debug)]
pub struct Session {
    pub(super) wire: Wire,
    known: Capabilities,
    /// The server has IDLE, and has not refused it yet.
    pub(super) idles: bool,
}

/// A folder as EXAMINE shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FolderState {
    /// UIDs mean the same as long as this stays the same.
    pub uid_validity: u32,
    /// No mail that comes will have a lower UID; some servers do not tell.
    pub uid_next: Option<u32>,
    /// How many mails there are.
    pub exists: u32,
}

impl Session {
    /// Connects and logs in.
    ///
    /// # Errors
    /// Any [`InboxError`] but the ones about folders.
    pub async fn connect(
        endpoint: &Endpoint,
        password: &Secret,
        limits: &Limits,
    ) -> Result<Self, InboxError> {
        let at = endpoint.at();
        let deadline = Instant::now() + limits.connect;
        let tcp = transport::tcp(endpoint, &at, deadline, limits.liveness).await?;
        if endpoint.security == Security::StartTls {
            return Self::after_starttls(endpoint, at, Box::new(tcp), password, limits).await;
        }
        let stream = transport::tls(endpoint, &at, Box::new(tcp), deadline).await?;
        let mut wire = Wire::new(stream, at, limits.clone());
        wire.phase_end = Some(Instant::now() + limits.login);
        let greeting = login::greeting(&mut wire).await?;
        Self::log_in(wire, greeting, &endpoint.user, password).await
    }

    /// Greeting, STARTTLS, handshake and log-in, under one deadline.
    async fn after_starttls(
        endpoint: &Endpoint,
        at: String,
        tcp: Box<dyn Io>,
        password: &Secret,
        limits: &Limits,
    ) -> Result<Self, InboxError> {
        let end = Instant::now() + limits.login;
        let mut wire = Wire::new(tcp, at.clone(), limits.clone());
        wire.phase_end = Some(end);
        login::starttls(&mut wire).await?;
        let Some(bare) = wire.into_stream() else {
            return Err(InboxError::Tls {
                at,
                fault: TlsFault::Injected,
            });
        };
        let stream = transport::tls(endpoint, &at, bare, end).await?;
        let mut wire = Wire::new(stream, at, limits.clone());
        wire.phase_end = Some(end);
        // a server does not greet again after STARTTLS
        Self::log_in(wire, login::Greeting::Ok(None), &endpoint.user, password).await
    }

    /// Logs in over a stream that is private already: a tunnel, or a test's pipe. `at` names it in errors.
    ///
    /// # Errors
    /// As [`Session::connect`], without those about TCP and TLS.
    pub async fn connect_over<S>(
        stream: S,
        at: &str,
        user: &str,
        password: &Secret,
        limits: &Limits,
    ) -> Result<Self, InboxError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let mut wire = Wire::new(Box::new(stream), at.to_owned(), limits.clone());
        wire.phase_end = Some(Instant::now() + limits.login);
        let greeting = login::greeting(&mut wire).await?;
        Self::log_in(wire, greeting, user, password).await
    }

    async fn log_in(
        mut wire: Wire,
        greeting: login::Greeting,
        user: &str,
        password: &Secret,
    ) -> Result<Self, InboxError> {
        let known = login::log_in(&mut wire, greeting, user, password).await?;
        wire.phase_end = None;
        let idles = known.has("IDLE");
        tracing::debug!(at = %wire.at, idle = idles, "logged in");
        Ok(Self { wire, known, idles })
    }

    /// The folder with this name. `\Junk` and the like (RFC 6154) are looked up; other names are taken as
    /// they are, in any script.
    ///
    /// # Errors
    /// [`InboxError::NoSuchFolder`] when no folder has that use.
    pub async fn resolve_folder(&mut self, name: &str) -> Result<Folder, InboxError> {
        if name.starts_with('\\') {
            folder::special(&mut self.wire, &self.known, name).await
        } else {
            Ok(Folder::named(name))
        }
    }

    /// Opens a folder read-only.
    ///
    /// # Errors
    /// [`InboxError::NoSuchFolder`], and any refusal or cut.
    pub async fn examine(&mut self, folder: &Folder) -> Result<FolderState, InboxError> {
        let mut seen = Seen::default();
        let line = format!("EXAMINE {}", folder.quoted());
        let opened = self
            .wire
            .command("EXAMINE", &[&line], |response| seen.note(response))
            .await;
        if let Err(error) = opened {
            return Err(self.explain(error, folder).await?);
        }
        if seen.uid_validity.is_none() || seen.uid_next.is_none() {
            // Winmail and 163.com leave them out of EXAMINE (facts, 4.3)
            let line = format!("STATUS {} (UIDVALIDITY UIDNEXT)", folder.quoted());
            match self
                .wire
                .command("STATUS", &[&line], |response| seen.note(response))
                .await
            {
                Ok(_) | Err(InboxError::Refused { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let uid_validity = seen
            .uid_validity
            .ok_or_else(|| self.wire.protocol("the server tells no UIDVALIDITY"))?;
        Ok(FolderState {
            uid_validity,
            uid_next: seen.uid_next,
            exists: seen.exists,
        })
    }

    /// Why a folder was not opened. Dovecot says that a folder is missing in words only, others in their
    /// user's language: without a code, LIST is asked.
    async fn explain(
        &mut self,
        error: InboxError,
        folder: &Folder,
    ) -> Result<InboxError, InboxError> {
        let missing = match &error {
            InboxError::Refused {
                status: "NO",
                code: None,
                ..
            } => !folder::exists(&mut self.wire, folder).await?,
            InboxError::Refused {
                code: Some(code), ..
            } => code == "NONEXISTENT" || code == "TRYCREATE",
            _ => false,
        };
        if !missing {
            return Ok(error);
        }
        Ok(InboxError::NoSuchFolder {
            at: self.wire.at.clone(),
            folder: clean(folder.as_str()),
        })
    }

    /// The UIDs from `first_uid` on, in order.
    ///
    /// # Errors
    /// Any refusal or cut. Nothing found is not an error.
    pub async fn search_from(&mut self, first_uid: u32) -> Result<Vec<u32>, InboxError> {
        let first = first_uid.max(1);
        let mut found = self.search(&format!("UID {first}:*")).await?;
        // `n:*` always names the last mail too, even below n (RFC 9051, 9, seq-range)
        found.retain(|&uid| uid >= first);
        Ok(found)
    }

    /// The UIDs of mails that came to the mailbox on `day` or later, in order. Servers compare days in a
    /// time zone of their own: ask for a day or two more.
    ///
    /// # Errors
    /// Any refusal or cut. Nothing found is not an error.
    pub async fn search_since(&mut self, day: Date) -> Result<Vec<u32>, InboxError> {
        self.search(&format!("SINCE {}", day.strftime("%-d-%b-%Y")))
            .await
    }

    async fn search(&mut self, criteria: &str) -> Result<Vec<u32>, InboxError> {
        // what is seen from here on may be too late for the answer
        self.wire.changed = false;
        let mut found = Vec::new();
        let line = format!("UID SEARCH {criteria}");
        self.wire
            .command("SEARCH", &[&line], |response| {
                if let Response::MailboxData(MailboxDatum::Search(uids)) = response
                    && found.len() <= MAX_FOUND
                {
                    found.extend(uids);
                }
            })
            .await?;
        if found.len() > MAX_FOUND {
            return Err(self
                .wire
                .protocol("the search finds more mails than a mailbox holds"));
        }
        found.sort_unstable();
        found.dedup();
        found.retain(|&uid| uid > 0);
        Ok(found)
    }

    /// When the server last answered a command: proof that the connection lived then.
    #[must_use]
    pub fn last_roundtrip(&self) -> StdInstant {
        self.wire.last_roundtrip.into_std()
    }

    /// Says good-bye, for two seconds at most, and closes the connection.
    pub async fn logout(mut self) {
        let farewell = async {
            if !self.wire.is_busy() {
                let _ = self.wire.command("LOGOUT", &[], |_| ()).await;
            }
            self.wire.close().await;
        };
        let _ = timeout(FAREWELL, farewell).await;
    }
}

/// What EXAMINE and STATUS tell.
#[derive(Default)]
struct Seen {
    uid_validity: Option<u32>,
    uid_next: Option<u32>,
    exists: u32,
}

impl Seen {
    fn note(&mut self, response: &Response<'_>) {
        match response {
            Response::MailboxData(MailboxDatum::Exists(count)) => self.exists = *count,
            Response::MailboxData(MailboxDatum::Status { status, .. }) => {
                status
                    .iter()
                    .for_each(|attribute| self.note_status(attribute));
            }
            Response::Data { outcome, .. } => match outcome.code {
                Some(ResponseCode::UidValidity(value)) => self.uid_validity = Some(value),
                Some(ResponseCode::UidNext(value)) => self.uid_next = Some(value),
                _ => {}
            },
            _ => {}
        }
    }

    fn note_status(&mut self, attribute: &StatusAttribute) {
        match attribute {
            StatusAttribute::UidValidity(value) => {
                self.uid_validity = self.uid_validity.or(Some(*value))
            }
            StatusAttribute::UidNext(value) => self.uid_next = self.uid_next.or(Some(*value)),
            _ => {}
        }
    }
}
