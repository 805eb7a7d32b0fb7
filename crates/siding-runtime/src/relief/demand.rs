//! How many relief workers should be at work. No clock in here.

use std::time::{Duration, Instant};

/// Workers are called back only after they were not needed for this long: a burst of short stalls would otherwise have
/// them come and go at every tick.
const LINGER: Duration = Duration::from_millis(10);

/// Decides how many relief workers are at work.
#[derive(Debug)]
pub(crate) struct Demand {
    /// Workers that should run beside the stalled ones.
    cores: usize,
    spare: usize,
    active: usize,
    exhausted: bool,
    /// Since when fewer would do.
    surplus_since: Option<Instant>,
}

impl Demand {
    pub(crate) fn new(cores: usize, spare: usize) -> Self {
        Self {
            cores,
            spare,
            active: 0,
            exhausted: false,
            surplus_since: None,
        }
    }

    /// Takes note of how many workers are stalled at `now`. Returns the new number of relief workers if it changes.
    pub(crate) fn update(&mut self, stalled: usize, now: Instant) -> Option<usize> {
        let wanted = self.wanted(stalled);
        self.exhausted = wanted > self.spare;
        let wanted = wanted.min(self.spare);
        if wanted < self.active {
            let since = *self.surplus_since.get_or_insert(now);
            if now.duration_since(since) < LINGER {
                return None;
            }
        }
        self.surplus_since = None;
        let changed = wanted != self.active;
        self.active = wanted;
        changed.then_some(wanted)
    }

    /// Whether more workers are stalled than the spare ones can stand in for.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.exhausted
    }

    /// One for each stalled worker. When every worker there is stalls, relief included, others are likely to follow:
    /// twice as many, so that a queue of stalling polls is worked off in a few steps.
    fn wanted(&self, stalled: usize) -> usize {
        let all_stalled = self.active > 0 && stalled >= self.cores + self.active;
        match all_stalled {
            true => stalled * 2,
            false => stalled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(start: Instant, ms: u64) -> Instant {
        start + Duration::from_millis(ms)
    }

    #[test]
    fn one_for_each_stalled_worker() {
        let (mut demand, now) = (Demand::new(2, 40), Instant::now());
        assert_eq!(demand.update(0, now), None);
        assert_eq!(demand.update(1, now), Some(1));
        assert_eq!(demand.update(1, now), None);
        assert_eq!(demand.update(2, now), Some(2));
    }

    #[test]
    fn twice_as_many_when_relief_stalls_too() {
        let (mut demand, now) = (Demand::new(2, 40), Instant::now());
        assert_eq!(demand.update(2, now), Some(2));
        assert_eq!(demand.update(4, now), Some(8));
        assert_eq!(demand.update(10, now), Some(20));
        assert_eq!(demand.update(22, now), Some(40));
        assert!(demand.is_exhausted());
    }

    #[test]
    fn workers_leave_only_after_a_while_without_need() {
        let (mut demand, start) = (Demand::new(2, 40), Instant::now());
        assert_eq!(demand.update(2, start), Some(2));
        assert_eq!(demand.update(0, ms(start, 1)), None);
        assert_eq!(demand.update(2, ms(start, 5)), None);
        assert_eq!(demand.update(0, ms(start, 9)), None);
        assert_eq!(demand.update(0, ms(start, 18)), None);
        assert_eq!(demand.update(0, ms(start, 19)), Some(0));
    }
}
