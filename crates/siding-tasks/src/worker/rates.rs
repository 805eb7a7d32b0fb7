//! How often tasks may start.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// How often a task may start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Rate {
    /// As often as it likes.
    Any,
    /// Once in this time.
    OnceIn(Duration),
}

/// A rate is written `10/m`: a number, and `s`, `m` or `h`; a number alone is per second, and `0` is no limit.
impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (number, unit) = text.split_once('/').unwrap_or((text, "s"));
        let seconds = match unit {
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3_600.0,
            _ => return Err(format!("a rate is per `s`, `m` or `h`, not {unit:?}")),
        };
        let number: f64 = number
            .trim()
            .parse()
            .map_err(|_| format!("a rate is a number such as `10/m`, not {text:?}"))?;
        if number == 0.0 {
            return Ok(Self::Any);
        }
        Duration::try_from_secs_f64(seconds / number)
            .map(Self::OnceIn)
            .map_err(|_| format!("a rate is a positive number, not {text:?}"))
    }
}

/// How often tasks may start in one worker.
#[derive(Debug, Default)]
pub(crate) struct Rates(Mutex<HashMap<String, Arc<Limit>>>);

#[derive(Debug)]
struct Limit {
    /// As it was set, and what it says.
    rate: watch::Sender<(String, Rate)>,
    /// When the last one started. Who has the lock is next, the others come in order.
    last: tokio::sync::Mutex<Option<Instant>>,
}

impl Rates {
    /// Nothing is left half done under the lock.
    fn limits(&self) -> MutexGuard<'_, HashMap<String, Arc<Limit>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tasks `task` may start as often as `rate` says, those that wait, too; `text` is how it was written.
    pub(crate) fn set(&self, task: &str, text: &str, rate: Rate) {
        let mut limits = self.limits();
        if let Some(limit) = limits.get(task) {
            limit.rate.send_replace((text.to_owned(), rate));
        } else if rate != Rate::Any {
            let limit = Limit {
                rate: watch::Sender::new((text.to_owned(), rate)),
                last: tokio::sync::Mutex::default(),
            };
            limits.insert(task.to_owned(), Arc::new(limit));
        }
    }

    /// The limit of `task` as it was written, if it has one.
    pub(crate) fn written(&self, task: &str) -> Option<String> {
        let limit = Arc::clone(self.limits().get(task)?);
        let (text, rate) = limit.rate.borrow().clone();
        (rate != Rate::Any).then_some(text)
    }

    /// Whether a task may have to wait.
    pub(super) fn is_limited(&self, task: &str) -> bool {
        self.written(task).is_some()
    }

    /// Resolves when a task may start, first come first.
    pub(super) async fn turn(&self, task: &str) {
        let Some(limit) = self.limits().get(task).cloned() else {
            return;
        };
        let mut last = limit.last.lock().await;
        let mut rate = limit.rate.subscribe();
        loop {
            let interval = rate.borrow_and_update().1;
            let (Rate::OnceIn(interval), Some(last)) = (interval, *last) else {
                break;
            };
            tokio::select! {
                () = tokio::time::sleep_until(last + interval) => break,
                // It cannot fail: the limit is held.
                _ = rate.changed() => {}
            }
        }
        *last = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(text: &str) -> Rate {
        text.parse().unwrap()
    }

    #[test]
    fn rates_are_read_as_celery_does() {
        for (text, seconds) in [
            ("100/m", 0.6),
            ("2/h", 1_800.0),
            ("0.5/s", 2.0),
            ("4", 0.25),
        ] {
            let expected = Rate::OnceIn(Duration::from_secs_f64(seconds));
            assert_eq!(rate(text), expected, "{text}");
        }
        for text in ["0", "0/m", "0.0/h"] {
            assert_eq!(rate(text), Rate::Any, "{text}");
        }
        for text in ["", "x/m", "1/d", "-1/m", "inf/q", "nan"] {
            assert!(Rate::from_str(text).is_err(), "{text}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn starts_are_spaced_and_in_order() {
        let rates = Rates::default();
        rates.set("slow", "6/m", rate("6/m"));
        let begun = Instant::now();
        let mut at = Vec::new();
        for _ in 0..3 {
            rates.turn("slow").await;
            at.push(begun.elapsed().as_secs());
        }
        rates.turn("other").await;
        assert_eq!(at, [0, 10, 20]);
        assert_eq!(begun.elapsed().as_secs(), 20);
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_is_for_those_who_wait_too() {
        let rates = Rates::default();
        rates.set("slow", "1/h", rate("1/h"));
        rates.turn("slow").await;
        let begun = Instant::now();
        let waits = rates.turn("slow");
        let changes = async { rates.set("slow", "0", Rate::Any) };
        tokio::join!(biased; waits, changes);
        assert_eq!(begun.elapsed(), Duration::ZERO);
        assert_eq!(rates.written("slow"), None);
    }
}
