//! When something is due.

use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use croner::Cron;

use crate::message::Timestamp;

/// When something is due.
#[derive(Clone, Debug)]
pub(super) enum Rule {
    /// At the multiples of so many milliseconds since 1970.
    Every(i64),
    /// When a crontab says.
    Cron { cron: Box<Cron>, zone: Tz },
}

impl Rule {
    /// # Panics
    /// When the interval is less than a millisecond.
    pub(super) fn every(interval: Duration) -> Self {
        let millis = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX);
        assert!(
            millis > 0,
            "a schedule's interval is a millisecond or longer"
        );
        Self::Every(millis)
    }

    /// # Panics
    /// When the expression cannot be read.
    pub(super) fn cron(expression: &str) -> Self {
        match expression.parse() {
            Ok(cron) => Self::Cron {
                cron: Box::new(cron),
                zone: Tz::UTC,
            },
            Err(error) => panic!("{expression:?} is no crontab, such as \"*/5 * * * *\": {error}"),
        }
    }

    /// # Panics
    /// When there is no such time zone.
    pub(super) fn set_time_zone(&mut self, name: &str) {
        let Ok(found) = name.parse() else {
            panic!("there is no time zone {name:?}; one is named like \"Europe/Berlin\"");
        };
        if let Self::Cron { zone, .. } = self {
            *zone = found;
        }
    }

    /// The time zone of a crontab.
    pub(super) fn time_zone(&self) -> Option<&'static str> {
        match self {
            Self::Every(_) => None,
            Self::Cron { zone, .. } => Some(zone.name()),
        }
    }

    /// The latest tick until `now`.
    pub(super) fn latest(&self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Every(millis) => {
                let past = now.as_millis().rem_euclid(*millis);
                Some(Timestamp::from_millis(now.as_millis() - past))
            }
            Self::Cron { cron, zone } => {
                let now = moment(now)?.with_timezone(zone);
                let tick = cron.find_previous_occurrence(&now, true).ok()?;
                Some(Timestamp::from_millis(tick.timestamp_millis()))
            }
        }
    }

    /// The first tick after `now`; `None` when there is none any more.
    pub(super) fn next(&self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Every(millis) => {
                let latest = self.latest(now)?;
                Some(Timestamp::from_millis(
                    latest.as_millis().saturating_add(*millis),
                ))
            }
            Self::Cron { cron, zone } => {
                let now = moment(now)?.with_timezone(zone);
                let tick = cron.find_next_occurrence(&now, false).ok()?;
                Some(Timestamp::from_millis(tick.timestamp_millis()))
            }
        }
    }
}

fn moment(at: Timestamp) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(at.as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(rule: &Rule, now: &str, latest: &str, next: &str) {
        let at = |text: &str| Timestamp::parse(text);
        let now = at(now).unwrap();
        assert_eq!(rule.latest(now), at(latest), "the latest before {now}");
        assert_eq!(rule.next(now), at(next), "the first after {now}");
    }

    #[test]
    fn an_interval_ticks_at_its_multiples() {
        let rule = Rule::every(Duration::from_secs(600));
        check(
            &rule,
            "2026-03-01T10:07:30.250Z",
            "2026-03-01T10:00:00Z",
            "2026-03-01T10:10:00Z",
        );
        check(
            &rule,
            "2026-03-01T10:10:00Z",
            "2026-03-01T10:10:00Z",
            "2026-03-01T10:20:00Z",
        );
    }

    #[test]
    fn a_crontab_ticks_in_utc() {
        let rule = Rule::cron("*/5 * * * *");
        check(
            &rule,
            "2026-03-01T10:07:30.250Z",
            "2026-03-01T10:05:00Z",
            "2026-03-01T10:10:00Z",
        );
        check(
            &rule,
            "2026-03-01T10:10:00Z",
            "2026-03-01T10:10:00Z",
            "2026-03-01T10:15:00Z",
        );
    }

    /// Berlin skips from 2:00 to 3:00 on 2026-03-29.
    #[test]
    fn a_crontab_ticks_by_the_clocks_of_its_time_zone() {
        let mut rule = Rule::cron("30 6 * * *");
        rule.set_time_zone("Europe/Berlin");
        check(
            &rule,
            "2026-03-28T12:00:00Z",
            "2026-03-28T05:30:00Z",
            "2026-03-29T04:30:00Z",
        );
    }

    #[test]
    #[should_panic(expected = "no crontab")]
    fn nonsense_is_refused() {
        let _ = Rule::cron("every day");
    }

    #[test]
    #[should_panic(expected = "no time zone \"Berlin\"")]
    fn an_unknown_time_zone_is_refused() {
        Rule::cron("* * * * *").set_time_zone("Berlin");
    }
}
