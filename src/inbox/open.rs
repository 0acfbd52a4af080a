//! Folders, opened and asked about.
//!
//! Knows EXAMINE, SELECT, STATUS and what they tell. Never opens a folder for writing unless it is
//! asked to. Its data comes from the [`Wire`](super::wire::Wire).

use async_imap::imap_proto::{MailboxDatum, Response, ResponseCode, StatusAttribute};
use tokio::time::Instant;

use super::folder::{self, Folder, is_same};
use super::text::clean;
use super::{InboxError, Session};

/// What may be done in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing but reading: EXAMINE.
    Read,
    /// Flags may be set and mails moved: SELECT.
    Write,
}

/// A folder as the server shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FolderState {
    /// UIDs mean the same as long as this stays the same.
    pub uid_validity: u32,
    /// No mail that comes will have a lower UID; some servers do not tell.
    pub uid_next: Option<u32>,
    /// How many mails there are.
    pub exists: u32,
    /// HIGHESTMODSEQ: whatever is changed gets a higher one (CONDSTORE, RFC 7162). Told when a folder is
    /// opened, by some servers only to who has asked for CONDSTORE.
    pub mod_seq: Option<u64>,
    /// A mail can be claimed in it: flags change on condition (CONDSTORE, RFC 7162), and keywords of our
    /// own are kept. Only known once it is open for writing.
    pub claims: bool,
}

impl Session {
    /// Opens a folder read-only.
    ///
    /// # Errors
    /// [`InboxError::NoSuchFolder`], and any refusal or cut.
    pub async fn examine(&mut self, folder: &Folder) -> Result<FolderState, InboxError> {
        self.open(folder, Access::Read).await
    }

    /// Opens a folder.
    ///
    /// # Errors
    /// [`InboxError::NoSuchFolder`], and any refusal or cut.
    pub async fn open(
        &mut self,
        folder: &Folder,
        access: Access,
    ) -> Result<FolderState, InboxError> {
        let mut seen = self.seen(folder);
        let condstore = self.known.has("CONDSTORE") || self.known.has("QRESYNC");
        let (name, line) = match access {
            Access::Read => ("EXAMINE", format!("EXAMINE {}", folder.quoted())),
            Access::Write if condstore => {
                ("SELECT", format!("SELECT {} (CONDSTORE)", folder.quoted()))
            }
            Access::Write => ("SELECT", format!("SELECT {}", folder.quoted())),
        };
        let opened = self
            .wire
            .command(name, &[&line], |response| seen.note(response))
            .await;
        match opened {
            Ok(done) => {
                self.access = access;
                seen.writable = access == Access::Write && !done.read_only;
            }
            Err(error) => return Err(self.explain(error, folder).await?),
        }
        self.opened_at = Instant::now();
        // what is told of it from here on is told as of the open folder
        self.wire.told.elsewhere.remove(folder.as_str());
        if seen.uid_validity.is_none() || seen.uid_next.is_none() {
            // Winmail and 163.com leave them out of EXAMINE (facts, 4.3)
            match self.ask_status(folder, &mut seen).await {
                Ok(()) | Err(InboxError::Refused { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        self.state(&seen)
    }

    /// How a folder stands that is not open, at the price of one small command.
    ///
    /// # Errors
    /// Any refusal or cut.
    pub async fn status(&mut self, folder: &Folder) -> Result<FolderState, InboxError> {
        let mut seen = self.seen(folder);
        self.ask_status(folder, &mut seen).await?;
        self.state(&seen)
    }

    async fn ask_status(&mut self, folder: &Folder, seen: &mut Seen) -> Result<(), InboxError> {
        let line = format!("STATUS {} (UIDVALIDITY UIDNEXT MESSAGES)", folder.quoted());
        let asked = self
            .wire
            .command("STATUS", &[&line], |response| seen.note(response))
            .await;
        // the answer is no news
        self.wire.told.elsewhere.remove(folder.as_str());
        asked.map(drop)
    }

    fn seen(&self, folder: &Folder) -> Seen {
        Seen {
            // while notifications come, a STATUS may be about any folder
            of: self.notified.then(|| folder.as_str().to_owned()),
            ..Seen::default()
        }
    }

    fn state(&self, seen: &Seen) -> Result<FolderState, InboxError> {
        let uid_validity = seen
            .uid_validity
            .ok_or_else(|| self.wire.protocol("the server tells no UIDVALIDITY"))?;
        Ok(FolderState {
            uid_validity,
            uid_next: seen.uid_next,
            exists: seen.exists,
            mod_seq: seen.mod_seq,
            claims: seen.mod_seq.is_some() && seen.keywords && seen.writable,
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
}

/// What EXAMINE, SELECT and STATUS tell.
#[derive(Default)]
struct Seen {
    /// Whose STATUS counts, if not anyone's.
    of: Option<String>,
    uid_validity: Option<u32>,
    uid_next: Option<u32>,
    exists: u32,
    /// Set where the folder has modification sequences.
    mod_seq: Option<u64>,
    /// Keywords that nobody has used yet can be set.
    keywords: bool,
    writable: bool,
}

impl Seen {
    fn note(&mut self, response: &Response<'_>) {
        match response {
            Response::MailboxData(MailboxDatum::Exists(count)) => self.exists = *count,
            Response::MailboxData(MailboxDatum::Status { mailbox, status })
                if self.of.as_deref().is_none_or(|of| is_same(of, mailbox)) =>
            {
                status
                    .iter()
                    .for_each(|attribute| self.note_status(attribute));
            }
            Response::Data { outcome, .. } => self.note_code(outcome.code.as_ref()),
            _ => {}
        }
    }

    fn note_code(&mut self, code: Option<&ResponseCode<'_>>) {
        match code {
            Some(ResponseCode::UidValidity(value)) => self.uid_validity = Some(*value),
            Some(ResponseCode::UidNext(value)) => self.uid_next = Some(*value),
            Some(ResponseCode::HighestModSeq(value)) => {
                self.mod_seq = Some(*value).filter(|value| *value > 0);
            }
            Some(ResponseCode::PermanentFlags(flags)) => {
                self.keywords = flags.iter().any(|flag| flag == "\\*");
            }
            _ => {}
        }
    }

    fn note_status(&mut self, attribute: &StatusAttribute) {
        match attribute {
            StatusAttribute::UidValidity(value) => {
                self.uid_validity = self.uid_validity.or(Some(*value))
            }
            StatusAttribute::UidNext(value) => self.uid_next = self.uid_next.or(Some(*value)),
            StatusAttribute::Messages(count) => self.exists = self.exists.max(*count),
            _ => {}
        }
    }
}
