//! What counts as a token mail. (stub: being written)

/// A recipe.
#[derive(Debug)]
pub struct Recipe {}

impl Recipe {
    /// The built-in recipes.
    #[must_use]
    pub fn built_in() -> &'static [Self] {
        &[]
    }
}
