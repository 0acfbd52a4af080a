//! Whether text is hidden by style: as much of CSS as that takes.
//!
//! Knows the declarations that make text invisible, and simple selectors. Never lays anything out:
//! when in doubt, text counts as hidden, and a mail that hides its label is refused. Fed by `html`.

/// How text looks: inherited from element to element.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    /// Not shown, for good: no element inside can undo it.
    pub(super) hidden: bool,
    color: Color,
    background: Color,
}

impl Default for Look {
    /// Black on white.
    fn default() -> Self {
        Self {
            hidden: false,
            color: [0; 3],
            background: [255; 3],
        }
    }
}

impl Look {
    /// Takes over an element's own style.
    pub(super) fn apply(&mut self, style: &Style) {
        self.hidden |= style.hides;
        self.color = style.color.unwrap_or(self.color);
        self.background = style.background.unwrap_or(self.background);
    }

    /// Not shown, or in the colour of its background.
    pub(super) fn is_hidden(self) -> bool {
        let apart = |(one, other): (&u8, &u8)| one.abs_diff(*other) > 24;
        self.hidden || !self.color.iter().zip(&self.background).any(apart)
    }
}

type Color = [u8; 3];

/// What an element's declarations say of visibility.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Style {
    hides: bool,
    color: Option<Color>,
    background: Option<Color>,
}

impl Style {
    /// Reads `property: value; …`. Escapes and comments have no place in a mail's style: whoever
    /// writes `n\6fne` has a reason.
    pub(super) fn declare_all(&mut self, text: &str) {
        self.hides |= text.contains('\\') || text.contains("/*");
        for declaration in text.split(';') {
            if let Some((property, value)) = declaration.split_once(':') {
                self.declare(property, value);
            }
        }
    }

    /// Takes one declaration.
    pub(super) fn declare(&mut self, property: &str, value: &str) {
        let value = value.to_ascii_lowercase().replace("!important", "");
        let value = value.trim();
        let property = property.trim().to_ascii_lowercase();
        match property.as_str() {
            "color" => match color(value) {
                Some(color) => self.color = Some(color),
                None => self.hides |= is_transparent(value),
            },
            "background" | "background-color" => {
                let words = value.split_ascii_whitespace();
                self.background = words.filter_map(color).next_back().or(self.background);
            }
            property => self.hides |= hides(property, value),
        }
    }

    fn merge(&mut self, other: &Self) {
        self.hides |= other.hides;
        self.color = other.color.or(self.color);
        self.background = other.background.or(self.background);
    }
}

/// The declarations that people hide text with.
fn hides(property: &str, value: &str) -> bool {
    match property {
        "display" | "content-visibility" => matches!(value, "none" | "hidden"),
        "visibility" => matches!(value, "hidden" | "collapse"),
        "mso-hide" => value == "all",
        "opacity" => amount(value).is_some_and(|part| part < 0.1),
        "font-size" => is_tiny(value),
        // `font: [style] [weight] size[/line-height] family`: the size is the first length.
        "font" => value
            .split([' ', '/'])
            .find(|word| is_length(word))
            .is_some_and(is_tiny),
        "width" | "max-width" | "height" | "max-height" => amount(value) == Some(0.0),
        "text-indent" | "left" | "top" | "right" | "margin-left" | "margin-top" => {
            amount(value).is_some_and(|shift| shift <= -50.0)
        }
        "clip" => value.starts_with("rect"),
        "clip-path" => value != "none",
        "transform" => value.contains("scale(0") || value.contains("translate"),
        "-webkit-text-fill-color" => is_transparent(value),
        _ => false,
    }
}

/// The leading number of a length.
fn amount(value: &str) -> Option<f32> {
    let end = value
        .find(|ch: char| !matches!(ch, '0'..='9' | '.' | '-' | '+'))
        .unwrap_or(value.len());
    value[..end].parse().ok()
}

/// A number with a unit, or 0: unlike a font's weight.
fn is_length(word: &str) -> bool {
    let unit = word.trim_start_matches(|ch: char| ch.is_ascii_digit() || ch == '.');
    word == "0" || (unit.len() < word.len() && !unit.is_empty())
}

/// A font size that nobody can read.
fn is_tiny(value: &str) -> bool {
    amount(value).is_some_and(|size| {
        match value.trim_start_matches(|ch: char| !ch.is_ascii_alphabetic() && ch != '%') {
            "em" | "rem" | "ex" | "ch" | "vw" | "vh" => size < 0.4,
            "%" => size < 40.0,
            "cm" | "in" => size < 0.1,
            "mm" => size < 1.0,
            _ => size < 4.0,
        }
    })
}

