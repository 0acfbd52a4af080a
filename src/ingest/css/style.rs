//! What all declarations together say of one element: the cascade (CSS Cascade 4, 6).
//!
//! Knows which of two declarations goes before the other. Where a rule may apply or not, such as one
//! for narrow screens, it keeps both. Never looks at other elements. Filled by `sheet` and `html`.

use super::color::{Paint, Said, legacy};
use super::declaration::{Declaration, declarations};
use super::length::Size;

/// What goes before what: origin, specificity, order.
pub(super) type Weight = (u8, u32, u32);

/// An attribute such as `bgcolor`.
const HINT: u8 = 0;
/// A style sheet.
pub(super) const SHEET: u8 = 1;
/// The element's own style.
const INLINE: u8 = 2;
/// What `!important` adds.
const IMPORTANT: u8 = 3;
/// Things that may be said of one element: more are in doubt.
const MAX_MAYBE: usize = 8;

/// What is said of one property.
#[derive(Clone, Debug)]
struct Slot<T> {
    certain: Option<(Weight, T)>,
    maybe: Vec<(Weight, T)>,
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self {
            certain: None,
            maybe: Vec::new(),
        }
    }
}

impl<T: Clone> Slot<T> {
    fn take(&mut self, said: T, weight: Weight, maybe: bool) {
        if maybe {
            self.maybe.push((weight, said));
        } else if self
            .certain
            .as_ref()
            .is_none_or(|(other, _)| *other <= weight)
        {
            self.certain = Some((weight, said));
        }
    }

    fn certain(&self) -> Option<&T> {
        self.certain.as_ref().map(|(_, said)| said)
    }

    /// What may hold instead: something weaker than what holds for certain never does.
    fn maybe(&self) -> impl Iterator<Item = &T> {
        let least = self.certain.as_ref().map(|(weight, _)| *weight);
        let maybe = self.maybe.iter();
        maybe
            .filter(move |(weight, _)| least.is_none_or(|least| *weight >= least))
            .map(|(_, said)| said)
    }
}

/// What an element's declarations say of visibility.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Style {
    hides: bool,
    small: bool,
    clips: bool,
    covers: bool,
    opacity: Slot<f32>,
    size: Slot<Size>,
    color: Slot<Said>,
    fill: Slot<Said>,
    background: Slot<Vec<Said>>,
    block: Slot<bool>,
    keeps_lines: Slot<bool>,
}

impl Style {
    /// Hidden by an attribute.
    pub(in super::super) fn hide(&mut self) {
        self.hides = true;
    }

    /// Takes the element's own style.
    pub(in super::super) fn take_inline(&mut self, text: &str) {
        for (order, (important, said)) in declarations(text).into_iter().enumerate() {
            let order = u32::try_from(order).unwrap_or(u32::MAX);
            self.take(&said, (INLINE, 0, order), important, false);
        }
    }

    /// Takes a colour that an attribute gives.
    pub(in super::super) fn take_color(&mut self, value: &str) {
        if let Some(paint) = legacy(value) {
            let said = Declaration::Color(Said::Paint(paint));
            self.take(&said, (HINT, 0, 0), false, false);
        }
    }

    /// Takes a background that an attribute gives.
    pub(in super::super) fn take_background(&mut self, value: &str) {
        if let Some(paint) = legacy(value) {
            let said = Declaration::Background(vec![Said::Paint(paint)]);
            self.take(&said, (HINT, 0, 0), false, false);
        }
    }

    /// Takes one declaration; `maybe` when its rule may not apply.
    pub(super) fn take(
        &mut self,
        said: &Declaration,
        weight: Weight,
        important: bool,
        maybe: bool,
    ) {
        let (origin, specificity, order) = weight;
        let weight = (
            origin + if important { IMPORTANT } else { 0 },
            specificity,
            order,
        );
        match said {
            Declaration::Hides => self.hides = true,
            Declaration::Small => self.small = true,
            Declaration::Clips => self.clips = true,
            Declaration::Covers => self.covers = true,
            Declaration::Opacity(part) => self.opacity.take(*part, weight, maybe),
            Declaration::Size(size) => self.size.take(*size, weight, maybe),
            Declaration::MaybeSize(size) => self.size.take(*size, weight, true),
            Declaration::Color(said) => self.color.take(*said, weight, maybe),
            Declaration::Fill(said) => self.fill.take(*said, weight, maybe),
            Declaration::Background(said) => self.background.take(said.clone(), weight, maybe),
            Declaration::Block(block) => self.block.take(*block, weight, maybe),
            Declaration::KeepsLines(keeps) => self.keeps_lines.take(*keeps, weight, maybe),
        }
    }

