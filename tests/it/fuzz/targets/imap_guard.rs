//! Any bytes as what a server says: through the guard alone, and through the guard and async-imap's
//! codec into a session that gives its commands.
//!
//! What must hold: the guard's verdict does not depend on how the bytes are cut; no line that passes is
//! longer or opens more parentheses than the limits say; nothing hangs, and nothing aborts. How much
//! memory it takes is measured by `fuzz/fuzz_targets/imap_guard.rs`.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use sftoken::inbox::{Guard, InboxError, Limits, Session, Violation};
use sftoken::ingest::secret::Secret;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

/// Small, so that they are reached.
fn limits() -> Limits {
    Limits {
        max_line: 2000,
        max_literal: 3000,
        max_depth: 16,
        ..Limits::default()
    }
}

/// The first byte is the size of the pieces in which the rest arrives.
pub(crate) fn run(data: &[u8]) {
    let Some((&size, bytes)) = data.split_first() else {
        return;
    };
    let size = usize::from(size).max(1);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let (passed, verdict) = guarded(bytes, size).await;
        check_passed(&passed);
        let (_, whole) = guarded(bytes, usize::MAX).await;
        assert_eq!(verdict, whole, "the verdict depends on the pieces");
        // Whatever it is, it is an answer.
        let _ = converse(bytes, size).await;
    });
}

/// What comes through the guard, and why no more does.
async fn guarded(bytes: &[u8], size: usize) -> (Vec<u8>, Option<Violation>) {
    let mut guard = Guard::new(Server::new(bytes, size), &limits());
    let mut passed = Vec::new();
    match guard.read_to_end(&mut passed).await {
        Ok(_) => (passed, None),
        Err(error) => {
            let inner = error.get_ref().and_then(|e| e.downcast_ref::<Violation>());
            (passed, Some(*inner.expect("the server never fails")))
        }
    }
}

/// Where no literal can be, a line is what stands between line ends.
fn check_passed(passed: &[u8]) {
    if passed.contains(&b'}') {
        return;
    }
    let limits = limits();
    let text = String::from_utf8_lossy(passed);
    for line in text.split("\r\n") {
        assert!(line.len() <= 3 * limits.max_line, "a long line passes");
        let opened = line.matches('(').count();
        assert!(opened <= limits.max_depth * 5 / 2, "{opened} parentheses");
    }
}

/// Logs in, opens a folder, looks for mails, fetches them and waits, as far as the server lets it.
async fn converse(bytes: &[u8], size: usize) -> Result<(), InboxError> {
    let server = Server::new(bytes, size);
    let password = Secret::new("planted-pass".to_owned()).into();
    let mut session =
        Session::connect_over(server, "mail.example:993", "user", &password, &limits()).await?;
    let inbox = session.resolve_folder("INBOX").await?;
    session.examine(&inbox).await?;
    let uids = session.search_from(6).await?;
    let few = &uids[..uids.len().min(3)];
    let heads = session.heads(few).await?;
    assert!(heads.iter().all(|head| few.contains(&head.uid)));
    let body = session.body(6).await?;
    assert!(body.is_none_or(|body| body.len() <= limits().max_literal));
    session.wait().await.map(drop)
}

/// Says its bytes, in pieces, and then nothing more. A `$` at the beginning of a line is the tag of the
/// client's last command, so that a fuzzer need not guess it.
struct Server {
    bytes: Vec<u8>,
    at: usize,
    size: usize,
    tag: Vec<u8>,
    /// What is being said of a tag.
    saying: Vec<u8>,
    at_start: bool,
}

impl Server {
    fn new(bytes: &[u8], size: usize) -> Self {
        Self {
            bytes: bytes.to_vec(),
            at: 0,
            size,
            tag: b"S0001".to_vec(),
            saying: Vec::new(),
            at_start: true,
        }
    }

    /// The next bytes: of a tag, or up to the next line's beginning.
    fn next(&mut self, most: usize) -> Vec<u8> {
        if self.at_start && self.bytes.get(self.at) == Some(&b'$') {
            self.at += 1;
            self.saying.clone_from(&self.tag);
        }
        self.at_start = false;
        if !self.saying.is_empty() {
            let end = self.saying.len().min(most);
            return self.saying.drain(..end).collect();
        }
        let rest = &self.bytes[self.at..];
        let line = rest.iter().position(|&byte| byte == b'\n');
        let end = line.map_or(rest.len(), |lf| lf + 1).min(most);
        let piece = rest[..end].to_vec();
        self.at += end;
        self.at_start = piece.last() == Some(&b'\n');
        piece
    }
}

impl AsyncRead for Server {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let most = self.size.min(buf.remaining());
        let piece = self.next(most);
        buf.put_slice(&piece);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Server {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let word = bytes.split(|&byte| byte == b' ').next().unwrap_or_default();
        if word.len() == 5 && word.starts_with(b"S") {
            self.tag = word.to_vec();
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
