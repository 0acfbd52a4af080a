//! Heads and bodies of mails.
//!
//! Knows FETCH: size and header first, the body only when asked for. Never sets `\Seen` (`BODY.PEEK`),
//! never takes a missing answer for a missing mail unless the server said OK. Its data comes from the
//! [`Wire`](super::wire::Wire).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use async_imap::imap_proto::{AttributeValue, MessageSection, Response, SectionPath};
use jiff::Timestamp;
use jiff::fmt::strtime;

use super::{InboxError, Session};

/// UIDs in one FETCH: the answer is a few hundred kilobytes at most, and a deadline is for one command.
const CHUNK: usize = 100;

/// What tells whether a mail may be ours, and the names of the keys that would prove it. No ENVELOPE, no
/// BODYSTRUCTURE (facts, 4.2 row 21).
const HEAD: &str = "(UID RFC822.SIZE INTERNALDATE BODY.PEEK[HEADER.FIELDS (FROM SUBJECT DATE MESSAGE-ID DKIM-SIGNATURE)])";

/// The same without the date: the parser panics on `INTERNALDATE NIL` (facts, 4.2 row 8).
const UNDATED: &str =
    "(UID RFC822.SIZE BODY.PEEK[HEADER.FIELDS (FROM SUBJECT DATE MESSAGE-ID DKIM-SIGNATURE)])";

/// What is known of a mail before its body is fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its UID.
    pub uid: u32,
    /// Its size in bytes, as the server says.
    pub size: u32,
    /// When it came into the mailbox, if the server's date can be read.
    pub internal_date: Option<Timestamp>,
    /// Some header fields, as they stand in the mail, and the empty line.
    pub header: Vec<u8>,
}

/// The parts of a head, which may come in several responses.
#[derive(Default)]
struct Partial {
    size: Option<u32>,
    internal_date: Option<Timestamp>,
    header: Option<Vec<u8>>,
}

impl Session {
    /// Heads of the mails with these UIDs, by UID. A mail that is gone is not among them.
    ///
    /// # Errors
    /// Any refusal or cut, and a server that answers by half.
    pub async fn heads(&mut self, uids: &[u32]) -> Result<Vec<Head>, InboxError> {
        self.heads_with(uids, HEAD).await
    }

    /// The same without [`Head::internal_date`]: for a mail whose head broke a connection before.
    ///
    /// # Errors
    /// As [`heads`](Self::heads).
    pub async fn undated_heads(&mut self, uids: &[u32]) -> Result<Vec<Head>, InboxError> {
        self.heads_with(uids, UNDATED).await
    }

    async fn heads_with(&mut self, uids: &[u32], what: &str) -> Result<Vec<Head>, InboxError> {
        let mut heads = Vec::new();
        for chunk in uids.chunks(CHUNK) {
            let mut found: BTreeMap<u32, Partial> =
                chunk.iter().map(|&uid| (uid, Partial::default())).collect();
            let line = format!("UID FETCH {} {what}", ranges(chunk));
            self.wire
                .command("FETCH", &[&line], |response| note(&mut found, response))
                .await?;
            for (uid, partial) in found {
                heads.extend(self.whole(uid, partial)?);
            }
        }
        Ok(heads)
    }

    /// A size without a header, or the other way round, is not "gone": it must not be passed over.
    fn whole(&self, uid: u32, partial: Partial) -> Result<Option<Head>, InboxError> {
        match (partial.size, partial.header) {
            (Some(size), Some(header)) => Ok(Some(Head {
                uid,
                size,
                internal_date: partial.internal_date,
                header,
            })),
            (None, None) => Ok(None),
            _ => Err(self
                .wire
                .protocol("the server tells only a part of what was asked of a mail")),
        }
    }

    /// The whole mail, byte for byte; `None` when it is gone. Look at [`Head::size`] first: a mail beyond
    /// [`max_literal`](super::Limits::max_literal) costs the connection.
    ///
    /// # Errors
    /// Any refusal or cut.
    pub async fn body(&mut self, uid: u32) -> Result<Option<Vec<u8>>, InboxError> {
        let mut body = None;
        let mut withheld = false;
        let line = format!("UID FETCH {uid} (UID BODY.PEEK[])");
        self.wire
            .command("FETCH", &[&line], |response| {
                if let Some((of, bytes)) = whole_body(response)
                    && of == uid
                {
                    withheld = bytes.is_none();
                    body = bytes;
                }
            })
            .await?;
        if withheld {
            // Exchange does that to mails that it cannot convert: not gone, so not to be passed over
            return Err(self
                .wire
                .protocol("the server gives NIL for the body of a mail"));
        }
        Ok(body)
    }
}

/// Takes the parts of one FETCH response. Others than the asked ones (flags that someone changed) do
/// not matter.
fn note(found: &mut BTreeMap<u32, Partial>, response: &Response<'_>) {
    let Some((uid, attributes)) = fetched(response) else {
        return;
    };
    let Some(partial) = found.get_mut(&uid) else {
        return;
    };
    for attribute in attributes {
        match attribute {
            AttributeValue::Rfc822Size(size) => partial.size = Some(*size),
            AttributeValue::InternalDate(date) => partial.internal_date = internal_date(date),
            AttributeValue::BodySection {
                section: Some(SectionPath::Full(MessageSection::Header)),
                data,
                ..
            } => {
                partial.header = Some(data.as_deref().unwrap_or_default().to_vec());
            }
            _ => {}
        }
    }
}

/// UID and `BODY[]` of one FETCH response, if it has both; the body is `None` where the server says NIL.
fn whole_body(response: &Response<'_>) -> Option<(u32, Option<Vec<u8>>)> {
    let (uid, attributes) = fetched(response)?;
    attributes.iter().find_map(|attribute| match attribute {
        AttributeValue::BodySection {
            section: None,
            index: None,
            data,
        } => Some((uid, data.as_deref().map(<[u8]>::to_vec))),
        _ => None,
    })
}

fn fetched<'a, 'r>(response: &'a Response<'r>) -> Option<(u32, &'a [AttributeValue<'r>])> {
    let Response::Fetch(_, attributes) = response else {
        return None;
    };
    let uid = attributes.iter().find_map(|attribute| match attribute {
        AttributeValue::Uid(uid) => Some(*uid),
        _ => None,
    })?;
    Some((uid, attributes))
}

/// ` 5-Nov-2026 10:00:00 +0100`: the day may have a space for its first digit (RFC 9051, date-day-fixed).
fn internal_date(text: &str) -> Option<Timestamp> {
    strtime::parse("%d-%b-%Y %H:%M:%S %z", text.trim_start())
        .ok()?
        .to_timestamp()
        .ok()
}

/// A sequence set: `1:3,7`. UIDs that stand next to one another here become ranges; as only existing
/// UIDs are asked for, a range names no other mail.
fn ranges(uids: &[u32]) -> String {
    let mut out = String::new();
    let mut rest = uids;
    while let Some(&first) = rest.first() {
        let run = rest
            .iter()
            .zip(first..=u32::MAX)
            .take_while(|&(&uid, next)| uid == next)
            .count()
            .max(1);
        let last = first + u32::try_from(run - 1).unwrap_or_default();
        let comma = if out.is_empty() { "" } else { "," };
        // writing to a String cannot fail
        let _ = if run == 1 {
            write!(out, "{comma}{first}")
        } else {
            write!(out, "{comma}{first}:{last}")
        };
        rest = rest.get(run..).unwrap_or_default();
    }
    out
}

#[cfg(test)]
#[path = "fetch_tests.rs"]
mod tests;
