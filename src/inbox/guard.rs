//! The guard in front of the parser: no response reaches it that is too large or too deep.
//!
//! Knows lines, literals and parentheses. Never understands a response, and changes no byte but those that
//! [`rev2`](super::rev2) wants changed. Its data comes from the transport, and goes to async-imap's codec.
//!
//! NOTE: this is not a nicety. imap-proto parses nested structures by recursion without a limit
//! (djc/imap-proto#90): one line of 400 parentheses aborts the whole process, and no task boundary
//! helps. async-imap zeroes as much memory as a literal announces before the first byte of it is there.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Limits;
use super::announce::{MAX_PIECE, Within, announced, is_expected};
use super::rev2::Rev2;

/// How many parentheses one line may open, for each level of the nesting limit. It bounds the nesting
/// even where quotes are read differently by the parser; 16 levels make 40, below the 58 that kill it.
const fn most_opened(max_depth: usize) -> usize {
    max_depth * 5 / 2
}

/// What a server says in IDLE is shorter; its capabilities are longer.
const USUAL_LINE: usize = 128;

/// What a server did that the guard does not let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// A line beyond `max_line`.
    #[error("a line is too long")]
    LineTooLong,
    /// A literal beyond `max_literal`.
    #[error("a literal is too large")]
    LiteralTooLarge,
    /// Literals and lines of one response beyond `max_literal` and `max_line` together.
    #[error("a response is too large")]
    ResponseTooLarge,
    /// Parentheses beyond `max_depth`.
    #[error("a response nests too deep")]
    TooDeep,
    /// A literal where nothing that we ask for has one.
    #[error("a literal stands where none is expected")]
    UnexpectedLiteral,
}

/// Judges bytes as they pass. The verdict does not depend on how they are cut into reads.
#[derive(Clone, Debug)]
struct Scanner {
    max_line: usize,
    max_literal: usize,
    max_depth: usize,
    /// The current piece of a line: what stands between two line ends or literals.
    piece: Vec<u8>,
    line: usize,
    total: usize,
    literal_left: usize,
    within: Within,
    depth: usize,
    opened: usize,
    quoted: bool,
    escaped: bool,
    last: u8,
    before_last: u8,
    responses: u64,
    rev2: Rev2,
}

impl Scanner {
    fn new(limits: &Limits) -> Self {
        Self {
            max_line: limits.max_line,
            max_literal: limits.max_literal,
            max_depth: limits.max_depth,
            piece: Vec::new(),
            line: 0,
            total: 0,
            literal_left: 0,
            within: Within::Start,
            depth: 0,
            opened: 0,
            quoted: false,
            escaped: false,
            last: 0,
            before_last: 0,
            responses: 0,
            rev2: Rev2::default(),
        }
    }

    fn scan(&mut self, bytes: &mut [u8]) -> Result<(), Violation> {
        let mut bytes = bytes.iter_mut();
        while let Some(byte) = bytes.next() {
            if self.literal_left > 0 {
                let skipped = self.literal_left.min(bytes.len() + 1);
                self.literal_left -= skipped;
                if skipped > 1 {
                    bytes.nth(skipped - 2);
                }
                continue;
            }
            if self.within == Within::Start {
                *byte = self.rev2.byte(*byte);
            }
            self.step(*byte)?;
        }
        Ok(())
    }

    fn step(&mut self, byte: u8) -> Result<(), Violation> {
        self.line += 1;
        self.grow(1)?;
        if self.line > self.max_line {
            return Err(Violation::LineTooLong);
        }
        // one byte more than allowed is kept, so that a piece that is too long shows
        if self.piece.len() <= MAX_PIECE {
            self.piece.push(byte);
        }
        self.nest(byte)?;
        if byte == b'\n' && self.last == b'\r' {
            return self.end_line();
        }
        (self.before_last, self.last) = (self.last, byte);
        Ok(())
    }

    /// Counts towards the response, of which no part is ever more than the two caps together.
    fn grow(&mut self, by: usize) -> Result<(), Violation> {
        self.total = self.total.saturating_add(by);
        let cap = self.max_line.saturating_add(self.max_literal);
        if self.total > cap {
            Err(Violation::ResponseTooLarge)
        } else {
            Ok(())
        }
    }

