//! Text of others on a terminal: names, paths and messages may hold anything, and a terminal obeys control characters.

/// `text` on one line, with a replacement for everything that could move the cursor, change colours or turn the reading order.
#[must_use]
pub fn harmless(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\r' | '\t' => ' ',
            c if steers(c) => char::REPLACEMENT_CHARACTER,
            c => c,
        })
        .collect()
}

/// The lines of `text`, each of them [`harmless`].
#[must_use]
pub fn harmless_lines(text: &str) -> Vec<String> {
    text.lines().map(harmless).collect()
}

/// Control characters of ASCII and Latin-1, and those of Unicode that reorder, join or hide what is beside them.
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Milliseconds, short enough for a column.
#[must_use]
pub fn millis(ms: f64) -> String {
    match ms {
        ms if ms < 10.0 => format!("{ms:.2}ms"),
        ms if ms < 1_000.0 => format!("{ms:.0}ms"),
        ms => format!("{:.1}s", ms / 1e3),
    }
}

/// A rate, short enough for a column; a dash where it is not known yet.
#[must_use]
pub fn rate(per_second: Option<f64>) -> String {
    match per_second {
        None => "-".to_owned(),
        Some(0.0) => "0".to_owned(),
        Some(rate) if rate < 100.0 => format!("{rate:.1}"),
        Some(rate) if rate < 100_000.0 => format!("{rate:.0}"),
        Some(rate) => format!("{:.0}k", rate / 1e3),
    }
}

/// How long ago something was, in its largest unit.
#[must_use]
pub fn ago(ms: f64) -> String {
    let seconds = (ms / 1e3).max(0.0);
    match seconds {
        s if s < 60.0 => format!("{s:.0}s"),
        s if s < 3_600.0 => format!("{:.0}m", (s / 60.0).floor()),
        s if s < 86_400.0 => format!("{:.0}h", (s / 3_600.0).floor()),
        s => format!("{:.0}d", (s / 86_400.0).floor()),
    }
}

/// The time of day of a Unix time, in UTC: this program knows no time zone.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a time of day is far below 2^64 and not negative"
)]
pub fn clock(unix_ms: f64) -> String {
    let second = (unix_ms / 1e3).max(0.0) as u64 % 86_400;
    let (hour, minute) = (second / 3_600, second / 60 % 60);
    format!("{hour:02}:{minute:02}:{:02} UTC", second % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_the_terminal() {
        let evil = "a\u{1b}[2J\u{9b}31m\u{7}b\nc\u{202e}d\u{7f}";
        assert_eq!(harmless(evil), "a�[2J�31m�b c�d�");
        assert_eq!(harmless("/größe/{id} → 完"), "/größe/{id} → 完");
        assert_eq!(harmless_lines("a\n\u{1b}b"), ["a", "�b"]);
    }

    #[test]
    fn figures_fit_a_column() {
        assert_eq!(
            [0.5, 99.6, 1_234.0].map(millis),
            ["0.50ms", "100ms", "1.2s"]
        );
        assert_eq!(
            [None, Some(0.0), Some(3.25), Some(12_345.0), Some(2e6)].map(rate),
            ["-", "0", "3.2", "12345", "2000k"]
        );
        assert_eq!([0.0, 61e3, 7_300e3, 2e8].map(ago), ["0s", "1m", "2h", "2d"]);
    }

    #[test]
    fn a_clock_wraps_at_midnight() {
        assert_eq!(clock(86_399_999.0), "23:59:59 UTC");
        assert_eq!(clock(86_400_000.0), "00:00:00 UTC");
    }
}
