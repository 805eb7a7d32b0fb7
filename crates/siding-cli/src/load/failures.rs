//! What went wrong in a number of requests.

use std::collections::BTreeMap;
use std::fmt;

use super::RequestError;
use crate::explain::explain;

/// Failed requests, counted by what they failed with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failures {
    by_message: BTreeMap<String, usize>,
}

impl Failures {
    /// Counts one.
    pub fn add(&mut self, error: &RequestError) {
        self.add_message(explain(error));
    }

    /// Counts one that has no error of its own, such as an answer that never came.
    pub fn add_message(&mut self, message: String) {
        *self.by_message.entry(message).or_default() += 1;
    }

    /// Adds those of `other`.
    pub fn merge(&mut self, other: Self) {
        for (message, count) in other.by_message {
            *self.by_message.entry(message).or_default() += count;
        }
    }

    /// How many requests failed.
    #[must_use]
    pub fn count(&self) -> usize {
        self.by_message.values().sum()
    }

    /// Whether every request succeeded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_message.is_empty()
    }
}

impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (message, count)) in self.by_message.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{count} × {message}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::StatusCode;

    #[test]
    fn counts_alike_failures_together() {
        let mut failures = Failures::default();
        failures.add(&RequestError::Status(StatusCode::SERVICE_UNAVAILABLE));
        failures.add(&RequestError::Status(StatusCode::SERVICE_UNAVAILABLE));
        failures.add_message("no answer".to_owned());
        assert_eq!(failures.count(), 3);
        assert_eq!(
            failures.to_string(),
            "1 × no answer, 2 × the answer was 503 Service Unavailable"
        );
    }
}
