//! One logged-in connection: how it begins and ends, and how mails are searched for.
//!
//! Knows which commands to give and what their answers mean. Never takes a refusal, a cut or a strange
//! answer for an empty one. Its data comes from the [`Wire`].

use async_imap::imap_proto::{MailboxDatum, Response};
use jiff::civil::Date;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Duration, Instant, timeout};

use super::credential::Proof;
use super::folder::{self, Folder};
use super::login::{self, Capabilities};
use super::wire::{Io, Wire};
use super::{
    Access, Credential, Endpoint, InboxError, Limits, Security, TlsFault, rev2, transport,
};

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
    pub(super) known: Capabilities,
    /// The server has IDLE, and has not refused it yet.
    pub(super) idles: bool,
    /// The server tells of folders that are not open.
    pub(super) notified: bool,
    /// What the open folder was opened for.
    pub(super) access: Access,
    /// When the folder that is open was opened.
    pub(super) opened_at: Instant,
    /// The tag of an IDLE that was not ended yet.
    pub(super) idling: Option<String>,
}

impl Session {
    /// Connects and logs in.
    ///
    /// # Errors
    /// Any [`InboxError`] but the ones about folders.
    pub async fn connect(
        endpoint: &Endpoint,
        credential: &Credential,
        limits: &Limits,
    ) -> Result<Self, InboxError> {
        let at = endpoint.at();
        let proof = credential.in_hand(&at).await?;
        let deadline = Instant::now() + limits.connect;
        let tcp = transport::tcp(endpoint, &at, deadline, limits.liveness).await?;
        if endpoint.security == Security::StartTls {
            return Self::after_starttls(endpoint, at, Box::new(tcp), &proof, limits).await;
        }
        let stream = transport::tls(endpoint, &at, Box::new(tcp), deadline).await?;
        let mut wire = Wire::new(stream, at, limits.clone());
        wire.phase_end = Some(Instant::now() + limits.login);
        let greeting = login::greeting(&mut wire).await?;
        Self::log_in(wire, greeting, &endpoint.user, &proof).await
    }

    /// Greeting, STARTTLS, handshake and log-in, under one deadline.
    async fn after_starttls(
        endpoint: &Endpoint,
        at: String,
        tcp: Box<dyn Io>,
        proof: &Proof,
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
        Self::log_in(wire, login::Greeting::Ok(None), &endpoint.user, proof).await
    }

    /// Logs in over a stream that is private already: a tunnel, or a test's pipe. `at` names it in errors.
    ///
    /// # Errors
    /// As [`Session::connect`], without those about TCP and TLS.
    pub async fn connect_over<S>(
        stream: S,
        at: &str,
        user: &str,
        credential: &Credential,
        limits: &Limits,
    ) -> Result<Self, InboxError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let proof = credential.in_hand(at).await?;
        let mut wire = Wire::new(Box::new(stream), at.to_owned(), limits.clone());
        wire.phase_end = Some(Instant::now() + limits.login);
        let greeting = login::greeting(&mut wire).await?;
        Self::log_in(wire, greeting, user, &proof).await
    }

    async fn log_in(
        mut wire: Wire,
        greeting: login::Greeting,
        user: &str,
        proof: &Proof,
    ) -> Result<Self, InboxError> {
        let known = login::log_in(&mut wire, greeting, user, proof).await?;
        wire.phase_end = None;
        let idles = known.has("IDLE");
        tracing::debug!(at = %wire.at, idle = idles, "logged in");
        Ok(Self {
            wire,
            known,
            idles,
            notified: false,
            access: Access::Read,
            opened_at: Instant::now(),
            idling: None,
        })
    }

    /// The folder with this name. `\Junk` and the like (RFC 6154) are looked up; other names are taken as
    /// they are, in any script.
    ///
    /// # Errors
    /// [`InboxError::NoSuchFolder`] when no folder has that use.
    pub async fn resolve_folder(&mut self, name: &str) -> Result<Folder, InboxError> {
        if name.starts_with('\\') {
            folder::special(&mut self.wire, self.known, name).await
        } else if self.wire.is_rev2_only() {
            Ok(Folder::in_utf8(name))
        } else {
            Ok(Folder::named(name))
        }
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

    /// The UIDs from `first_uid` on of mails that bear one of two keywords, in order. Says nothing about new
    /// mail: what was seen since the last search stays news.
    ///
    /// # Errors
    /// Any refusal or cut. Nothing found is not an error.
    pub async fn search_keywords(
        &mut self,
        first_uid: u32,
        [one, other]: [&str; 2],
    ) -> Result<Vec<u32>, InboxError> {
        let first = first_uid.max(1);
        let criteria = format!("UID {first}:* OR KEYWORD {one} KEYWORD {other}");
        let mut found = self.find(&criteria).await?;
        found.retain(|&uid| uid >= first);
        Ok(found)
    }

    async fn search(&mut self, criteria: &str) -> Result<Vec<u32>, InboxError> {
        // what is seen from here on may be too late for the answer
        self.wire.changed = false;
        self.find(criteria).await
    }

    async fn find(&mut self, criteria: &str) -> Result<Vec<u32>, InboxError> {
        let mut found = Vec::new();
        let mut odd = false;
        let line = format!("UID SEARCH {criteria}");
        self.wire
            .command("SEARCH", &[&line], |response| match response {
                Response::MailboxData(MailboxDatum::Search(uids)) => {
                    collect(&mut found, uids.iter().copied())
                }
                // ESEARCH, as `rev2` shows it to the parser
                Response::Capabilities(words) if rev2::is_esearch(words) => {
                    match rev2::found(words) {
                        Some(ranges) => ranges
                            .into_iter()
                            .for_each(|(first, last)| collect(&mut found, first..=last)),
                        None => odd = true,
                    }
                }
                _ => {}
            })
            .await?;
        if odd {
            return Err(self
                .wire
                .protocol("the server tells something else than the UIDs that a search found"));
        }
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
    pub fn last_roundtrip(&self) -> Instant {
        self.wire.last_roundtrip
    }

    /// What the server wants a person to read (`[ALERT]`, RFC 9051, 7.1), since this was last asked.
    pub fn take_alerts(&mut self) -> Vec<String> {
        std::mem::take(&mut self.wire.told.alerts)
    }

    /// Says good-bye, for two seconds at most, and closes the connection. An IDLE is ended first.
    pub async fn logout(mut self) {
        let farewell = async {
            if let Some(tag) = self.idling.take() {
                let _ = self.done(&tag).await;
            }
            if !self.wire.is_busy() {
                let _ = self.wire.command("LOGOUT", &[], |_| ()).await;
            }
            self.wire.close().await;
        };
        let _ = timeout(FAREWELL, farewell).await;
    }
}

/// No more than one beyond [`MAX_FOUND`], whatever a range promises.
fn collect(found: &mut Vec<u32>, uids: impl Iterator<Item = u32>) {
    found.extend(uids.take((MAX_FOUND + 1).saturating_sub(found.len())));
}
