//! Colours as CSS and HTML write them.
//!
//! Knows hexadecimal, `rgb()`, `hsl()`, `hwb()`, names, and the colours that only a browser can
//! tell. Never knows what they are used for. Its texts are values of declarations and attributes.

use super::length::number;
use super::names::named;
use super::scan::words;

/// Red, green, blue.
pub(super) type Rgb = [u8; 3];

/// A colour with its opacity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Paint {
    Known(Rgb, f32),
    /// A colour that cannot be told here, such as `var(--x)`: it may be any.
    Unknown,
}

/// What a value of `color` says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Said {
    Paint(Paint),
    /// The colour around.
    Inherited,
}

impl Paint {
    pub(super) fn opaque(rgb: Rgb) -> Self {
        Self::Known(rgb, 1.0)
    }

    /// What one sees of it on a ground.
    pub(super) fn on(self, opacity: f32, ground: Rgb) -> Rgb {
        let Self::Known(rgb, alpha) = self else {
            return ground;
        };
        let alpha = (alpha * opacity).clamp(0.0, 1.0);
        let mix = |at: usize| f32::from(ground[at]) * (1.0 - alpha) + f32::from(rgb[at]) * alpha;
        [mix(0), mix(1), mix(2)].map(byte)
    }

    /// The contrast to a ground (WCAG 2.2, contrast ratio): 1 is none, 21 is black on white.
    pub(super) fn contrast(self, opacity: f32, ground: Rgb) -> f32 {
        let (one, other) = (luminance(self.on(opacity, ground)), luminance(ground));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    pub(super) fn is_opaque(self) -> bool {
        matches!(self, Self::Known(_, alpha) if alpha >= 1.0)
    }
}

fn luminance(rgb: Rgb) -> f32 {
    let part = |byte: u8| {
        let part = f32::from(byte) / 255.0;
        match part <= 0.04045 {
            true => part / 12.92,
            false => ((part + 0.055) / 1.055).powf(2.4),
        }
    };
    0.2126 * part(rgb[0]) + 0.7152 * part(rgb[1]) + 0.0722 * part(rgb[2])
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the range of an octet"
)]
fn byte(value: f32) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

/// A colour; `None` when it is none, and a browser drops the declaration.
pub(super) fn color(value: &str) -> Option<Said> {
    match value {
        "inherit" | "currentcolor" | "unset" | "revert" | "revert-layer" => {
            return Some(Said::Inherited);
        }
        "initial" | "auto" | "windowtext" | "canvastext" | "buttontext" | "fieldtext" | "text" => {
            return Some(Said::Paint(Paint::opaque([0; 3])));
        }
        "transparent" => return Some(Said::Paint(Paint::Known([0; 3], 0.0))),
        "linktext" | "-webkit-link" => return Some(Said::Paint(Paint::opaque([0, 0, 238]))),
        "canvas" | "window" | "field" => return Some(Said::Paint(Paint::opaque([255; 3]))),
        _ => {}
    }
    let paint = match value.split_once('(') {
        Some((name, arguments)) => function(name, arguments.strip_suffix(')').unwrap_or(arguments)),
        None => hexadecimal(value).or_else(|| named(value).map(Paint::opaque)),
    };
    paint.map(Said::Paint)
}

fn function(name: &str, arguments: &str) -> Option<Paint> {
    let read = match name {
        "rgb" | "rgba" => numbers(arguments, [255.0, 255.0, 255.0]).map(|(rgb, alpha)| {
            let [red, green, blue] = rgb.map(byte);
            Paint::Known([red, green, blue], alpha)
        }),
        "hsl" | "hsla" => numbers(arguments, [360.0, 100.0, 100.0])
            .map(|([hue, sat, light], alpha)| Paint::Known(hsl(hue, sat, light), alpha)),
        "hwb" => numbers(arguments, [360.0, 100.0, 100.0])
            .map(|([hue, white, black], alpha)| Paint::Known(hwb(hue, white, black), alpha)),
        "var" | "color" | "color-mix" | "lab" | "lch" | "oklab" | "oklch" | "light-dark"
        | "device-cmyk" | "env" | "attr" | "contrast-color" => None,
        _ => return None,
    };
    Some(read.unwrap_or(Paint::Unknown))
}

/// Three numbers and an opacity, divided by commas, blanks and a slash. A percentage is a part of
/// `whole`.
fn numbers(arguments: &str, whole: [f32; 3]) -> Option<([f32; 3], f32)> {
    let mut read = arguments
        .split([',', ' ', '/', '\t', '\n'])
        .filter(|word| !word.is_empty());
    let mut next = |whole: f32| {
        let word = read.next()?;
        let (value, unit) = number(word)?;
        match unit {
            "%" => Some(value * whole / 100.0),
            "" | "deg" => Some(value),
            "turn" => Some(value * 360.0),
            _ => None,
        }
    };
    let values = [next(whole[0])?, next(whole[1])?, next(whole[2])?];
    let alpha = next(1.0);
    Some((values, alpha.unwrap_or(1.0)))
}

