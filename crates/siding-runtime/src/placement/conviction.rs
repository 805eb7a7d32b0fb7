//! When there is enough evidence to move a route, and when it may come back. No clock and no lanes in here.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::config::PlacementConfig;

/// What a route's record calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Ruling {
    /// Not enough evidence.
    Acquitted,
    /// Enough: move the route.
    Convicted,
}

/// The record of one route: its recent offences, its convictions, and how it behaved since.
#[derive(Debug, Default)]
pub(crate) struct Record {
    offences: VecDeque<Instant>,
    convictions: u32,
    last_conviction: Option<Instant>,
    short_polls: u32,
}

impl Record {
    /// Takes note of a poll that held its thread for `lasted` so far, in a way that its lane is wrong for. Call it once
    /// for a poll with `first`, and again while the same poll goes on.
    pub(crate) fn offence(
        &mut self,
        rules: &PlacementConfig,
        now: Instant,
        lasted: Duration,
        first: bool,
    ) -> Ruling {
        self.short_polls = 0;
        if first {
            self.offences.push_back(now);
        }
        while self
            .offences
            .front()
            .is_some_and(|at| now.duration_since(*at) > rules.conviction_window)
        {
            self.offences.pop_front();
        }
        let often = self.offences.len() >= rules.conviction_count as usize;
        if lasted < rules.conviction_stall && !often {
            return Ruling::Acquitted;
        }
        self.offences.clear();
        self.convictions += 1;
        self.last_conviction = Some(now);
        Ruling::Convicted
    }

    /// Takes note of a long poll that its lane is right for: it is no offence, and no good behaviour either.
    pub(crate) fn misbehaved(&mut self) {
        self.short_polls = 0;
    }

    /// Takes note of a poll of a moved route that was short. Says whether the route may try its declared lane again.
    pub(crate) fn good_behaviour(&mut self, rules: &PlacementConfig, now: Instant) -> bool {
        self.short_polls = self.short_polls.saturating_add(1);
        let Some(convicted) = self.last_conviction else {
            return false;
        };
        self.short_polls >= rules.trial_polls
            && now.duration_since(convicted) >= self.trial_after(rules)
    }

    /// The time from the last conviction to the next trial: doubled by each conviction after the first.
    pub(crate) fn trial_after(&self, rules: &PlacementConfig) -> Duration {
        let doublings = self.convictions.saturating_sub(1).min(31);
        rules
            .trial_after
            .saturating_mul(1 << doublings)
            .min(rules.trial_after_max)
    }

    /// How often the route was convicted.
    pub(crate) fn convictions(&self) -> u32 {
        self.convictions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: PlacementConfig = PlacementConfig {
        conviction_stall: Duration::from_millis(100),
        conviction_count: 3,
        conviction_window: Duration::from_secs(60),
        trial_after: Duration::from_secs(10),
        trial_after_max: Duration::from_secs(60),
        trial_polls: 4,
    };

    fn short(record: &mut Record, at: Instant) -> Ruling {
        record.offence(&RULES, at, Duration::from_millis(12), true)
    }

    fn long(record: &mut Record, at: Instant) -> Ruling {
        record.offence(&RULES, at, Duration::from_millis(100), true)
    }

    fn behave(record: &mut Record, polls: u32, at: Instant) -> bool {
        (0..polls).fold(false, |_, _| record.good_behaviour(&RULES, at))
    }

    #[test]
    fn one_long_stall_convicts() {
        assert_eq!(
            long(&mut Record::default(), Instant::now()),
            Ruling::Convicted
        );
    }

    #[test]
    fn the_third_short_stall_within_a_minute_convicts() {
        let (mut record, start) = (Record::default(), Instant::now());
        assert_eq!(short(&mut record, start), Ruling::Acquitted);
        assert_eq!(short(&mut record, start), Ruling::Acquitted);
        assert_eq!(
            short(&mut record, start + Duration::from_secs(60)),
            Ruling::Convicted
        );
    }

    #[test]
    fn three_short_stalls_over_more_than_a_minute_do_not() {
        let (mut record, start) = (Record::default(), Instant::now());
        for seconds in [0, 31, 62, 93] {
            assert_eq!(
                short(&mut record, start + Duration::from_secs(seconds)),
                Ruling::Acquitted
            );
        }
    }

    #[test]
    fn one_poll_seen_again_is_one_offence() {
        let (mut record, now) = (Record::default(), Instant::now());
        assert_eq!(short(&mut record, now), Ruling::Acquitted);
        for ms in [20, 40, 80] {
            assert_eq!(
                record.offence(&RULES, now, Duration::from_millis(ms), false),
                Ruling::Acquitted
            );
        }
    }

    #[test]
    fn a_trial_needs_time_and_good_behaviour() {
        let (mut record, start) = (Record::default(), Instant::now());
        let _ = long(&mut record, start);
        assert!(!behave(&mut record, 100, start + Duration::from_secs(9)));
        let _ = short(&mut record, start + Duration::from_secs(9));
        assert!(
            !behave(&mut record, 3, start + Duration::from_secs(10)),
            "an offence starts the count again"
        );
        assert!(behave(&mut record, 1, start + Duration::from_secs(10)));
    }

    #[test]
    fn each_further_conviction_doubles_the_wait_up_to_the_limit() {
        let (mut record, start) = (Record::default(), Instant::now());
        let waits: Vec<u64> = (0..5)
            .map(|_| {
                let _ = long(&mut record, start);
                record.trial_after(&RULES).as_secs()
            })
            .collect();
        assert_eq!(waits, [10, 20, 40, 60, 60]);
    }

    #[test]
    fn a_route_that_was_never_convicted_has_no_trial() {
        assert!(!behave(&mut Record::default(), 100, Instant::now()));
    }
}
