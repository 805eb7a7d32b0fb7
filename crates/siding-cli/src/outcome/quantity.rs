//! A number with its unit.

use std::fmt;
use std::time::Duration;

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Microseconds.
    Microseconds,
    /// One figure over another.
    Ratio,
    /// Requests per second.
    PerSecond,
    /// Per cent of one core.
    PercentOfCore,
    /// Things.
    Count,
}

/// A number with its unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantity {
    /// The number.
    pub value: f64,
    /// What it counts.
    pub unit: Unit,
}

impl Unit {
    /// The symbol behind a number, and the name in the JSON report.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Milliseconds => "ms",
            Self::Microseconds => "µs",
            Self::Ratio => "×",
            Self::PerSecond => "/s",
            Self::PercentOfCore => "%",
            Self::Count => "",
        }
    }

    /// `value` in this unit.
    #[must_use]
    pub fn of(self, value: f64) -> Quantity {
        Quantity { value, unit: self }
    }
}

impl Quantity {
    /// A duration in seconds.
    #[must_use]
    pub fn seconds(duration: Duration) -> Self {
        Unit::Seconds.of(duration.as_secs_f64())
    }

    /// A duration in milliseconds.
    #[must_use]
    pub fn milliseconds(duration: Duration) -> Self {
        Unit::Milliseconds.of(duration.as_secs_f64() * 1e3)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { value, unit } = *self;
        match unit {
            Unit::Milliseconds if value >= 1000.0 => Unit::Seconds.of(value / 1e3).fmt(f),
            Unit::Seconds if value >= 10.0 => write!(f, "{value:.1} s"),
            Unit::Milliseconds if value >= 10.0 => write!(f, "{value:.1} ms"),
            Unit::Seconds | Unit::Milliseconds => write!(f, "{value:.2} {}", unit.symbol()),
            Unit::Microseconds => write!(f, "{value:.1} µs"),
            Unit::Ratio => write!(f, "{value:.3}"),
            Unit::PerSecond => write!(f, "{value:.0} /s"),
            Unit::PercentOfCore => write!(f, "{value:.3} %"),
            Unit::Count => write!(f, "{value:.0}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(quantity: Quantity, text: &str) {
        assert_eq!(quantity.to_string(), text);
    }

    #[test]
    fn shows_as_many_digits_as_matter() {
        check(Quantity::seconds(Duration::from_millis(1034)), "1.03 s");
        check(Quantity::seconds(Duration::from_millis(100_240)), "100.2 s");
        check(
            Quantity::milliseconds(Duration::from_micros(412)),
            "0.41 ms",
        );
        check(
            Quantity::milliseconds(Duration::from_micros(12_340)),
            "12.3 ms",
        );
        check(Unit::Ratio.of(0.9712), "0.971");
        check(Unit::PerSecond.of(45_123.4), "45123 /s");
        check(Unit::PercentOfCore.of(0.021), "0.021 %");
        check(Unit::Count.of(3.0), "3");
    }

    #[test]
    fn long_latencies_turn_into_seconds() {
        check(Quantity::milliseconds(Duration::from_secs(99)), "99.0 s");
    }
}