/// CSS Color 4, 7: hue in degrees, the others in per cent.
fn hsl(hue: f32, sat: f32, light: f32) -> Rgb {
    let (sat, light) = (
        sat.clamp(0.0, 100.0) / 100.0,
        light.clamp(0.0, 100.0) / 100.0,
    );
    let part = |shift: f32| {
        let at = (shift + hue / 30.0).rem_euclid(12.0);
        let chroma = sat * light.min(1.0 - light);
        byte(255.0 * (light - chroma * (at - 3.0).min(9.0 - at).clamp(-1.0, 1.0)))
    };
    [part(0.0), part(8.0), part(4.0)]
}

/// CSS Color 4, 8.
fn hwb(hue: f32, white: f32, black: f32) -> Rgb {
    let (white, black) = (white / 100.0, black / 100.0);
    if white + black >= 1.0 {
        return [byte(255.0 * white / (white + black)); 3];
    }
    hsl(hue, 100.0, 50.0).map(|part| byte(f32::from(part) * (1.0 - white - black) + 255.0 * white))
}

/// `#rgb`, `#rgba`, `#rrggbb`, `#rrggbbaa`; without `#` as well, which some readers take.
fn hexadecimal(value: &str) -> Option<Paint> {
    let hex = value.strip_prefix('#').unwrap_or(value);
    let digits: Option<Vec<u8>> = hex.chars().map(digit).collect();
    match (digits?.as_slice(), value.starts_with('#')) {
        (&[r, g, b], _) => Some(Paint::opaque([r * 17, g * 17, b * 17])),
        (&[r, g, b, a], true) => Some(Paint::Known([r * 17, g * 17, b * 17], f32::from(a) / 15.0)),
        (&[a, b, c, d, e, f], _) => Some(Paint::opaque([pair(a, b), pair(c, d), pair(e, f)])),
        (&[a, b, c, d, e, f, g, h], true) => Some(Paint::Known(
            [pair(a, b), pair(c, d), pair(e, f)],
            f32::from(pair(g, h)) / 255.0,
        )),
        _ => None,
    }
}

fn digit(ch: char) -> Option<u8> {
    ch.to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn pair(high: u8, low: u8) -> u8 {
    high * 16 + low
}

/// A colour in an attribute such as `bgcolor`, where every text is one (WHATWG HTML, 2.4.6: rules
/// for parsing a legacy color value).
pub(super) fn legacy(value: &str) -> Option<Paint> {
    let value = value.trim().to_ascii_lowercase();
    if value.is_empty() || value == "transparent" {
        return None;
    }
    if let Some(rgb) = named(&value) {
        return Some(Paint::opaque(rgb));
    }
    if let (Some(paint), true) = (
        hexadecimal(&value),
        value.len() == 4 && value.starts_with('#'),
    ) {
        return Some(paint);
    }
    let mut digits: Vec<u8> = value
        .strip_prefix('#')
        .unwrap_or(&value)
        .chars()
        .take(128)
        .map(|ch| digit(ch).unwrap_or(0))
        .collect();
    while digits.is_empty() || !digits.len().is_multiple_of(3) {
        digits.push(0);
    }
    let third = digits.len() / 3;
    let mut parts: Vec<&[u8]> = digits.chunks(third).collect();
    for part in &mut parts {
        *part = &part[part.len().saturating_sub(8)..];
    }
    while parts[0].len() > 2 && parts.iter().all(|part| part[0] == 0) {
        for part in &mut parts {
            *part = &part[1..];
        }
    }
    let value = |part: &[u8]| match part {
        [low] => *low,
        [high, low, ..] => pair(*high, *low),
        [] => 0,
    };
    Some(Paint::opaque([
        value(parts[0]),
        value(parts[1]),
        value(parts[2]),
    ]))
}

/// The paints of `background` (`whole`), or of its colour or image, one of which one sees: the
/// colour, and those of gradients before it. Without any the ground shows.
pub(super) fn background(value: &str, whole: bool) -> Option<Vec<Said>> {
    let mut paints = Vec::new();
    let mut ground = None;
    for word in words(value) {
        match word.split_once('(') {
            Some((name, stops)) if name.ends_with("gradient") => {
                let stops = stops.split(['(', ')', ',', ' ']).filter_map(color);
                paints.extend(gradient_stops(word).into_iter().chain(stops));
            }
            _ => ground = color(word).or(ground),
        }
    }
    let is_covered = !paints.is_empty()
        && paints
            .iter()
            .all(|said| matches!(said, Said::Paint(paint) if paint.is_opaque()));
    paints.dedup();
    paints.extend(ground.filter(|_| !is_covered));
    if whole && paints.is_empty() {
        paints.push(Said::Inherited);
    }
    (!paints.is_empty()).then_some(paints)
}

/// The colours of a gradient that are functions themselves.
fn gradient_stops(gradient: &str) -> Vec<Said> {
    let names = ["rgb(", "rgba(", "hsl(", "hsla(", "hwb("];
    let mut found = Vec::new();
    for name in names {
        for (at, _) in gradient.match_indices(name).take(8) {
            let end = gradient[at..]
                .find(')')
                .map_or(gradient.len(), |end| at + end + 1);
            found.extend(color(&gradient[at..end]));
        }
    }
    found
}
