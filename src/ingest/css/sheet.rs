//! A mail's style sheets, and what they say of an element.
//!
//! Knows rules, the rules around them, and screens: what is for printers or for dark rooms is passed
//! over, what is for narrow screens may apply. Never loads another sheet. Its text is that of
//! `<style>` elements.

use std::borrow::Cow;
use std::cell::Cell;

use super::declaration::{Declaration, declarations};
use super::element::Element;
use super::scan::{block, find, without_comments};
use super::selector::{Selector, selectors};
use super::style::{SHEET, Style};

/// Comparisons of elements with selectors: more than a mail needs, few enough to be done at once.
pub(super) const MAX_STEPS: usize = 2_000_000;
/// Rules within rules.
const MAX_DEPTH: usize = 8;

/// The rules of a mail's style sheets that say something of visibility.
#[derive(Debug, Default)]
pub(in super::super) struct Sheet {
    rules: Vec<Rule>,
    steps: Cell<usize>,
    /// Nested deeper than is looked into: it may say anything.
    lost: bool,
}

#[derive(Debug)]
struct Rule {
    selectors: Vec<Selector>,
    said: Vec<(bool, Declaration)>,
    maybe: bool,
}

/// When rules apply.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Applies {
    Always,
    Maybe,
    Never,
}

impl Sheet {
    /// Adds the rules of a `<style>` element; `media` is its attribute.
    pub(in super::super) fn add(&mut self, css: &str, media: &str) {
        let css = without_comments(css);
        self.rules(&css, applies(media), 0);
    }

    fn rules(&mut self, css: &str, applies: Applies, depth: usize) {
        if applies == Applies::Never {
            return;
        }
        if depth > MAX_DEPTH {
            self.lost = true;
            return;
        }
        let mut rest = css;
        let mut is_spoilt = false;
        while let Some(at) = find(rest, b";{") {
            let (before, behind) = (without_marks(rest[..at].trim()), &rest[at + 1..]);
            if rest.as_bytes()[at] == b';' {
                // `@import …;` loads nothing. A lone `;` spoils the rule behind it.
                is_spoilt |= !before.starts_with('@');
                rest = behind;
                continue;
            }
            let (inside, behind) = block(behind);
            rest = behind;
            let spoilt = match std::mem::take(&mut is_spoilt) {
                true => Applies::Maybe,
                false => Applies::Always,
            };
            self.rule(before, inside, applies.min_of(spoilt), depth);
        }
    }

    fn rule(&mut self, before: &str, inside: &str, applies: Applies, depth: usize) {
        if let Some(at_rule) = before.strip_prefix('@') {
            return self.rules(inside, self::at_rule(at_rule).min_of(applies), depth + 1);
        }
        let (own, nested) = parted(inside);
        let said = declarations(&own);
        if !said.is_empty() {
            let is_spoilt = before.contains('}');
            self.rules.push(Rule {
                selectors: selectors(before.trim_start_matches(['}', ' ', '\r', '\n', '\t'])),
                said,
                maybe: applies == Applies::Maybe || is_spoilt,
            });
        }
        if !nested.is_empty() {
            self.rules(&nested, Applies::Maybe, depth + 1);
        }
    }

    /// Whether there is nothing to be looked at.
    pub(in super::super) fn is_empty(&self) -> bool {
        self.rules.is_empty() && !self.lost
    }

    /// What the sheets say of the last element of `path`; when so many rules met so many elements
    /// that it cannot be told in time, that it is hidden.
    pub(in super::super) fn style(&self, path: &[&Element]) -> Style {
        let mut style = Style::default();
        for (order, rule) in self.rules.iter().enumerate() {
            if self.steps.get() > MAX_STEPS {
                break;
            }
            let order = u32::try_from(order).unwrap_or(u32::MAX);
            for selector in &rule.selectors {
                if selector.fits(path, &self.steps) {
                    let weight = (SHEET, selector.specificity, order);
                    for (important, said) in &rule.said {
                        style.take(said, weight, *important, rule.maybe || selector.maybe);
                    }
                }
            }
        }
        if self.lost || self.steps.get() > MAX_STEPS {
            style.hide();
        }
        style
    }
}

impl Applies {
    /// Both must hold.
    fn min_of(self, other: Self) -> Self {
        match (self, other) {
            (Self::Never, _) | (_, Self::Never) => Self::Never,
            (Self::Maybe, _) | (_, Self::Maybe) => Self::Maybe,
            _ => Self::Always,
        }
    }
}

/// A rule's own declarations, and the rules within it.
fn parted(inside: &str) -> (Cow<'_, str>, String) {
    let (mut own, mut nested) = (String::new(), String::new());
    let mut rest = inside;
    while let Some(brace) = find(rest, b"{") {
        let begin = rest[..brace].rfind(';').map_or(0, |at| at + 1);
        let (_, behind) = block(&rest[brace + 1..]);
        let end = rest.len() - behind.len();
        own.push_str(&rest[..begin]);
        nested.push_str(&rest[begin..end]);
        rest = behind;
    }
    if nested.is_empty() {
        return (Cow::Borrowed(inside), nested);
    }
    own.push_str(rest);
    (Cow::Owned(own), nested)
}

/// Without the marks of a comment, which a sheet may stand in.
fn without_marks(mut before: &str) -> &str {
    while let Some(rest) = before
        .strip_prefix("<!--")
        .or_else(|| before.strip_prefix("-->"))
    {
        before = rest.trim_start();
    }
    before
}

/// When the rules within `@…` apply.
fn at_rule(text: &str) -> Applies {
    let text = text.to_ascii_lowercase();
    let end = text.find(|ch: char| !ch.is_ascii_alphanumeric() && ch != '-');
    let (name, condition) = text.split_at(end.unwrap_or(text.len()));
    match name {
        "media" => applies(condition),
        "font-face"
        | "page"
        | "keyframes"
        | "-webkit-keyframes"
        | "-moz-keyframes"
        | "-o-keyframes"
        | "counter-style"
        | "property"
        | "viewport"
        | "-ms-viewport"
        | "font-feature-values"
        | "font-palette-values" => Applies::Never,
        _ => Applies::Maybe,
    }
}

/// Whether a media query holds where mail is read: on a screen, by day. Who hides a label by night
/// only hides it from nobody else.
fn applies(media: &str) -> Applies {
    let media = media.trim().to_ascii_lowercase();
    let words: Vec<&str> = media.split_ascii_whitespace().collect();
    match words.as_slice() {
        [] | ["all" | "screen"] | ["only", "all" | "screen"] => return Applies::Always,
        ["print" | "speech"] | ["only", "print" | "speech"] => return Applies::Never,
        _ => {}
    }
    let is_plain = !media.contains(',') && !words.iter().any(|word| matches!(*word, "not" | "or"));
    let dense: String = words.concat();
    let dark = dense.contains("(prefers-color-scheme:dark)");
    match is_plain && dark && !dense.contains("not(") {
        true => Applies::Never,
        false => Applies::Maybe,
    }
}
