//! Lines and literals in, bytes out.
//!
//! Knows where a line ends, and bounds it. Never understands one. Its data comes from the client.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The longest line of a client: a `UID FETCH` of a thousand single UIDs fits.
const MAX_LINE: usize = 64 * 1024;

/// The connection is over: the client went, or the server goes.
#[derive(Debug)]
pub(super) struct Over;

/// A stream, and what was heard of it and not yet read.
pub(super) struct Pipe<S> {
    stream: S,
    heard: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Pipe<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            heard: Vec::new(),
        }
    }

    /// The next line, without its end. Dropping the future loses nothing.
    pub(super) async fn line(&mut self) -> Result<Vec<u8>, Over> {
        loop {
            if let Some(end) = self.heard.iter().position(|&byte| byte == b'\n') {
                let mut line: Vec<u8> = self.heard.drain(..=end).collect();
                line.pop();
                line.pop_if(|last| *last == b'\r');
                return Ok(line);
            }
            if self.heard.len() > MAX_LINE {
                return Err(Over);
            }
            self.hear().await?;
        }
    }

    /// So many bytes, appended to `to`.
    pub(super) async fn literal(&mut self, size: usize, to: &mut Vec<u8>) -> Result<(), Over> {
        while self.heard.len() < size {
            self.hear().await?;
        }
        to.extend(self.heard.drain(..size));
        Ok(())
    }

    pub(super) async fn say(&mut self, bytes: &[u8]) -> Result<(), Over> {
        self.stream.write_all(bytes).await.map_err(|_| Over)?;
        self.stream.flush().await.map_err(|_| Over)
    }

    /// Takes whatever comes, and says nothing, until the client goes.
    pub(super) async fn drain(&mut self) -> Over {
        while self.hear().await.is_ok() {
            self.heard.clear();
        }
        Over
    }

    async fn hear(&mut self) -> Result<(), Over> {
        match self.stream.read_buf(&mut self.heard).await {
            Ok(count) if count > 0 => Ok(()),
            _ => Err(Over),
        }
    }
}