/// A colour that is not one of the few that can be compared, and shows nothing.
fn is_transparent(value: &str) -> bool {
    let alpha = value
        .strip_prefix("rgba(")
        .or_else(|| value.strip_prefix("hsla("))
        .and_then(|list| {
            list.trim_end_matches(')')
                .split([',', '/', ' '])
                .filter(|word| !word.is_empty())
                .nth(3)
                .map(str::to_owned)
        });
    value == "transparent"
        || alpha.is_some_and(|alpha| amount(alpha.trim()).is_some_and(|part| part < 0.1))
}

/// `#rgb`, `#rrggbb`, `rgb(…)` and the names that mail uses to hide; others are `None`.
fn color(value: &str) -> Option<Color> {
    if is_transparent(value) {
        return None;
    }
    if let Some(list) = value
        .strip_prefix("rgb(")
        .or_else(|| value.strip_prefix("rgba("))
    {
        let numbers = list
            .trim_end_matches(')')
            .split([',', ' '])
            .filter(|word| !word.is_empty());
        let numbers: Vec<u8> = numbers
            .take(3)
            .filter_map(|word| word.parse().ok())
            .collect();
        return numbers.try_into().ok();
    }
    let hex = match value {
        "white" | "#fff" => "ffffff",
        "black" => "000000",
        "snow" => "fffafa",
        "ivory" => "fffff0",
        "whitesmoke" => "f5f5f5",
        "ghostwhite" => "f8f8ff",
        "red" => "ff0000",
        "blue" => "0000ff",
        "gray" | "grey" => "808080",
        _ => value.strip_prefix('#').unwrap_or(value),
    };
    let digits: Vec<u8> = hex
        .chars()
        .filter_map(|ch| ch.to_digit(16))
        .map(|digit| digit as u8)
        .collect();
    match (hex.len(), digits.as_slice()) {
        (3, &[red, green, blue]) => Some([red * 17, green * 17, blue * 17]),
        (6, &[a, b, c, d, e, f]) => Some([a * 16 + b, c * 16 + d, e * 16 + f]),
        _ => None,
    }
}

/// The rules of a mail's style sheets that say something of visibility.
#[derive(Debug, Default)]
pub(super) struct Sheet(Vec<(Selector, Style)>);

/// The last compound of a selector: what must be true of the element itself. Its context, media
/// and states are not looked at, so that a rule applies rather too often.
#[derive(Debug, Default)]
struct Selector {
    name: Option<String>,
    id: Option<String>,
    classes: Vec<String>,
}

impl Sheet {
    /// Adds the rules of a `<style>` element.
    pub(super) fn add(&mut self, css: &str) {
        let css = without_comments(css);
        for rule in css.split('}') {
            // `@media … { selector { …`: the last two pieces are the rule.
            let Some((before, declarations)) = rule.rsplit_once('{') else {
                continue;
            };
            let selectors = before.rsplit('{').next().unwrap_or_default();
            let mut style = Style::default();
            style.declare_all(declarations);
            for selector in selectors.split(',') {
                self.0.push((Selector::parse(selector), style));
            }
        }
    }

    /// What the sheets say of an element.
    pub(super) fn style(&self, name: &str, id: Option<&str>, class: &str) -> Style {
        let mut style = Style::default();
        for (selector, rule) in &self.0 {
            if selector.fits(name, id, class) {
                style.merge(rule);
            }
        }
        style
    }
}

impl Selector {
    fn parse(text: &str) -> Self {
        let compound = text
            .split([' ', '\t', '\r', '\n', '>', '+', '~'])
            .rfind(|part| !part.is_empty())
            .unwrap_or_default();
        let plain = compound.split([':', '[']).next().unwrap_or_default();
        let mut selector = Self::default();
        let mut rest = plain;
        while !rest.is_empty() {
            let next = rest
                .char_indices()
                .skip(1)
                .find(|(_, ch)| matches!(ch, '.' | '#'));
            let (piece, behind) = rest.split_at(next.map_or(rest.len(), |(at, _)| at));
            if let Some(class) = piece.strip_prefix('.') {
                selector.classes.push(class.to_owned());
            } else if let Some(id) = piece.strip_prefix('#') {
                selector.id = Some(id.to_owned());
            } else if piece != "*" {
                selector.name = Some(piece.to_ascii_lowercase());
            }
            rest = behind;
        }
        selector
    }

    fn fits(&self, name: &str, id: Option<&str>, class: &str) -> bool {
        let classes: Vec<&str> = class.split_ascii_whitespace().collect();
        self.name.as_deref().is_none_or(|wanted| wanted == name)
            && self.id.as_deref().is_none_or(|wanted| id == Some(wanted))
            && self
                .classes
                .iter()
                .all(|wanted| classes.contains(&wanted.as_str()))
    }
}

fn without_comments(css: &str) -> String {
    let mut kept = String::with_capacity(css.len());
    let mut rest = css;
    while let Some((before, after)) = rest.split_once("/*") {
        kept.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, behind)| behind);
    }
    kept + rest
}
