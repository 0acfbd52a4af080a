//! Changes to a mail: flags, moves, removal; always by UID, always one mail.
//!
//! Knows STORE, MOVE, COPY and `UID EXPUNGE`, and which of them a server has. Never uses a bare EXPUNGE,
//! which removes what other people have marked (RFC 4315), and sends nothing unless the folder was opened
//! for writing: Dovecot says OK to a STORE that it ignores. Its data comes from the caller.

use async_imap::imap_proto::{AttributeValue, Response};

use super::folder::Folder;
use super::{Access, InboxError, Session};

/// What became of a change of flags on condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It is done; the mail's modification sequence now, if the server told it.
    Done(Option<u64>),
    /// Somebody else had changed the mail before: nothing was done.
    Modified,
}

/// Flags of a mail, and when they last changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flags {
    /// The flags, as the server writes them.
    pub flags: Vec<String>,
    /// Their modification sequence (RFC 7162).
    pub mod_seq: u64,
}

impl Flags {
    /// Whether a flag is set; flags have no case.
    #[must_use]
    pub fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|set| set.eq_ignore_ascii_case(flag))
    }
}

/// How a mail was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removed {
    /// It is gone from the folder.
    Gone,
    /// The server has no way to remove one mail alone (no UIDPLUS): it is marked `\Deleted` and stays.
    Marked,
}

impl Session {
    /// Flags of a mail with their modification sequence; `None` when the mail is gone.
    ///
    /// # Errors
    /// Any refusal or cut, and a server that tells no modification sequence.
    pub async fn flags(&mut self, uid: u32) -> Result<Option<Flags>, InboxError> {
        let (mut flags, mut mod_seq) = (None, None);
        let line = format!("UID FETCH {uid} (UID FLAGS MODSEQ)");
        self.wire
            .command("FETCH", &[&line], |response| {
                for attribute in attributes_of(response, uid) {
                    match attribute {
                        AttributeValue::Flags(told) => {
                            flags = Some(told.iter().map(ToString::to_string).collect());
                        }
                        AttributeValue::ModSeq(told) => mod_seq = Some(*told),
                        _ => {}
                    }
                }
            })
            .await?;
        match (flags, mod_seq) {
            (Some(flags), Some(mod_seq)) => Ok(Some(Flags { flags, mod_seq })),
            (None, None) => Ok(None),
            _ => Err(self
                .wire
                .protocol("the server tells only a part of what was asked of a mail")),
        }
    }

    /// Adds (or, with `add` false, takes away) one flag of a mail.
    ///
    /// # Errors
    /// Any refusal or cut.
    pub async fn set_flag(&mut self, uid: u32, flag: &str, add: bool) -> Result<(), InboxError> {
        self.must_be_writable("STORE")?;
        let sign = if add { '+' } else { '-' };
        let line = format!("UID STORE {uid} {sign}FLAGS.SILENT ({flag})");
        self.wire.command("STORE", &[&line], |_| ()).await?;
        Ok(())
    }

    /// The same, but only if nothing of the mail has changed since `mod_seq` (RFC 7162, 3.1.3).
    ///
    /// # Errors
    /// Any refusal or cut.
    pub async fn set_flag_unless_changed(
        &mut self,
        uid: u32,
        flag: &str,
        add: bool,
        mod_seq: u64,
    ) -> Result<Stored, InboxError> {
        self.must_be_writable("STORE")?;
        let sign = if add { '+' } else { '-' };
        let line =
            format!("UID STORE {uid} (UNCHANGEDSINCE {mod_seq}) {sign}FLAGS.SILENT ({flag})");
        let mut now = None;
        let done = self
            .wire
            .command("STORE", &[&line], |response| {
                for attribute in attributes_of(response, uid) {
                    if let AttributeValue::ModSeq(told) = attribute {
                        now = Some(*told);
                    }
                }
            })
            .await?;
        // a failed condition is an OK with the UIDs in its code
        let modified = done.code.is_some_and(|code| code.word == "MODIFIED");
        Ok(match modified {
            true => Stored::Modified,
            false => Stored::Done(now),
        })
    }

    /// Moves a mail to another folder, which is made if it is missing.
    ///
    /// # Errors
    /// Any refusal or cut.
    pub async fn move_to(&mut self, uid: u32, folder: &Folder) -> Result<Removed, InboxError> {
        self.must_be_writable("MOVE")?;
        if self.known.has("MOVE") {
            self.put_in("MOVE", uid, folder).await?;
            return Ok(Removed::Gone);
        }
        self.put_in("COPY", uid, folder).await?;
        self.delete(uid).await
    }

    /// Removes a mail for good.
    ///
    /// # Errors
    /// Any refusal or cut.
    pub async fn delete(&mut self, uid: u32) -> Result<Removed, InboxError> {
        self.set_flag(uid, "\\Deleted", true).await?;
        if !self.known.has("UIDPLUS") {
            return Ok(Removed::Marked);
        }
        let line = format!("UID EXPUNGE {uid}");
        self.wire.command("EXPUNGE", &[&line], |_| ()).await?;
        Ok(Removed::Gone)
    }

    fn must_be_writable(&self, command: &'static str) -> Result<(), InboxError> {
        if self.access == Access::Write {
            return Ok(());
        }
        Err(InboxError::Refused {
            at: self.wire.at.clone(),
            command,
            status: "NO",
            code: Some("READ-ONLY".to_owned()),
            text: "the folder is open for reading only".to_owned(),
        })
    }

    /// `UID MOVE` or `UID COPY`; where the server asks for the folder first, it is made once.
    async fn put_in(
        &mut self,
        name: &'static str,
        uid: u32,
        folder: &Folder,
    ) -> Result<(), InboxError> {
        let line = format!("UID {name} {uid} {}", folder.quoted());
        let done = self.wire.command(name, &[&line], |_| ()).await;
        match done {
            Err(InboxError::Refused {
                code: Some(code), ..
            }) if code == "TRYCREATE" => {
                let create = format!("CREATE {}", folder.quoted());
                self.wire.command("CREATE", &[&create], |_| ()).await?;
                self.wire.command(name, &[&line], |_| ()).await.map(drop)
            }
            done => done.map(drop),
        }
    }
}

/// The attributes that a FETCH response tells of one mail.
fn attributes_of<'a, 'r>(response: &'a Response<'r>, uid: u32) -> &'a [AttributeValue<'r>] {
    match response {
        Response::Fetch(_, attributes)
            if attributes.iter().any(
                |attribute| matches!(attribute, AttributeValue::Uid(told) if *told == uid),
            ) =>
        {
            attributes
        }
        _ => &[],
    }
}
