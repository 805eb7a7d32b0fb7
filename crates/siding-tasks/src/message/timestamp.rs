//! A moment, as brokers keep it.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A moment in milliseconds since 1970, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Now, by the machine's clock.
    #[must_use]
    pub fn now() -> Self {
        Self::from(SystemTime::now())
    }

    /// So many milliseconds after 1970 began.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970 began.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The moment that ISO 8601 text says, such as `2026-11-22T21:04:48.135369+00:00`; without an offset it is UTC, as in
    /// Celery.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(moment) = chrono::DateTime::parse_from_rfc3339(text) {
            return Some(Self(moment.timestamp_millis()));
        }
        // What Python's `fromisoformat` takes beyond that.
        let text = text.replacen(' ', "T", 1);
        let moment = match chrono::DateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f%z") {
            Ok(moment) => moment.to_utc().naive_utc(),
            Err(_) => ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"]
                .iter()
                .find_map(|form| chrono::NaiveDateTime::parse_from_str(&text, form).ok())
                .or_else(|| text.parse::<chrono::NaiveDate>().ok()?.and_hms_opt(0, 0, 0))?,
        };
        Some(Self(moment.and_utc().timestamp_millis()))
    }

    /// The moment `duration` later, rounded up to a millisecond.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        let millis = duration.as_micros().div_ceil(1_000);
        Self(
            self.0
                .saturating_add(i64::try_from(millis).unwrap_or(i64::MAX)),
        )
    }

    /// How long after `earlier` this is; zero when it is not.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        let millis = self.0.saturating_sub(earlier.0);
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }
}

/// As ISO 8601 has it, with microseconds and an offset, so that every Python reads it.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match chrono::DateTime::from_timestamp_millis(self.0) {
            Some(moment) => write!(f, "{}", moment.format("%Y-%m-%dT%H:%M:%S%.6f+00:00")),
            None => write!(f, "{}ms", self.0),
        }
    }
}

/// A moment before 1970 becomes 1970.
impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_iso_8601_that_python_writes_is_read() {
        let expected = Timestamp::from_millis(1_795_381_440_000);
        let same = [
            "2026-11-22T21:04:00+00:00",
            "2026-11-22T21:04:00Z",
            "2026-11-22T21:04:00.000000",
            "2026-11-22T21:04",
            "2026-11-22 21:04:00",
            "2026-11-22 23:04:00.0+02:00",
            "2026-11-22T23:04:00+0200",
            "2026-11-22T21:04:00.000000000Z",
        ];
        for text in same {
            assert_eq!(Timestamp::parse(text), Some(expected), "{text}");
        }
        let midnight = Timestamp::from_millis(1_795_305_600_000);
        assert_eq!(Timestamp::parse("2026-11-22"), Some(midnight));
        for text in ["", "soon", "2026-11-22T", "2026-13-01", "1795381440"] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }
}
