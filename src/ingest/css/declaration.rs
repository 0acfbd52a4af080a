//! What a declaration says of visibility.
//!
//! Knows the properties that people hide text with, and those that undo them. Never weighs one
//! declaration against another: `style` does. Its text is the inside of a rule or of an attribute.

use super::color::{Said, background, color};
use super::length::{Size, font_size, number, opacity, pixels};
use super::scan::{split, unescaped, without_comments, words};

/// One thing that is said.
#[derive(Clone, Debug)]
pub(super) enum Declaration {
    /// Not shown, whatever else is said.
    Hides,
    /// Too low or too narrow to show a line, where what sticks out is cut off (`Clips`).
    Small,
    Clips,
    /// Laid over what stands elsewhere.
    Covers,
    Opacity(f32),
    Size(Size),
    /// A size that only some browsers take.
    MaybeSize(Size),
    Color(Said),
    /// `-webkit-text-fill-color`: goes before the colour.
    Fill(Said),
    Background(Vec<Said>),
    /// It begins and ends a line, or does not.
    Block(bool),
    /// Line ends of the source are line ends.
    KeepsLines(bool),
}

/// `property: value; …`, each with whether it is `!important`.
pub(super) fn declarations(text: &str) -> Vec<(bool, Declaration)> {
    let text = without_comments(text);
    let mut all = Vec::new();
    for piece in split(&text, b';') {
        if let Some((property, value)) = piece.split_once(':') {
            let (important, value) = plain(value);
            all.extend(declaration(property, &value).map(|said| (important, said)));
        }
    }
    all
}

/// A value in lower case, without escapes and `!important`.
fn plain(value: &str) -> (bool, String) {
    let value = unescaped(value).to_ascii_lowercase();
    match value.split_once('!') {
        Some((value, _)) => (true, value.trim().to_owned()),
        None => (false, value.trim().to_owned()),
    }
}

fn declaration(property: &str, value: &str) -> Option<Declaration> {
    let property = unescaped(property.trim()).to_ascii_lowercase();
    let vendors = ["-webkit-", "-moz-", "-ms-", "-o-"];
    let vendor = vendors
        .iter()
        .find_map(|vendor| property.strip_prefix(vendor));
    match vendor.unwrap_or(&property) {
        "color" => color(value).map(Declaration::Color),
        "text-fill-color" => color(value).map(Declaration::Fill),
        "background" | "background-color" | "background-image" => {
            background(value, property == "background").map(Declaration::Background)
        }
        "font-size" => sized(value),
        "font" => words(value).find_map(font_length),
        "opacity" => Some(Declaration::Opacity(opacity(value))),
        "display" => display(value),
        "white-space" | "white-space-collapse" => {
            let keeps = value.contains("pre") || value.contains("break-spaces");
            Some(Declaration::KeepsLines(keeps))
        }
        "position" => matches!(value, "absolute" | "fixed").then_some(Declaration::Covers),
        property if is_small(property, value) => Some(small(property, value)),
        "overflow" | "overflow-x" | "overflow-y" | "overflow-block" | "overflow-inline" => {
            (!value.contains("visible")).then_some(Declaration::Clips)
        }
        property => hides(property, value).then_some(Declaration::Hides),
    }
}

fn display(value: &str) -> Option<Declaration> {
    match value {
        "none" => Some(Declaration::Hides),
        "inline" => Some(Declaration::Block(false)),
        "block" | "flex" | "grid" | "table" | "list-item" | "table-row" | "flow-root"
        | "table-caption" => Some(Declaration::Block(true)),
        _ => None,
    }
}

/// A number without a unit is a size for browsers in their quirks only.
fn sized(value: &str) -> Option<Declaration> {
    let size = font_size(value)?;
    match number(value) {
        Some((amount, "")) if amount != 0.0 => Some(Declaration::MaybeSize(size)),
        _ => Some(Declaration::Size(size)),
    }
}

