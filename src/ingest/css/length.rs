//! Numbers and lengths of CSS.
//!
//! Knows units, in the pixels of a screen of ordinary size. Never computes `calc()`: what takes
//! computing is `None`, and in doubt. Its texts are values of declarations.

/// A browser's ordinary text, in pixels.
pub(super) const NORMAL: f32 = 16.0;

/// A font's size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Size {
    /// In pixels.
    Fixed(f32),
    /// A part of the size around.
    Relative(f32),
}

impl Size {
    pub(super) fn in_pixels(self, around: f32) -> f32 {
        match self {
            Self::Fixed(size) => size,
            Self::Relative(part) => part * around,
        }
    }
}

/// A number and its unit; also with an exponent.
pub(super) fn number(text: &str) -> Option<(f32, &str)> {
    let bytes = text.as_bytes();
    let is_number = |at: usize| match bytes.get(at) {
        Some(b'0'..=b'9' | b'.') => true,
        Some(b'+' | b'-') => at == 0 || matches!(bytes[at - 1], b'e' | b'E'),
        Some(b'e' | b'E') => {
            let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
            let sign = matches!(bytes.get(at + 1), Some(b'+' | b'-'));
            at > 0 && (digit(at + 1) || (sign && digit(at + 2)))
        }
        _ => false,
    };
    let end = (0..bytes.len())
        .find(|&at| !is_number(at))
        .unwrap_or(bytes.len());
    let value: f32 = text.get(..end)?.parse().ok()?;
    Some((value, &text[end..]))
}

/// A length in pixels; a percentage is one of a screen's width.
pub(super) fn pixels(text: &str) -> Option<f32> {
    let (value, unit) = number(text)?;
    let factor = match unit {
        "" | "px" => 1.0,
        "pt" => 4.0 / 3.0,
        "pc" | "em" | "rem" | "ic" | "lh" | "rlh" => NORMAL,
        "ex" | "ch" => NORMAL / 2.0,
        "in" => 96.0,
        "cm" => 37.8,
        "mm" => 3.78,
        "q" => 0.945,
        "%" | "vw" | "vh" | "vmin" | "vmax" | "vi" | "vb" => 6.0,
        unit if unit.starts_with(['s', 'l', 'd', 'c']) => 6.0,
        _ => return None,
    };
    Some(value * factor)
}

/// The size of a font; `None` when it is none.
pub(super) fn font_size(text: &str) -> Option<Size> {
    let named = match text {
        "xx-small" => 9.0,
        "x-small" => 10.0,
        "small" => 13.0,
        "medium" | "initial" => NORMAL,
        "large" => 18.0,
        "x-large" => 24.0,
        "xx-large" | "xxx-large" => 32.0,
        "smaller" => return Some(Size::Relative(0.83)),
        "larger" => return Some(Size::Relative(1.2)),
        "inherit" | "unset" | "revert" => return Some(Size::Relative(1.0)),
        // It takes computing: it may be nothing.
        _ if text.contains('(') => 0.0,
        _ => {
            return match number(text)? {
                (part, "em") => Some(Size::Relative(part)),
                (part, "%") => Some(Size::Relative(part / 100.0)),
                (part, "ex" | "ch") => Some(Size::Relative(part / 2.0)),
                _ => pixels(text).map(Size::Fixed),
            };
        }
    };
    Some(Size::Fixed(named))
}

/// The opacity that a number or a percentage says; in doubt, none.
pub(super) fn opacity(text: &str) -> f32 {
    match number(text) {
        Some((part, "")) => part.clamp(0.0, 1.0),
        Some((part, "%")) => (part / 100.0).clamp(0.0, 1.0),
        _ if matches!(text, "initial" | "inherit" | "unset" | "revert") => 1.0,
        _ => 0.0,
    }
}
