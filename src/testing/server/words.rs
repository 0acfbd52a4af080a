//! A command as words: atoms, strings, lists; and sets of numbers.
//!
//! Knows the grammar of RFC 3501, section 9, as far as clients use it. Never knows a command. Its data
//! comes from the [`Pipe`](super::pipe::Pipe): one command, with its literals inside.

/// The deepest list: NOTIFY nests three deep.
const MAX_DEPTH: usize = 8;

/// One word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// As it was written, with what stands in its brackets.
    Atom(String),
    /// Quoted, or a literal.
    Text(Vec<u8>),
    List(Vec<Word>),
}

impl Word {
    /// The atom in upper case; empty for anything else.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Atom(atom) => atom.to_ascii_uppercase(),
            _ => String::new(),
        }
    }

    /// An atom or a string of UTF-8.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Atom(atom) => Some(atom),
            Self::Text(bytes) => str::from_utf8(bytes).ok(),
            Self::List(_) => None,
        }
    }

    pub(super) fn list(&self) -> Option<&[Self]> {
        match self {
            Self::List(words) => Some(words),
            _ => None,
        }
    }

    /// The words of a list, or the word alone.
    pub(super) fn each(&self) -> &[Self] {
        match self {
            Self::List(words) => words,
            other => std::slice::from_ref(other),
        }
    }
}

/// The words of a command; `None` when it is none.
pub(super) fn words(raw: &[u8]) -> Option<Vec<Word>> {
    let (words, rest) = sequence(raw, 0)?;
    rest.is_empty().then_some(words)
}

/// Words up to the end, or to a closing parenthesis.
fn sequence(mut rest: &[u8], depth: usize) -> Option<(Vec<Word>, &[u8])> {
    let mut words = Vec::new();
    loop {
        rest = rest.trim_ascii_start();
        match rest.first() {
            None => return Some((words, rest)),
            Some(b')') if depth > 0 => return Some((words, rest)),
            Some(_) => {
                let (word, after) = word(rest, depth)?;
                words.push(word);
                rest = after;
            }
        }
    }
}

fn word(rest: &[u8], depth: usize) -> Option<(Word, &[u8])> {
    match rest.first()? {
        b'(' if depth < MAX_DEPTH => {
            let (words, rest) = sequence(rest.get(1..)?, depth + 1)?;
            Some((Word::List(words), rest.strip_prefix(b")")?))
        }
        b'"' => quoted(rest.get(1..)?),
        b'{' => literal(rest),
        b'(' | b')' => None,
        _ => atom(rest),
    }
}

fn quoted(rest: &[u8]) -> Option<(Word, &[u8])> {
    let mut text = Vec::new();
    let mut bytes = rest.iter().enumerate();
    while let Some((at, &byte)) = bytes.next() {
        match byte {
            b'"' => return Some((Word::Text(text), rest.get(at + 1..)?)),
            b'\\' => text.push(*bytes.next()?.1),
            byte => text.push(byte),
        }
    }
    None
}

fn literal(rest: &[u8]) -> Option<(Word, &[u8])> {
    let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
    let (announced, rest) = (rest.get(..end)?, rest.get(end + 2..)?);
    let (size, _) = announces(announced)?;
    Some((Word::Text(rest.get(..size)?.to_vec()), rest.get(size..)?))
}

/// The size in `{n}` or `{n+}` at the end of a line, and whether it waits for the server's `+`.
pub(super) fn announces(line: &[u8]) -> Option<(usize, bool)> {
    let inner = line.strip_suffix(b"}")?;
    let open = inner.iter().rposition(|&byte| byte == b'{')?;
    let digits = str::from_utf8(inner.get(open + 1..)?).ok()?;
    let (digits, waits) = match digits.strip_suffix('+') {
        Some(digits) => (digits, false),
        None => (digits, true),
    };
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    Some((digits.parse().ok().filter(|_| all_digits)?, waits))
}

/// Up to a space or parenthesis that is not within brackets: `BODY[HEADER.FIELDS (FROM)]<0.9>` is one.
fn atom(rest: &[u8]) -> Option<(Word, &[u8])> {
    let mut within = false;
    let ends = |byte: u8| {
        within = within && byte != b']' || byte == b'[';
        !within && matches!(byte, b' ' | b'(' | b')' | b'"')
    };
    let end = rest.iter().copied().position(ends).unwrap_or(rest.len());
    let text = str::from_utf8(rest.get(..end)?).ok()?;
    Some((Word::Atom(text.to_owned()), rest.get(end..)?))
}

/// A set of UIDs or sequence numbers: `1:3,7,9:*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Set(Vec<(Option<u32>, Option<u32>)>);

impl Set {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let range = |part: &str| match part.split_once(':') {
            Some((first, last)) => Some((number(first)?, number(last)?)),
            None => number(part).map(|only| (only, only)),
        };
        text.split(',').map(range).collect::<Option<_>>().map(Self)
    }

    /// Whether the number is in it; `last` is what `*` stands for. `5:*` always holds the last one.
    pub(super) fn has(&self, number: u32, last: u32) -> bool {
        self.0.iter().any(|&(one, other)| {
            let (one, other) = (one.unwrap_or(last), other.unwrap_or(last));
            (one.min(other)..=one.max(other)).contains(&number)
        })
    }
}

/// `*` is `Some(None)`.
#[expect(clippy::option_option, reason = "a number, the last one, or no number")]
fn number(text: &str) -> Option<Option<u32>> {
    match text {
        "*" => Some(None),
        text => text.parse().ok().filter(|&number| number > 0).map(Some),
    }
}

/// Numbers as a set, in the order given: `1:3,7`.
pub(super) fn set_of(numbers: &[u32]) -> String {
    let mut parts: Vec<(u32, u32)> = Vec::new();
    for &number in numbers {
        match parts.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            _ => parts.push((number, number)),
        }
    }
    let text = |&(first, last): &(u32, u32)| match first == last {
        true => first.to_string(),
        false => format!("{first}:{last}"),
    };
    parts.iter().map(text).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
#[path = "words_tests.rs"]
mod tests;
