//! News of folders that are not open.
//!
//! Knows NOTIFY (RFC 5465) and that few servers have it (Dovecot does; Gmail and Exchange do not). Never
//! opens a folder. Its data comes from the [`Wire`](super::wire::Wire).

use super::folder::{Folder, is_same};
use super::{InboxError, Session};

/// News of folders that are not open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// One of these has changed: names on the wire.
    Of(Vec<String>),
    /// Any of them may have: the server has lost count.
    OfAny,
}

impl News {
    /// Whether a folder may have changed.
    #[must_use]
    pub fn concerns(&self, folder: &Folder) -> bool {
        match self {
            Self::Of(names) => names.iter().any(|name| is_same(name, folder.as_str())),
            Self::OfAny => true,
        }
    }
}

impl Session {
    /// Asks to be told, also in IDLE, of mail that comes to `others`; of the folder that is open as before.
    /// `false` when the server cannot: look into them from time to time, then.
    ///
    /// # Errors
    /// A cut, a server that does not answer. A refusal is `false`.
    pub async fn notify(&mut self, others: &[&Folder]) -> Result<bool, InboxError> {
        self.notified = false;
        if others.is_empty() || !self.known.has("NOTIFY") {
            return Ok(false);
        }
        let names: Vec<String> = others.iter().map(|folder| folder.quoted()).collect();
        // without `selected`, the open folder would be silent (RFC 5465, 5)
        let line = format!(
            "NOTIFY SET (selected (MessageNew MessageExpunge)) (mailboxes ({}) (MessageNew MessageExpunge))",
            names.join(" ")
        );
        let asked = self.wire.command("NOTIFY", &[&line], |_| ()).await;
        match asked {
            Ok(_) => self.notified = true,
            Err(InboxError::Refused { .. }) => {
                tracing::debug!(at = %self.wire.at, "the server refuses NOTIFY");
            }
            Err(error) => return Err(error),
        }
        Ok(self.notified)
    }

    /// Which folders may have new mail, as far as the server told since this was last asked. After
    /// [`News::OfAny`] it tells no more until [`notify`](Self::notify) is called again.
    pub fn news_elsewhere(&mut self) -> News {
        let told = &mut self.wire.told;
        let names = std::mem::take(&mut told.elsewhere);
        if std::mem::take(&mut told.overflow) {
            self.notified = false;
            return News::OfAny;
        }
        News::Of(names.into_iter().collect())
    }

    /// Whether the server tells of folders that are not open.
    #[must_use]
    pub fn is_notified(&self) -> bool {
        self.notified
    }
}
