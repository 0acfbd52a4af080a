//! One reading of a mail's bytes. (stub: being written)

/// A mail.
#[derive(Debug)]
pub struct Mail<'m> {
    raw: &'m [u8],
}

impl<'m> Mail<'m> {
    /// Reads a mail's header. Never fails: what is wrong with the bytes is told by `examine`.
    /// Also takes a header alone.
    #[must_use]
    pub fn parse(raw: &'m [u8]) -> Self {
        Self { raw }
    }

    /// The Message-ID without angle brackets.
    #[must_use]
    pub fn message_id(&self) -> Option<String> {
        None
    }

    /// The Date field, if it can be read.
    #[must_use]
    pub fn date(&self) -> Option<jiff::Timestamp> {
        let _ = self.raw;
        None
    }
}

/// The bytes of a file as a server would have sent them: when every line end is a bare LF, CR LF.
#[must_use]
pub fn as_sent(file: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    file.into()
}
