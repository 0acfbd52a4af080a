//! Whom a request takes for the server, and who it is to it.
//!
//! Knows authorities and a certificate of ours, in PEM form. Never leaves a server unrecognised, unless its user said so.
//! Its data comes from a file, or from whoever asks.

use std::path::{Path, PathBuf};

use ureq::tls::{Certificate, ClientCert, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};

use super::Fault;

/// By what a server is recognised.
#[derive(Clone, Debug)]
pub(super) enum Trust {
    System,
    /// Of a PEM file, read by the first request.
    File(PathBuf),
    #[cfg(feature = "kubernetes")]
    Certificates(Vec<Certificate<'static>>),
    /// Whoever answers: its user said so.
    #[cfg(feature = "kubernetes")]
    Anybody,
}

/// A certificate of ours with its key.
#[cfg(feature = "kubernetes")]
#[derive(Clone)]
pub(crate) struct Identity(pub(super) ClientCert);

#[cfg(feature = "kubernetes")]
impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity(redacted)")
    }
}

#[cfg(feature = "kubernetes")]
impl Identity {
    /// From certificates and a key of the form PKCS #8, all in PEM. `None`: one of them is none.
    pub(crate) fn new(certificates: &[u8], key: &[u8]) -> Option<Self> {
        let chain = in_pem(certificates);
        let key = ureq::tls::PrivateKey::from_pem(key).ok()?;
        (!chain.is_empty()).then(|| Self(ClientCert::new_with_certs(&chain, key)))
    }
}

impl Trust {
    /// As the library wants it.
    pub(super) fn tls(&self, client: Option<ClientCert>) -> Result<TlsConfig, Fault> {
        let roots = |found: &[Certificate<'static>]| RootCerts::new_with_certs(found);
        let tls = TlsConfig::builder().provider(TlsProvider::NativeTls);
        let tls = match self {
            Self::System => tls.root_certs(RootCerts::PlatformVerifier),
            Self::File(path) => tls.root_certs(roots(&certificates(path)?)),
            #[cfg(feature = "kubernetes")]
            Self::Certificates(found) => tls.root_certs(roots(found)),
            #[cfg(feature = "kubernetes")]
            Self::Anybody => tls.disable_verification(true),
        };
        Ok(tls.client_cert(client).build())
    }
}

fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>, Fault> {
    let wrong = |what: String| Fault::Authorities(path.to_owned(), what);
    let pem =
        std::fs::read(path).map_err(|error| wrong(format!("cannot be read ({})", error.kind())))?;
    let found = in_pem(&pem);
    match found.is_empty() {
        true => Err(wrong("holds no certificate in PEM form".to_owned())),
        false => Ok(found),
    }
}

pub(super) fn in_pem(pem: &[u8]) -> Vec<Certificate<'static>> {
    let items = parse_pem(pem).filter_map(Result::ok);
    items
        .filter_map(|item| match item {
            PemItem::Certificate(certificate) => Some(certificate),
            _ => None,
        })
        .collect()
}
