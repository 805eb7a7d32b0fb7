//! Whether a lane is overloaded: CoDel's question, asked of the oldest waiting job.

use std::time::{Duration, Instant};

/// The shortest wait that may count as too long. CoDel's 5 ms are for packets that cross many routers; a request crosses one
/// queue, and nobody notices a tenth of a second.
const TARGET_MIN: Duration = Duration::from_millis(100);
/// The shortest time that a wait must have been too long, ten targets as in CoDel's own rule (RFC 8289, 4.3).
const INTERVAL_MIN: Duration = Duration::from_secs(1);
/// A job may wait as long as this many jobs run. Eight callers in a closed loop on two threads wait three service
/// times each, for ever, and every one of them is answered: that is a busy lane, not an overloaded one.
const TARGET_SERVICE_TIMES: u32 = 4;
/// A burst is given as long as this many jobs run to drain before its tail counts as a standing queue.
const INTERVAL_SERVICE_TIMES: u32 = 10;
/// Once overloaded, a job that waited this many targets is beyond making good.
const PATIENCE_TARGETS: u32 = 2;

/// Tells a burst, which drains by itself, from a standing queue, which does not.
#[derive(Debug, Default)]
pub(super) struct Overload {
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Jobs wait no longer than the target.
    #[default]
    Calm,
    /// Jobs have waited longer than the target since then: a burst, or the beginning of more.
    Above(Instant),
    /// They have for a whole interval.
    Overloaded,
}

/// What a look at the queue changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Shift {
    /// An overload began.
    Began,
    /// An overload ended.
    Ended,
}

impl Overload {
    /// Whether the lane is overloaded.
    pub(super) fn is_on(&self) -> bool {
        self.state == State::Overloaded
    }

    /// Judges the queue by the age of its oldest job, zero when nothing waits.
    pub(super) fn look(
        &mut self,
        oldest: Duration,
        service_time: Duration,
        now: Instant,
    ) -> Option<Shift> {
        let high = oldest > target(service_time);
        let (next, shift) = match self.state {
            // ## Calm => (Calm | Above)
            // One late job proves nothing; it only starts the clock.
            State::Calm if high => (State::Above(now), None),
            // ## Above => (Above | Overloaded)
            // The queue stood for a whole interval without coming down to the target once.
            State::Above(since) if high && now - since >= interval(service_time) => {
                (State::Overloaded, Some(Shift::Began))
            }
            // ## Overloaded => Calm
            State::Overloaded if !high => (State::Calm, Some(Shift::Ended)),
            // ## Above => Calm
            // What waited was a burst, and it has drained.
            State::Above(_) if !high => (State::Calm, None),
            same => (same, None),
        };
        self.state = next;
        shift
    }

    /// Forgets a suspicion: the queue grew against fewer threads than there are now.
    pub(super) fn absolve(&mut self) {
        if let State::Above(_) = self.state {
            self.state = State::Calm;
        }
    }

    /// How long a job may have waited to be still worth running; `None` while there is no overload.
    pub(super) fn patience(&self, service_time: Duration) -> Option<Duration> {
        self.is_on()
            .then(|| target(service_time) * PATIENCE_TARGETS)
    }
}

fn target(service_time: Duration) -> Duration {
    service_time
        .saturating_mul(TARGET_SERVICE_TIMES)
        .max(TARGET_MIN)
}

fn interval(service_time: Duration) -> Duration {
    service_time
        .saturating_mul(INTERVAL_SERVICE_TIMES)
        .max(INTERVAL_MIN)
}
