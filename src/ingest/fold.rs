//! Text without its typographic form, for comparing.
//!
//! Knows white space, invisible characters and full-width forms. Never knows what a text means. Its
//! texts are labels, values and subjects.

/// Text without white space and invisible characters around it, such as the direction marks that
/// stand around a value in Arabic and Hebrew mail.
pub(super) fn trimmed(text: &str) -> &str {
    let ends = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_graphic);
    let bytes = text.as_bytes();
    if ends(bytes.first()) && ends(bytes.last()) {
        return text;
    }
    text.trim_matches(|ch| matches!(plain(ch), None | Some(' ')))
}

/// Text for comparing: lower case, full-width forms as ASCII, white space as single spaces, no
/// invisible characters, plain apostrophes.
pub(super) fn folded(text: &str) -> String {
    if text.is_ascii() {
        return folded_ascii(text);
    }
    let mut folded = String::with_capacity(text.len());
    for ch in text.chars() {
        match plain(ch) {
            Some(' ') if folded.is_empty() || folded.ends_with(' ') => {}
            Some(ch) => folded.extend(ch.to_lowercase()),
            None => {}
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

fn folded_ascii(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' | b'\t'..=b'\r' if folded.is_empty() || folded.ends_with(' ') => {}
            b' ' | b'\t'..=b'\r' => folded.push(' '),
            byte if byte.is_ascii_control() => {}
            byte => folded.push(byte.to_ascii_lowercase().into()),
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

/// One character without its typographic form; `None` for one that nobody sees.
fn plain(ch: char) -> Option<char> {
    match ch {
        '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202c}'
        | '\u{2060}'..='\u{2064}'
        | '\u{2066}'..='\u{206f}'
        | '\u{feff}' => None,
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(ch as u32 - 0xfee0),
        '’' | '‘' | 'ʼ' | '´' => Some('\''),
        '﹕' | '︓' | '∶' | '꞉' => Some(':'),
        _ if ch.is_whitespace() => Some(' '),
        _ if ch.is_control() => None,
        _ => Some(ch),
    }
}
