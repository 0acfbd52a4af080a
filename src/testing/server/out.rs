//! What is to be said.
//!
//! Knows lines and literals. Never sends them. Its data comes from the commands.

/// Bytes of an answer.
#[derive(Debug, Default)]
pub(super) struct Out(Vec<u8>);

impl Out {
    pub(super) fn line(&mut self, text: impl AsRef<str>) {
        self.raw(text.as_ref().as_bytes());
        self.raw(b"\r\n");
    }

    /// `{n}`, a line end, and the bytes.
    pub(super) fn literal(&mut self, bytes: &[u8]) {
        self.raw(format!("{{{}}}\r\n", bytes.len()).as_bytes());
        self.raw(bytes);
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A string as an argument: quoted, with its quotes escaped.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
