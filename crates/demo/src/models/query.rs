//! What the endpoints may be asked, and the bounds within which it makes sense.

use std::time::Duration;

use schemars::JsonSchema;
use serde::de::{Deserializer, Error};
use serde::{Deserialize, de::Unexpected};

/// The longest wait: a minute.
const MS_MAX: u64 = 60_000;
/// The longest time that a value is kept: a week.
const TTL_MAX_S: u64 = 7 * 24 * 3_600;
/// The longest sum, which takes about ten seconds.
pub(crate) const N_MAX: u64 = 20_000_000_000;

/// `?ms=1000`: how long to wait.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Wait {
    /// How many milliseconds.
    #[serde(default = "a_second", deserialize_with = "within::<0, MS_MAX, _, _>")]
    #[schemars(range(max = MS_MAX))]
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

/// `?ms=1000`: how long somebody else is to wait, if that is asked at all.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Delay {
    /// How many milliseconds.
    #[serde(default, deserialize_with = "some_within::<0, MS_MAX, _>")]
    #[schemars(range(max = MS_MAX))]
    pub(crate) ms: Option<u64>,
}

/// `?ttl=60`: how many seconds a value is kept.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Ttl {
    /// How many seconds.
    #[serde(
        default = "five_minutes",
        deserialize_with = "within::<1, TTL_MAX_S, _, _>"
    )]
    #[schemars(range(min = 1, max = TTL_MAX_S))]
    ttl: u64,
}

impl Ttl {
    /// How many seconds it is kept.
    pub(crate) fn seconds(&self) -> u64 {
        self.ttl
    }
}

fn five_minutes() -> u64 {
    300
}

/// `?n=1000000`: how many terms to sum.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Terms {
    /// How many terms.
    #[serde(default = "a_billion", deserialize_with = "within::<0, N_MAX, _, _>")]
    #[schemars(range(max = N_MAX))]
    pub(crate) n: u64,
}

fn a_billion() -> u64 {
    1_000_000_000
}

/// A whole number from `MIN` to `MAX`, or an error that says so.
pub(crate) fn within<'de, const MIN: u64, const MAX: u64, D, T>(
    deserializer: D,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<u64>,
{
    let text = String::deserialize(deserializer)?;
    let number = text.parse().ok().filter(|n| (MIN..=MAX).contains(n));
    let number = number.and_then(|number| T::try_from(number).ok());
    number.ok_or_else(|| {
        let expected = format!("a whole number from {MIN} to {MAX}");
        D::Error::invalid_value(Unexpected::Str(&text), &expected.as_str())
    })
}

/// The same, of a number that may be missing, and is there.
fn some_within<'de, const MIN: u64, const MAX: u64, D>(
    deserializer: D,
) -> Result<Option<u64>, D::Error>
where
    D: Deserializer<'de>,
{
    within::<MIN, MAX, D, u64>(deserializer).map(Some)
}
