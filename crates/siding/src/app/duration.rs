//! Durations as people write them: `10ms`, `1.5s`, `2m`, `1h`.

use std::time::Duration;

/// A text that is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a number and its unit, for example 500ms, 1.5s, 2m or 1h")]
pub(super) struct NotADuration;

/// Reads a duration.
///
/// # Errors
/// When the text is not a number above zero with one of the units `us`, `ms`, `s`, `m`, `h`.
pub(super) fn parse(text: &str) -> Result<Duration, NotADuration> {
    let text = text.trim();
    let unit_at = text
        .find(|c: char| c.is_ascii_alphabetic())
        .ok_or(NotADuration)?;
    let (number, unit) = text.split_at(unit_at);
    let number: f64 = number.trim().parse().map_err(|_| NotADuration)?;
    let unit_seconds = match unit {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        _ => return Err(NotADuration),
    };
    match Duration::try_from_secs_f64(number * unit_seconds) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err(NotADuration),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_with_units() {
        for (text, millis) in [
            ("10ms", 10),
            ("1.5s", 1_500),
            ("2m", 120_000),
            ("1h", 3_600_000),
            (" 3 s", 3_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn takes_nothing_else() {
        for text in [
            "", "10", "ms", "-1s", "0s", "1d", "NaNs", "infs", "1e400s", "1s1s",
        ] {
            assert_eq!(parse(text), Err(NotADuration), "{text}");
        }
    }
}
