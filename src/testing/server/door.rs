//! The server as a [`Connector`]: what the loop of `watch` wants of a mailbox.
//!
//! Knows one user's password. Never opens a socket. Its connections come from the [`Server`].

use super::Server;
use crate::inbox::{ConnectFault, Connecting, Connector, Credential, InboxError, Limits, Session};
use crate::ingest::secret::Secret;

/// Opens connections to one user's mailbox.
#[derive(Clone, Debug)]
pub struct Door {
    server: Server,
    user: String,
    credential: Credential,
}

impl Server {
    /// How a user gets in.
    #[must_use]
    pub fn door(&self, user: &str, password: &str) -> Door {
        Door {
            server: self.clone(),
            user: user.to_owned(),
            credential: Secret::new(password.to_owned()).into(),
        }
    }
}

impl Connector for Door {
    fn connect<'a>(&'a self, limits: &'a Limits) -> Connecting<'a> {
        Box::pin(async move {
            let at = format!("{}.mail.example:993", self.user);
            let stream = self.server.connect().map_err(|_| InboxError::Unreachable {
                at: at.clone(),
                fault: ConnectFault::Refused,
            })?;
            Session::connect_over(stream, &at, &self.user, &self.credential, limits).await
        })
    }
}
