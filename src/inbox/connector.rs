//! How a connection to a mailbox is opened.
//!
//! Knows that somebody can: a server over the network, or whatever else a caller has. Never keeps a
//! connection. Its data comes from the configuration, or from a test.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use super::{Credential, Endpoint, InboxError, Limits, Session};

/// A connection that is being opened.
pub type Connecting<'a> = Pin<Box<dyn Future<Output = Result<Session, InboxError>> + Send + 'a>>;

/// Opens connections to one mailbox, each logged in.
pub trait Connector: Send + Sync + fmt::Debug {
    /// Opens one.
    fn connect<'a>(&'a self, limits: &'a Limits) -> Connecting<'a>;
}

/// A mailbox on a server, reached over the network.
#[derive(Clone, Debug)]
pub struct Server {
    /// Where it is.
    pub endpoint: Endpoint,
    /// How its user is known.
    pub credential: Credential,
}

impl Connector for Server {
    fn connect<'a>(&'a self, limits: &'a Limits) -> Connecting<'a> {
        Box::pin(Session::connect(&self.endpoint, &self.credential, limits))
    }
}
