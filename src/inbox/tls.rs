//! The private part of a connection: whom we take for the server, and who we are to it.
//!
//! Knows the system's authorities, a PEM file of private ones, pinned keys, and a certificate of ours.
//! Never gives a stream away whose server was not recognised: by an authority and its name, or by its key.
//! What it needs is read once and shared by all connections: the system's authorities alone take a
//! megabyte and a tenth of a second of CPU.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use native_tls::{Certificate, Identity, Protocol, TlsConnector, TlsConnectorBuilder};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_native_tls::TlsStream;

use super::tls_fault::{self, Heeding};
use super::{Pin, TlsFault};
use crate::ingest::secret::Secret;

/// Whom we trust, and who we are. Clones share what was read.
#[derive(Clone, Default)]
pub struct TlsSetup(Arc<Inside>);

#[derive(Default)]
struct Inside {
    trust: Trust,
    client: Option<ClientIdentity>,
    connector: Mutex<Option<TlsConnector>>,
}

/// By what a server is recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Trust {
    /// The system's authorities, perhaps private ones, and the server's name.
    Authorities(Option<PathBuf>),
    /// The server's key, and nothing else.
    Pins(Vec<Pin>),
}

impl Default for Trust {
    fn default() -> Self {
        Self::Authorities(None)
    }
}

/// A certificate of ours, for servers that ask for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientIdentity {
    /// A PEM file: the certificate, and any between it and its authority.
    pub certificate: PathBuf,
    /// Its private key: PKCS #8, PEM.
    pub key: Secret,
}

impl TlsSetup {
    /// The system's authorities alone.
    #[must_use]
    pub fn system() -> Self {
        Self::default()
    }

    /// The system's authorities, and those of a PEM file. The file is read by the first connection.
    #[must_use]
    pub fn with_file(file: impl Into<PathBuf>) -> Self {
        Self::new(Trust::Authorities(Some(file.into())), None)
    }

    /// Pinned keys *instead of* authorities: whoever has one of these keys is the server, whatever name,
    /// signature and dates its certificate bears. No pin at all recognises nobody.
    #[must_use]
    pub fn pinned(pins: impl IntoIterator<Item = Pin>) -> Self {
        Self::new(Trust::Pins(pins.into_iter().collect()), None)
    }

    /// The same, with a certificate of ours. Its file is read by the first connection.
    #[must_use]
    pub fn and_client(&self, client: ClientIdentity) -> Self {
        Self::new(self.0.trust.clone(), Some(client))
    }

    fn new(trust: Trust, client: Option<ClientIdentity>) -> Self {
        Self(Arc::new(Inside {
            trust,
            client,
            connector: Mutex::default(),
        }))
    }

    /// Makes a connection private. `host` is the name that the certificate must bear.
    pub(super) async fn handshake<S>(
        &self,
        host: &str,
        stream: S,
    ) -> Result<Heeding<TlsStream<S>>, TlsFault>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let connector = tokio_native_tls::TlsConnector::from(self.connector()?);
        let shaken = connector.connect(host, stream).await;
        let stream = shaken.map_err(|error| self.fault(&error))?;
        self.recognise(&stream)?;
        Ok(Heeding::new(stream))
    }

    /// Authorities have been asked in the handshake; pins are compared here, before any byte of the
    /// server's is believed and any of ours is sent.
    fn recognise<S>(&self, stream: &TlsStream<S>) -> Result<(), TlsFault>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let Trust::Pins(pins) = &self.0.trust else {
            return Ok(());
        };
        let certificate = stream.get_ref().peer_certificate().ok().flatten();
        let shown = certificate
            .and_then(|certificate| certificate.to_der().ok())
            .and_then(|certificate| Pin::of_certificate(&certificate));
        match shown {
            Some(shown) if pins.contains(&shown) => Ok(()),
            shown => Err(TlsFault::PinMismatch(shown)),
        }
    }

    /// What was read may have been renewed since, when it is what the handshake failed of.
    fn fault(&self, error: &native_tls::Error) -> TlsFault {
        let fault = tls_fault::fault_of(error);
        if matches!(fault, TlsFault::Untrusted | TlsFault::ClientRefused) {
            *self.kept() = None;
        }
        fault
    }

    /// What makes handshakes; made when there is none yet.
    fn connector(&self) -> Result<TlsConnector, TlsFault> {
        let mut kept = self.kept();
        if let Some(connector) = &*kept {
            return Ok(connector.clone());
        }
        let connector = self.0.read()?;
        *kept = Some(connector.clone());
        Ok(connector)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Option<TlsConnector>> {
        let kept = self.0.connector.lock();
        kept.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    fn read(&self) -> Result<TlsConnector, TlsFault> {
        let mut builder = TlsConnector::builder();
        builder.min_protocol_version(Some(Protocol::Tlsv12));
        match &self.trust {
            Trust::Authorities(file) => {
                for certificate in file
                    .as_deref()
                    .map(authorities)
                    .transpose()?
                    .into_iter()
                    .flatten()
                {
                    builder.add_root_certificate(certificate);
                }
            }
            Trust::Pins(_) => leave_it_to_the_pins(&mut builder),
        }
        let Some(client) = &self.client else {
            return builder.build().map_err(|_| TlsFault::Handshake);
        };
        builder.identity(identity(client)?);
        builder.build().map_err(|_| {
            let name = client.certificate.display();
            TlsFault::ClientFile(format!("{name} and client_key do not belong together"))
        })
    }
}

/// NOTE: the one place where checks of the TLS library are switched off. What remains is that the server
/// has the key of the certificate that it shows, and [`TlsSetup::recognise`] then demands that key. An
/// authority or a name would add nothing: Proton Bridge, for one, makes a certificate for itself.
fn leave_it_to_the_pins(builder: &mut TlsConnectorBuilder) {
    builder
        .disable_built_in_roots(true)
        .danger_accept_invalid_certs(true)
        .danger_accept_invalid_hostnames(true);
}

fn authorities(file: &Path) -> Result<Vec<Certificate>, TlsFault> {
    let (_, certificates) = certificates(file).map_err(TlsFault::CaFile)?;
    Ok(certificates)
}

fn identity(client: &ClientIdentity) -> Result<Identity, TlsFault> {
    let (pem, _) = certificates(&client.certificate).map_err(TlsFault::ClientFile)?;
    Identity::from_pkcs8(&pem, client.key.expose().as_bytes()).map_err(|_| {
        let what = "client_key is not a private key in the form PKCS #8, PEM";
        TlsFault::ClientFile(what.to_owned())
    })
}

/// The certificates in a PEM file; none at all is a mistake that would otherwise show as "untrusted".
fn certificates(path: &Path) -> Result<(Vec<u8>, Vec<Certificate>), String> {
    let name = path.display();
    let pem =
        std::fs::read(path).map_err(|error| format!("{name} cannot be read ({})", error.kind()))?;
    match Certificate::stack_from_pem(&pem) {
        Ok(certificates) if !certificates.is_empty() => Ok((pem, certificates)),
        _ => Err(format!("{name} holds no certificate in PEM form")),
    }
}

impl From<Option<PathBuf>> for TlsSetup {
    fn from(file: Option<PathBuf>) -> Self {
        file.map_or_else(Self::system, Self::with_file)
    }
}

impl PartialEq for TlsSetup {
    fn eq(&self, other: &Self) -> bool {
        self.0.trust == other.0.trust && self.0.client == other.0.client
    }
}

impl Eq for TlsSetup {}

impl fmt::Debug for TlsSetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsSetup")
            .field("trust", &self.0.trust)
            .field("client", &self.0.client)
            .finish_non_exhaustive()
    }
}
