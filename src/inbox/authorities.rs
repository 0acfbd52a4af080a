//! Whom we trust to sign servers' certificates.
//!
//! Knows the system's authorities and a PEM file of private ones. Never trusts a certificate by
//! itself. Read once and shared by all connections: the system's set alone takes a megabyte and a
//! tenth of a second of CPU.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use native_tls::{Certificate, Protocol, TlsConnector};

use super::TlsFault;

/// The system's authorities, and perhaps private ones. Clones share what was read.
#[derive(Clone, Default)]
pub struct Authorities(Arc<Inside>);

#[derive(Default)]
struct Inside {
    file: Option<PathBuf>,
    connector: Mutex<Option<TlsConnector>>,
}

impl Authorities {
    /// The system's authorities alone.
    #[must_use]
    pub fn system() -> Self {
        Self::default()
    }

    /// The system's authorities, and those of a PEM file. The file is read by the first connection.
    #[must_use]
    pub fn with_file(file: impl Into<PathBuf>) -> Self {
        Self(Arc::new(Inside {
            file: Some(file.into()),
            connector: Mutex::default(),
        }))
    }

    /// What checks certificates; read when there is none yet.
    pub(super) fn connector(&self) -> Result<TlsConnector, TlsFault> {
        let mut kept = self
            .0
            .connector
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(connector) = &*kept {
            return Ok(connector.clone());
        }
        let connector = read(self.0.file.as_deref())?;
        *kept = Some(connector.clone());
        Ok(connector)
    }

    /// A certificate was not trusted: the authorities may have been renewed since they were read.
    pub(super) fn forget(&self) {
        *self
            .0
            .connector
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl From<Option<PathBuf>> for Authorities {
    fn from(file: Option<PathBuf>) -> Self {
        file.map_or_else(Self::system, Self::with_file)
    }
}

impl PartialEq for Authorities {
    fn eq(&self, other: &Self) -> bool {
        self.0.file == other.0.file
    }
}

impl Eq for Authorities {}

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Authorities").field(&self.0.file).finish()
    }
}

fn read(file: Option<&Path>) -> Result<TlsConnector, TlsFault> {
    let mut builder = TlsConnector::builder();
    builder.min_protocol_version(Some(Protocol::Tlsv12));
    if let Some(path) = file {
        for certificate in certificates(path).map_err(TlsFault::CaFile)? {
            builder.add_root_certificate(certificate);
        }
    }
    builder.build().map_err(|_| TlsFault::Handshake)
}

/// The certificates in a PEM file; none at all is a mistake that would otherwise show as "untrusted".
fn certificates(path: &Path) -> Result<Vec<Certificate>, String> {
    let name = path.display();
    let pem =
        std::fs::read(path).map_err(|error| format!("{name} cannot be read ({})", error.kind()))?;
    match Certificate::stack_from_pem(&pem) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(format!("{name} holds no certificate in PEM form")),
    }
}
