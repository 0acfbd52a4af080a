//! Lengths of time as people write them: `90d`, `30m`, `1h30m`.
//!
//! Knows weeks, days, hours, minutes and seconds; a day has 24 hours. Never knows what the time is.
//! Texts come from the configuration and from the command line.

use jiff::SignedDuration;

/// Reads a length of time.
///
/// # Errors
/// When the text is not numbers with units, the greatest unit first, or is too long to count.
pub fn parse_duration(text: &str) -> Result<SignedDuration, String> {
    let problem = || format!("{text:?} is not a length of time, as in 90d, 30m or 1h30m");
    let (mut rest, mut total, mut smallest) = (text, 0_i64, i64::MAX);
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit());
        let (number, after) = rest.split_at(digits.ok_or_else(problem)?);
        let unit = after.get(..1).and_then(seconds_of).ok_or_else(problem)?;
        let number: i64 = number.parse().map_err(|_| problem())?;
        if unit >= smallest {
            return Err(problem());
        }
        let part = number.checked_mul(unit).ok_or_else(problem)?;
        total = total.checked_add(part).ok_or_else(problem)?;
        (smallest, rest) = (unit, &after[1..]);
    }
    // A hundred years: no age or timeout is longer, and every clock can add it.
    let sensible = (1..=36_500 * 86_400).contains(&total);
    sensible
        .then(|| SignedDuration::from_secs(total))
        .ok_or_else(problem)
}

fn seconds_of(unit: &str) -> Option<i64> {
    Some(match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time() {
        let secs = |text| parse_duration(text).map(|time| time.as_secs());
        assert_eq!(secs("90d"), Ok(90 * 86_400));
        assert_eq!(secs("1h30m"), Ok(5_400));
        assert_eq!(secs("2w1d1s"), Ok(15 * 86_400 + 1));
        for bad in [
            "",
            "0s",
            "5",
            "m",
            "5 m",
            "5x",
            "30m1h",
            "1d1d",
            "-5m",
            "9999999999999w",
            "5é",
        ] {
            secs(bad).expect_err(bad);
        }
    }
}
