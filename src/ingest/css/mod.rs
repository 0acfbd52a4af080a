//! Whether text is hidden by style: as much of CSS as that takes.
//!
//! Knows how text looks in an element, from the styles of those around it. Never lays anything out:
//! when in doubt, text counts as hidden, and a mail that hides its label is refused. Its styles come
//! from `style` sheets and attributes; `html` asks.
//!
//! ```text
//! <style>, style="…" ─► scan ─► sheet, selector ─► style (the cascade) ─► Look ─► hidden or not
//! ```

mod color;
mod declaration;
mod element;
mod length;
mod names;
mod scan;
mod selector;
mod sheet;
mod style;

pub(super) use element::Element;
pub(super) use sheet::Sheet;
pub(super) use style::Style;

use color::{Paint, Rgb};
use length::{NORMAL, Size};
use style::Ink;

/// Smaller text cannot be read, in pixels.
const LEAST_SIZE: f32 = 4.0;
/// Less contrast than this cannot be read: light grey `#ccc` on white has 1.6, and the least that
/// is asked of any text is 3 (WCAG 2.2, 1.4.3).
const LEAST_CONTRAST: f32 = 1.3;
/// Colours that a place may have, one of which holds: more are beyond a mail, and in doubt.
const MAX_SHADES: usize = 6;

/// How text looks: inherited from element to element.
#[derive(Clone, Debug)]
pub(super) struct Look {
    /// Not shown, for good: no element inside can undo it.
    pub(super) hidden: bool,
    /// A size of its own makes text readable again: mail templates close gaps between columns with
    /// `font-size:0` around them.
    size: f32,
    /// Some rule that may apply makes it unreadable.
    may_be_tiny: bool,
    opacity: f32,
    ink: Ink,
    /// What may stand behind it.
    backgrounds: Vec<Rgb>,
    /// Told once, when the look is made.
    pale: bool,
}

impl Default for Look {
    /// Black on white.
    fn default() -> Self {
        Self {
            hidden: false,
            size: NORMAL,
            may_be_tiny: false,
            opacity: 1.0,
            ink: Ink::black(),
            backgrounds: vec![[255; 3]],
            pale: false,
        }
    }
}

impl Look {
    /// The look inside an element of this style.
    pub(super) fn within(&self, style: &Style) -> Self {
        let mut look = self.clone();
        look.hidden |= style.hides();
        look.apply_size(style);
        look.opacity *= style.opacity();
        if let Some(paints) = style.background() {
            look.backgrounds = over(&paints, &self.backgrounds);
        }
        look.ink = style.colors(&self.ink);
        let too_many = look.ink.shades() > MAX_SHADES || look.backgrounds.len() > MAX_SHADES;
        look.hidden |= too_many;
        if too_many {
            look.ink = Ink::black();
            look.backgrounds.truncate(1);
        }
        look.pale = look.is_pale();
        look
    }

    fn apply_size(&mut self, style: &Style) {
        let (certain, maybe) = style.size();
        let around = self.size;
        if let Some(size) = certain {
            self.size = size.in_pixels(around);
            // What is relative to a size in doubt is in doubt.
            self.may_be_tiny &= matches!(size, Size::Relative(_));
        }
        let tiny = |size: &Size| size.in_pixels(around) < LEAST_SIZE;
        self.may_be_tiny |= maybe.iter().any(tiny);
    }

    /// Not shown, too small, or in the colour of its background.
    pub(super) fn is_hidden(&self) -> bool {
        self.hidden || self.size < LEAST_SIZE || self.may_be_tiny || self.pale
    }

    /// Whether a colour that it may have cannot be told from what may stand behind it.
    fn is_pale(&self) -> bool {
        self.ink.paints().iter().any(|paint| {
            let mut behind = self.backgrounds.iter();
            behind.any(|&behind| paint.contrast(self.opacity, behind) < LEAST_CONTRAST)
        })
    }
}

/// Paints on each of the grounds.
fn over(paints: &[Paint], grounds: &[Rgb]) -> Vec<Rgb> {
    let mut seen = Vec::new();
    for paint in paints {
        for &ground in grounds {
            let shade = paint.on(1.0, ground);
            if !seen.contains(&shade) {
                seen.push(shade);
            }
        }
    }
    seen
}

#[cfg(test)]
mod tests;
