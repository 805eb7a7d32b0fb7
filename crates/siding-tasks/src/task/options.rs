//! What a task says about all of its calls.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::TaskError;
use super::error::Retry;
use crate::message::{Message, Priority, TimeLimits};

type Predicate = Arc<dyn Fn(&TaskError) -> bool + Send + Sync>;

/// What a task says about all of its calls.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// The names of its arguments; none when they have none.
    pub(crate) arguments: Vec<String>,
    pub(crate) retry: RetryPolicy,
    pub(crate) time_limits: TimeLimits,
    pub(crate) queue: String,
    pub(crate) priority: Option<Priority>,
    pub(crate) ignore_result: bool,
    pub(crate) track_started: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            arguments: Vec::new(),
            retry: RetryPolicy::default(),
            time_limits: TimeLimits::default(),
            queue: Message::DEFAULT_QUEUE.to_owned(),
            priority: None,
            ignore_result: false,
            track_started: false,
        }
    }
}

/// When a failed task is tried again.
#[derive(Clone)]
pub(crate) struct RetryPolicy {
    pub(crate) max: u32,
    pub(crate) delay: Delay,
    pub(crate) on: Vec<Predicate>,
}

/// How long a retry waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delay {
    /// Always as long.
    Fixed(Duration),
    /// Up to `base`, doubled with each retry, and `max` at most.
    Backoff {
        base: Duration,
        max: Duration,
        jitter: bool,
    },
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max: 3,
            delay: Delay::Fixed(Duration::from_secs(180)),
            on: Vec::new(),
        }
    }
}

impl RetryPolicy {
    /// Whether `error` is one to be tried again, whatever it wishes itself.
    pub(crate) fn wants(&self, error: &TaskError) -> bool {
        self.on.iter().any(|wants| wants(error))
    }

    /// How long to wait until the next try of a task that was retried `retries` times and failed with `error`; `None`
    /// when that is for good. `fraction`, from 0 to 1, is chance.
    pub(crate) fn next(&self, error: &TaskError, retries: u32, fraction: f64) -> Option<Duration> {
        let wish = error.wish();
        let wanted = wish.is_some() || self.wants(error);
        if !wanted || retries >= self.max {
            return None;
        }
        Some(match wish {
            Some(Retry::In(delay)) => delay,
            Some(Retry::ByOptions) | None => self.delay.of(retries, fraction),
        })
    }
}

impl Delay {
    fn of(self, retries: u32, fraction: f64) -> Duration {
        match self {
            Self::Fixed(delay) => delay,
            Self::Backoff { base, max, jitter } => {
                let whole = base.saturating_mul(2_u32.saturating_pow(retries)).min(max);
                if jitter {
                    whole.mul_f64(fraction)
                } else {
                    whole
                }
            }
        }
    }
}

impl fmt::Debug for RetryPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryPolicy")
            .field("max", &self.max)
            .field("delay", &self.delay)
            .field("on", &self.on.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(delay: Delay) -> RetryPolicy {
        RetryPolicy {
            delay,
            ..RetryPolicy::default()
        }
    }

    const BACKOFF: Delay = Delay::Backoff {
        base: Duration::from_secs(1),
        max: Duration::from_secs(3),
        jitter: true,
    };

    #[test]
    fn a_wish_is_granted_three_times() {
        let policy = policy(BACKOFF);
        let error = TaskError::new("later").retry();
        let seconds = |retries| {
            policy
                .next(&error, retries, 1.0)
                .map(|delay| delay.as_secs())
        };
        assert_eq!([0, 1, 2, 3].map(seconds), [Some(1), Some(2), Some(3), None]);
    }

    #[test]
    fn jitter_takes_any_part_of_the_delay() {
        let error = TaskError::new("later").retry();
        let delay = policy(BACKOFF).next(&error, 1, 0.25);
        assert_eq!(delay, Some(Duration::from_millis(500)));
    }

    #[test]
    fn who_did_not_ask_is_not_tried_again() {
        assert_eq!(policy(BACKOFF).next(&TaskError::new("no"), 0, 1.0), None);
    }

    #[test]
    fn a_delay_of_its_own_comes_first() {
        let error = TaskError::new("later").retry_in(Duration::from_secs(9));
        assert_eq!(
            policy(BACKOFF).next(&error, 0, 0.5),
            Some(Duration::from_secs(9))
        );
    }
}