    /// An opening parenthesis counts wherever it stands, a closing one only outside quotes: in doubt the
    /// count is too high.
    fn nest(&mut self, byte: u8) -> Result<(), Violation> {
        match byte {
            b'(' => {
                self.depth += 1;
                self.opened += 1;
            }
            b')' if !self.quoted => self.depth = self.depth.saturating_sub(1),
            b'"' if !self.escaped => self.quoted = !self.quoted,
            _ => {}
        }
        self.escaped = self.quoted && byte == b'\\' && !self.escaped;
        let deep = self.depth > self.max_depth || self.opened > most_opened(self.max_depth);
        if deep {
            Err(Violation::TooDeep)
        } else {
            Ok(())
        }
    }

    fn end_line(&mut self) -> Result<(), Violation> {
        let piece = std::mem::take(&mut self.piece);
        if piece.len() > MAX_PIECE {
            // its end is not kept: whether it announces a literal shows in the byte before the line end
            if self.before_last == b'}' {
                return Err(Violation::UnexpectedLiteral);
            }
            self.end_response();
        } else {
            let text = piece.strip_suffix(b"\r\n").unwrap_or(&piece);
            match announced(text) {
                Some(size) => self.begin_literal(text, size)?,
                None => self.end_response(),
            }
        }
        // the allocation is kept for the next line, unless it is more than an idle connection needs
        if piece.capacity() <= USUAL_LINE {
            self.piece = piece;
            self.piece.clear();
        }
        (self.quoted, self.escaped) = (false, false);
        (self.last, self.before_last) = (0, 0);
        Ok(())
    }

    fn begin_literal(&mut self, text: &[u8], size: u64) -> Result<(), Violation> {
        self.within = is_expected(text, self.within).ok_or(Violation::UnexpectedLiteral)?;
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if size > self.max_literal {
            return Err(Violation::LiteralTooLarge);
        }
        self.grow(size)?;
        self.literal_left = size;
        Ok(())
    }

    fn end_response(&mut self) {
        (self.line, self.total, self.depth, self.opened) = (0, 0, 0, 0);
        self.within = Within::Start;
        self.rev2.begin();
        self.responses += 1;
    }
}

/// A stream whose reads are judged before anyone sees them.
pub struct Guard<S> {
    inner: S,
    scanner: Scanner,
    cut: bool,
}

impl<S> Guard<S> {
    /// A guard in front of `inner`.
    pub fn new(inner: S, limits: &Limits) -> Self {
        Self {
            inner,
            scanner: Scanner::new(limits),
            cut: false,
        }
    }

    /// The stream behind the guard.
    pub fn into_inner(self) -> S {
        self.inner
    }

    /// How many whole responses have passed, if nothing has passed behind the last of them.
    pub(super) fn whole_responses(&self) -> Option<u64> {
        let at_start = self.scanner.line == 0 && self.scanner.literal_left == 0;
        at_start.then_some(self.scanner.responses)
    }

    /// Whether the server has told that it speaks IMAP4rev2 only.
    pub(super) fn is_rev2_only(&self) -> bool {
        self.scanner.rev2.is_only()
    }

    /// Whether the transport itself failed: what the codec then reports is a cut, not nonsense.
    pub(super) fn was_cut(&self) -> bool {
        self.cut
    }
}

impl<S> fmt::Debug for Guard<S> {
    /// Nothing of what passes: async-imap wants `Debug`, and lines hold passwords and mails.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guard")
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guard<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let start = buf.filled().len();
        if let Err(error) = ready!(Pin::new(&mut this.inner).poll_read(cx, buf)) {
            this.cut = true;
            return Poll::Ready(Err(error));
        }
        let fresh = buf.filled_mut().get_mut(start..).unwrap_or_default();
        let verdict = this.scanner.scan(fresh);
        if verdict.is_err() {
            // not one byte of it may reach the parser
            buf.set_filled(start);
        }
        Poll::Ready(verdict.map_err(io::Error::other))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guard<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
#[path = "guard_tests.rs"]
mod tests;
