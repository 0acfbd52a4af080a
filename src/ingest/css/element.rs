//! An element, as far as style asks.
//!
//! Knows its name and attributes. Never knows what stands around it. Filled by `html`.

/// An element, as far as selectors ask.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Element {
    /// In lower case.
    pub(in super::super) name: String,
    /// Names in lower case.
    pub(in super::super) attributes: Vec<(String, String)>,
}

impl Element {
    /// What it takes to look at its attributes, in comparisons: one, but for an element that is built
    /// to take long.
    pub(super) fn cost(&self) -> usize {
        let class = self.attribute("class").map_or(0, str::len);
        1 + self.attributes.len().saturating_sub(32) + class.saturating_sub(128) / 8
    }

    /// The value of an attribute.
    pub(in super::super) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(other, _)| other == name)?;
        Some(&found.1)
    }

    /// Whether it is of a class; without regard to case, as for browsers in their quirks.
    pub(in super::super) fn has_class(&self, class: &str) -> bool {
        let classes = self.attribute("class").unwrap_or_default();
        classes
            .split_ascii_whitespace()
            .any(|other| other.eq_ignore_ascii_case(class))
    }
}
