//! Chance: what keeps a thousand watchers from doing the same thing in the same moment.
//!
//! Knows numbers between 0 and 1. Never reads a clock: machines that start together read the same one. Its
//! numbers come from the operating system, or from dice with a seed that a test gives.

use std::fmt;
use std::sync::Arc;

use ring::rand::{SecureRandom as _, SystemRandom};

/// A source of numbers from 0 up to 1. Clones share it.
#[derive(Clone)]
pub struct Chance(Arc<dyn Fn() -> f64 + Send + Sync>);

impl Chance {
    /// The operating system's.
    #[must_use]
    pub fn of_system() -> Self {
        let system = SystemRandom::new();
        Self::from_fn(move || {
            let mut bytes = [0; 4];
            // one that gives nothing is rare, and costs the jitter only: the longest pause is always safe
            match system.fill(&mut bytes) {
                Ok(()) => f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0),
                Err(_) => 1.0,
            }
        })
    }

    /// Any other, such as dice with a seed: the same seed then gives the same pauses.
    #[must_use]
    pub fn from_fn(next: impl Fn() -> f64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(next))
    }

    /// The next number.
    #[must_use]
    pub fn next(&self) -> f64 {
        (self.0)().clamp(0.0, 1.0)
    }
}

impl Default for Chance {
    fn default() -> Self {
        Self::of_system()
    }
}

impl fmt::Debug for Chance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Chance")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_gives_numbers_that_differ_and_fill_their_range() {
        let chance = Chance::of_system();
        let drawn: Vec<f64> = (0..1000).map(|_| chance.next()).collect();
        assert!(drawn.iter().all(|number| (0.0..1.0).contains(number)));
        let below = |part: f64| drawn.iter().filter(|&&number| number < part).count();
        // 1000 fair draws miss these bounds once in 10^50
        assert!((250..750).contains(&below(0.5)), "{}", below(0.5));
        assert!((1..600).contains(&below(0.25)), "{}", below(0.25));
    }

    #[test]
    fn what_is_out_of_range_is_brought_into_it() {
        assert_eq!(Chance::from_fn(|| 7.0).next(), 1.0);
        assert_eq!(Chance::from_fn(|| -7.0).next(), 0.0);
    }
}
