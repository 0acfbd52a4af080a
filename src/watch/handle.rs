//! What becomes of a mail whose token is stored: it is marked, moved or removed, if the user wants that.
//!
//! Knows the words of [`Handled`]. Never acts before the store was read back, and a refusal undoes
//! nothing. Its mails come from `look`.

use super::folder::Folder;
use super::task::Handled;
use crate::inbox::{InboxError, Removed, Session};

impl Folder {
    /// Marks, moves or removes a mail; afterwards it is settled. A refusal is told, and is the end of it.
    pub(super) async fn handle(
        &mut self,
        session: &mut Session,
        uid: u32,
    ) -> Result<(), InboxError> {
        let done = match &self.task.handled {
            Handled::Leave => Ok(None),
            Handled::Seen => session.set_flag(uid, "\\Seen", true).await.map(|()| None),
            Handled::Flag => session
                .set_flag(uid, "\\Flagged", true)
                .await
                .map(|()| None),
            Handled::Delete => session.delete(uid).await.map(Some),
            Handled::MoveTo(name) => move_to(session, uid, name).await.map(Some),
        };
        let (mailbox, folder) = (&self.task.mailbox, &self.name);
        match done {
            Ok(Some(Removed::Marked)) => tracing::warn!(
                mailbox,
                folder,
                uid,
                "the server cannot remove one mail alone (it has no UIDPLUS): it is only marked as deleted"
            ),
            Ok(_) => tracing::debug!(mailbox, folder, uid, "the mail is handled"),
            Err(error @ (InboxError::Refused { .. } | InboxError::NoSuchFolder { .. })) => {
                let hint = error.hint();
                let to = match &self.task.handled {
                    Handled::MoveTo(name) => Some(name.as_str()),
                    _ => None,
                };
                tracing::warn!(
                    mailbox,
                    folder,
                    uid,
                    to,
                    hint,
                    "the token is stored, but its mail stays as it is: {error}"
                );
            }
            Err(error) => return Err(error),
        }
        self.unhandled.remove(&uid);
        Ok(())
    }
}

async fn move_to(session: &mut Session, uid: u32, name: &str) -> Result<Removed, InboxError> {
    let folder = session.resolve_folder(name).await?;
    session.move_to(uid, &folder).await
}