    /// For good, whatever its colours.
    pub(super) fn hides(&self) -> bool {
        let many = [
            self.color.maybe.len(),
            self.background.maybe.len(),
            self.size.maybe.len(),
        ];
        self.hides || (self.small && self.clips) || many.iter().any(|&many| many > 4 * MAX_MAYBE)
    }

    /// Whether it is laid over other text, and not too small for that.
    pub(in super::super) fn covers(&self) -> bool {
        self.covers && !self.small
    }

    /// Whether it begins and ends a line: as it is by its name, unless something is said.
    pub(in super::super) fn breaks(&self) -> bool {
        self.block.certain().copied().unwrap_or(false) || self.block.maybe().any(|block| *block)
    }

    /// Whether line ends of the source are line ends, if something is said.
    pub(in super::super) fn keeps_lines(&self) -> Option<bool> {
        self.keeps_lines.certain().copied()
    }

    /// The least opacity that it may have.
    pub(super) fn opacity(&self) -> f32 {
        let certain = self.opacity.certain().copied().unwrap_or(1.0);
        self.opacity
            .maybe()
            .fold(certain, |least, part| least.min(*part))
    }

    /// The font's size, and sizes that it may have instead.
    pub(super) fn size(&self) -> (Option<Size>, Vec<Size>) {
        let maybe = self.size.maybe().copied().collect();
        (self.size.certain().copied(), maybe)
    }

    /// The colours that text may have: a fill goes before them, here and further in.
    pub(super) fn colors(&self, around: &Ink) -> Ink {
        let color = chosen(&self.color, &around.color);
        let fill = match (
            &around.fill,
            self.fill.certain.is_some() || !self.fill.maybe.is_empty(),
        ) {
            (fill, false) => fill.clone(),
            (Some(fill), true) => Some(chosen(&self.fill, fill)),
            (None, true) => Some(chosen(&self.fill, &color)),
        };
        Ink { color, fill }
    }

    /// What may be painted behind, one of which is; `None` when nothing is said.
    pub(super) fn background(&self) -> Option<Vec<Paint>> {
        let certain = self.background.certain();
        let maybe: Vec<&Vec<Said>> = self.background.maybe().collect();
        if certain.is_none() && maybe.is_empty() {
            return None;
        }
        let nothing = vec![Said::Inherited];
        let said = std::iter::once(certain.unwrap_or(&nothing)).chain(maybe);
        let mut paints: Vec<Paint> = Vec::new();
        for said in said.flatten() {
            let paint = match said {
                Said::Paint(paint) => *paint,
                // Nothing is painted: what stands behind shows.
                Said::Inherited => Paint::Known([0; 3], 0.0),
            };
            if !paints.contains(&paint) {
                paints.push(paint);
            }
        }
        Some(paints)
    }
}

/// What text is painted with.
#[derive(Clone, Debug)]
pub(super) struct Ink {
    color: Vec<Paint>,
    fill: Option<Vec<Paint>>,
}

impl Ink {
    pub(super) fn black() -> Self {
        Self {
            color: vec![Paint::opaque([0; 3])],
            fill: None,
        }
    }

    /// The colours, one of which it has.
    pub(super) fn paints(&self) -> &[Paint] {
        self.fill.as_deref().unwrap_or(&self.color)
    }

    /// In how many ways it may be painted.
    pub(super) fn shades(&self) -> usize {
        self.color.len().max(self.fill.as_ref().map_or(0, Vec::len))
    }
}

/// The colours that are said, or those around.
fn chosen(slot: &Slot<Said>, around: &[Paint]) -> Vec<Paint> {
    let mut paints = Vec::new();
    let mut add = |said: &Said| match said {
        Said::Paint(paint) => paints.push(*paint),
        Said::Inherited => paints.extend(around),
    };
    add(slot.certain().unwrap_or(&Said::Inherited));
    slot.maybe().for_each(add);
    let mut seen: Vec<Paint> = Vec::new();
    paints.retain(|paint| {
        let is_new = !seen.contains(paint);
        seen.push(*paint);
        is_new
    });
    paints
}
