//! What the endpoints may be asked, and the bounds within which it makes sense.

use std::time::Duration;

use serde::de::{Deserializer, Error};
use serde::{Deserialize, de::Unexpected};

/// The longest wait: a minute.
const MS_MAX: u64 = 60_000;
/// The longest sum, which takes about ten seconds.
pub(crate) const N_MAX: u64 = 20_000_000_000;

/// `?ms=1000`: how long to wait.
#[derive(Deserialize)]
pub(crate) struct Wait {
    #[serde(default = "a_second", deserialize_with = "up_to::<MS_MAX, _>")]
    ms: u64,
}

impl Wait {
    /// How long to wait.
    pub(crate) fn duration(&self) -> Duration {
        Duration::from_millis(self.ms)
    }
}

fn a_second() -> u64 {
    1_000
}

/// `?n=1000000`: how many terms to sum.
#[derive(Deserialize)]
pub(crate) struct Terms {
    #[serde(default = "a_billion", deserialize_with = "up_to::<N_MAX, _>")]
    pub(crate) n: u64,
}

fn a_billion() -> u64 {
    1_000_000_000
}

/// A whole number from 0 to `MAX`, or an error that says so.
fn up_to<'de, const MAX: u64, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = String::deserialize(deserializer)?;
    let number = text.parse().ok().filter(|number| *number <= MAX);
    number.ok_or_else(|| {
        let expected = format!("a whole number from 0 to {MAX}");
        D::Error::invalid_value(Unexpected::Str(&text), &expected.as_str())
    })
}
