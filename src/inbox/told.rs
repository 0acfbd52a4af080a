//! What a server tells without being asked.
//!
//! Knows news of other folders (NOTIFY, RFC 5465) and alerts. Never acts on them, and keeps a bounded
//! number. Its data comes from every response that passes the [`Wire`](super::wire::Wire).

use std::collections::BTreeSet;

use async_imap::imap_proto::{MailboxDatum, Response};

use super::outcome::said;

/// More folders than that are not told apart: all of them are looked at.
const MAX_FOLDERS: usize = 64;
/// More alerts than that at a time are one too many for anybody.
const MAX_ALERTS: usize = 4;

/// What was told since it was last taken.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Folders that are not open and have changed, by their names on the wire.
    pub(super) elsewhere: BTreeSet<String>,
    /// The server has stopped to notify (RFC 5465, 5.8): every folder may have changed.
    pub(super) overflow: bool,
    /// Texts that a person must see (RFC 9051, 7.1).
    pub(super) alerts: Vec<String>,
    /// The server says that it is Microsoft Exchange.
    pub(super) exchange: bool,
}

impl Told {
    pub(super) fn note(&mut self, response: &Response<'_>) {
        match response {
            Response::MailboxData(MailboxDatum::Status { mailbox, .. }) => self.status(mailbox),
            Response::Data { outcome, .. } | Response::Done { outcome, .. } => {
                let (code, text) = said(outcome);
                match code.as_deref() {
                    Some("ALERT") if self.alerts.len() < MAX_ALERTS => self.alerts.push(text),
                    Some("NOTIFICATIONOVERFLOW") => self.overflow = true,
                    _ => self.exchange |= text.starts_with("The Microsoft Exchange"),
                }
            }
            _ => {}
        }
    }

    fn status(&mut self, mailbox: &str) {
        if self.elsewhere.len() < MAX_FOLDERS {
            self.elsewhere.insert(mailbox.to_owned());
        } else {
            self.overflow = true;
        }
    }
}
