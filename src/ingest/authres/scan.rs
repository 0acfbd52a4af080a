//! The words of an Authentication-Results field: white space, comments, tokens, quoted strings.
//!
//! Knows the lexical rules of RFC 5322, 3.2 and RFC 2045, 5.1. Never knows what a word means. Reads
//! the field's value from the left, once; `None` everywhere means "not written as the RFC asks".

/// What is left of a field's value.
pub(super) struct Scanner<'t>(&'t str);

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self(text)
    }

    pub(super) fn is_done(&self) -> bool {
        self.0.is_empty()
    }

    /// The next character, which stays.
    pub(super) fn next(&self) -> Option<char> {
        self.0.chars().next()
    }

    /// Takes this character, if it is the next one.
    pub(super) fn take(&mut self, wanted: char) -> Option<()> {
        self.0 = self.0.strip_prefix(wanted)?;
        Some(())
    }

    /// Takes white space and comments (CFWS); tells whether there were any.
    pub(super) fn skip(&mut self) -> Option<bool> {
        let before = self.0.len();
        loop {
            self.0 = self.0.trim_start_matches(is_space);
            if self.next() != Some('(') {
                return Some(self.0.len() < before);
            }
            self.comment()?;
        }
    }

    /// A comment; they nest, and a backslash hides the next character. Counted, not recursive: a
    /// field of parentheses must not fill the stack.
    fn comment(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        let mut chars = self.0.char_indices();
        while let Some((at, ch)) = chars.next() {
            match ch {
                '(' => depth += 1,
                ')' => depth -= 1,
                '\\' => is_text(chars.next()?.1).then_some(())?,
                other => is_text(other).then_some(())?,
            }
            if depth == 0 {
                self.0 = &self.0[at + 1..];
                return Some(());
            }
        }
        None
    }

    /// A run of characters that all are `wanted`; at least one.
    fn run(&mut self, wanted: impl Fn(char) -> bool) -> Option<&'t str> {
        let end = self.0.find(|ch| !wanted(ch)).unwrap_or(self.0.len());
        let (run, rest) = self.0.split_at(end);
        self.0 = rest;
        (!run.is_empty()).then_some(run)
    }

    /// A method, result, ptype or property, in lower case. NOTE: the underscore is no part of
    /// RFC 5321's Keyword, but of `dkim_atps` (RFC 8601 registers it).
    pub(super) fn keyword(&mut self) -> Option<String> {
        let word = self.run(|ch| ch.is_ascii_alphanumeric() || matches!(ch, '-' | '_'))?;
        Some(word.to_ascii_lowercase())
    }

    pub(super) fn digits(&mut self) -> Option<&'t str> {
        self.run(|ch| ch.is_ascii_digit())
    }

    /// The authserv-id: a token or a quoted string.
    pub(super) fn value(&mut self) -> Option<String> {
        if self.next() == Some('"') {
            return self.quoted();
        }
        self.run(|ch| ch.is_ascii_graphic() && !"()<>@,;:\\\"/[]?=".contains(ch))
            .map(str::to_owned)
    }

    /// What stands behind `ptype.property=` or `reason=`: a word, a quoted string, or a quoted local
    /// part with its domain. Providers leave `:`, `/` and the like unquoted (Fastmail:
    /// `policy.authority-uri=https://…`), so a word ends at white space or `;` only.
    ///
    /// NOTE: nothing else may be glued to it, not even a comment, which the RFC would allow: a
    /// provider that copies `d=salesforce.com(.evil.example` unquoted must not be read as
    /// `salesforce.com` (OpenDMARC, CVE-2020-12272).
    pub(super) fn property_value(&mut self) -> Option<String> {
        self.skip()?;
        let is_quoted = self.next() == Some('"');
        let mut value = if is_quoted {
            self.quoted()?
        } else {
            String::new()
        };
        if !is_quoted || self.next() == Some('@') {
            value.push_str(self.run(is_plain)?);
        }
        let ends = self.next().is_none_or(|ch| is_space(ch) || ch == ';');
        ends.then_some(value)
    }

    fn quoted(&mut self) -> Option<String> {
        let mut text = String::new();
        let mut chars = self.0.strip_prefix('"')?.char_indices();
        while let Some((at, ch)) = chars.next() {
            match ch {
                '"' => {
                    self.0 = &self.0[at + 2..];
                    return Some(text);
                }
                '\\' => text.push(chars.next().map(|(_, ch)| ch).filter(|&ch| is_text(ch))?),
                // The line end of a fold is no part of the text.
                '\r' | '\n' => {}
                other => text.push(is_text(other).then_some(other)?),
            }
        }
        None
    }
}

/// Line ends are those of folds: the mail's octets have been checked.
fn is_space(ch: char) -> bool {
    matches!(ch, ' ' | '\t' | '\r' | '\n')
}

fn is_text(ch: char) -> bool {
    is_space(ch) || !ch.is_control()
}

fn is_plain(ch: char) -> bool {
    !ch.is_whitespace() && !ch.is_control() && !";()\"\\".contains(ch)
}
