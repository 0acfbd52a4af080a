//! What a TLS library says, in kinds.
//!
//! Knows the words of OpenSSL, because native-tls has no kinds of errors; elsewhere the answer is
//! [`TlsFault::Handshake`] more often. Never keeps the text. Its data comes from failed handshakes, and
//! from reads behind one.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::TlsFault;

/// Why a handshake failed.
pub(super) fn fault_of(error: &native_tls::Error) -> TlsFault {
    let text = text_of(error);
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if is_about_our_certificate(&text) {
        TlsFault::ClientRefused
    } else if says(&[
        "hostname mismatch",
        "ip address mismatch",
        "cn name",
        "host name",
    ]) {
        TlsFault::NameMismatch
    } else if says(&["expired", "not yet valid"]) {
        TlsFault::Expired
    } else if says(&[
        "verify failed",
        "untrusted",
        "not trusted",
        "self-signed",
        "self signed",
        "issuer",
    ]) {
        TlsFault::Untrusted
    } else {
        TlsFault::Handshake
    }
}

fn text_of(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text.to_ascii_lowercase()
}

/// An alert about a certificate comes from the server, and the only one that it judges is ours
/// (RFC 8446, 6.2; "tlsv13 alert certificate required", "sslv3 alert bad certificate").
fn is_about_our_certificate(text: &str) -> bool {
    text.contains("alert") && (text.contains("certificate") || text.contains("unknown ca"))
}

/// A private stream that says so when the server refuses our certificate: in TLS 1.3 the handshake is over
/// for us before the server has looked at it, and the refusal comes where its first words should be.
#[derive(Debug)]
pub(super) struct Heeding<S>(S);

impl<S> Heeding<S> {
    pub(super) fn new(stream: S) -> Self {
        Self(stream)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Heeding<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = ready!(Pin::new(&mut self.get_mut().0).poll_read(cx, buf));
        Poll::Ready(
            read.map_err(|error| match is_about_our_certificate(&text_of(&error)) {
                true => io::Error::other(TlsFault::ClientRefused),
                false => error,
            }),
        )
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Heeding<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().0).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_shutdown(cx)
    }
}