/// `font: [style] [weight] size[/line-height] family`: the size is the first length.
fn font_length(word: &str) -> Option<Declaration> {
    let word = word.split('/').next().unwrap_or_default();
    let is_length = match number(word) {
        Some((amount, unit)) => !unit.is_empty() || amount == 0.0,
        None => word.ends_with("small") || word.ends_with("large") || word == "medium",
    };
    let is_length = is_length || word.starts_with("calc(") || word.starts_with("var(");
    is_length
        .then(|| font_size(word).map(Declaration::Size))
        .flatten()
}

/// Without any height or width it is hidden, whatever is cut off.
fn small(property: &str, value: &str) -> Declaration {
    let is_nothing = number(value).is_some_and(|(amount, _)| amount <= 0.0);
    match is_nothing && property != "line-height" {
        true => Declaration::Hides,
        false => Declaration::Small,
    }
}

fn is_small(property: &str, value: &str) -> bool {
    let sizes = [
        "width",
        "max-width",
        "height",
        "max-height",
        "line-height",
        "inline-size",
        "block-size",
        "max-inline-size",
        "max-block-size",
    ];
    let is_narrow = |(amount, unit): (f32, &str)| match (property, unit) {
        ("line-height", "") => amount < 0.2,
        (_, "%") => amount < 1.0,
        _ => pixels(value).is_some_and(|amount| amount < LEAST_LINE),
    };
    sizes.contains(&property) && number(value).is_some_and(is_narrow)
}

/// A line of text is higher, in pixels.
const LEAST_LINE: f32 = 4.0;
/// Shifted by as much to the left or the top, in pixels, text may lie outside.
const MOST_BACK: f32 = -50.0;
/// A first line that hangs: Word's lists and headers do, by some centimetres.
const MOST_HANGING: f32 = -300.0;
/// Shifted by as much to the right or the bottom.
const MOST_ON: f32 = 1000.0;

/// The declarations that hide text by themselves.
fn hides(property: &str, value: &str) -> bool {
    let is_said = !matches!(
        value,
        "none" | "normal" | "auto" | "initial" | "inherit" | "unset" | ""
    );
    match property {
        "visibility" => matches!(value, "hidden" | "collapse"),
        "content-visibility" => value == "hidden",
        "mso-hide" => value == "all",
        "zoom" => {
            number(value).is_some_and(|(part, unit)| part < if unit == "%" { 30.0 } else { 0.3 })
        }
        "text-indent" => {
            pixels(value).is_some_and(|shift| !(MOST_HANGING..MOST_ON).contains(&shift))
        }
        "left" | "top" | "right" | "bottom" | "inset" => is_far(value),
        _ if property.starts_with("margin") || property.starts_with("inset-") => is_far(value),
        _ if property.starts_with("padding") => is_far(value),
        "letter-spacing" => pixels(value).is_some_and(|gap| gap < -3.0),
        "font-size-adjust" => number(value).is_some_and(|(part, _)| part < 0.1),
        "text-decoration" | "text-decoration-line" => value.contains("line-through"),
        "unicode-bidi" => value.contains("override"),
        "transform" | "scale" | "translate" | "rotate" => is_said && !stays(property, value),
        "filter" => is_said && (!value.starts_with("progid") || value.contains("alpha")),
        "clip" | "clip-path" | "mask" | "mask-image" | "text-security" | "mix-blend-mode"
        | "animation" | "animation-name" => is_said,
        _ => false,
    }
}

fn is_far(value: &str) -> bool {
    let far = |shift: f32| shift <= MOST_BACK || shift >= MOST_ON;
    words(value).any(|word| pixels(word).is_some_and(far))
}

/// A transformation that changes nothing.
fn stays(property: &str, value: &str) -> bool {
    let nothing: &[&str] = match property {
        "scale" => &["1", "1 1", "100%"],
        "translate" | "rotate" => &["0", "0px", "0deg", "0 0"],
        _ => &[
            "scale(1)",
            "rotate(0)",
            "rotate(0deg)",
            "translate(0)",
            "translatez(0)",
        ],
    };
    nothing.contains(&value)
}
