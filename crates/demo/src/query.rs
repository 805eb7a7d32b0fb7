//! What the endpoints may be asked, and the bounds within which it makes sense.

use std::time::Duration;

use serde::Deserialize;
use siding::{Problem, StatusCode};

/// The longest wait: a minute.
const MS_MAX: u64 = 60_000;
/// The longest sum, which takes about ten seconds.
const N_MAX: u64 = 20_000_000_000;

/// `?ms=1000`: how long to wait.
#[derive(Deserialize)]
pub(crate) struct Wait {
    #[serde(default = "Wait::a_second")]
    ms: u64,
}

impl Wait {
    /// How long to wait.
    ///
    /// # Errors
    /// When it is longer than a minute.
    pub(crate) fn duration(&self) -> Result<Duration, Problem> {
        within(self.ms, MS_MAX, "ms").map(Duration::from_millis)
    }

    fn a_second() -> u64 {
        1_000
    }
}

/// `?n=1000000`: how many terms to sum.
#[derive(Deserialize)]
pub(crate) struct Terms {
    #[serde(default = "Terms::a_billion")]
    n: u64,
}

impl Terms {
    /// How many terms to sum.
    ///
    /// # Errors
    /// When they are too many.
    pub(crate) fn count(&self) -> Result<u64, Problem> {
        within(self.n, N_MAX, "n")
    }

    fn a_billion() -> u64 {
        1_000_000_000
    }
}

fn within(value: u64, max: u64, name: &str) -> Result<u64, Problem> {
    if value <= max {
        return Ok(value);
    }
    let detail = format!("{name} is {value}; choose a whole number from 0 to {max}");
    Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY).with_detail(detail))
}
