//! The circuit breaker of one replica, which is also its passive health check.
//!
//! ```text
//!             so many failures in a row
//!    Closed ─────────────────────────────▶ Open ◀──────────┐
//!      ▲                                    │  ▲            │
//!      │                          it is ready  not ready    │ the trial failed
//!      │                                    ▼  (longer)     │
//!      └───────────────────────────────── HalfOpen ─────────┘
//!              the trial was answered
//! ```
//!
//! It reads no clock, sends nothing and logs nothing: it is told the time and what happened, and tells what its caller must do.
//!
//! # Protocol
//! 1. Whoever wants to send a request asks [`admit`](Breaker::admit) and gets a [`Turn`], which ends with exactly one of
//!    [`succeeded`](Breaker::succeeded), [`failed`](Breaker::failed) and [`withdrew`](Breaker::withdrew).
//! 2. Whoever is told [`Shift::Opened`] starts one prober. It waits until the replica's time is over, asks whether it is ready, and says
//!    so with [`probed`](Breaker::probed), until that is no longer [`Probed::WaitUntil`].
//! 3. Half open, one request is let through as a trial: a replica that says it is ready may be so in name only.
//! 4. What was sent before the breaker opened says nothing about the replica since; its end is not counted.

use std::time::{Duration, Instant};

/// When a replica is left alone, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Policy {
    /// So many failures in a row.
    pub(super) failures: u32,
    /// For so long the first time; twice as long each further time.
    pub(super) ejection: Duration,
    /// And no longer than this.
    pub(super) ejection_max: Duration,
}

/// One replica's breaker; see the [module](self).
#[derive(Debug)]
pub(super) struct Breaker {
    policy: Policy,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Requests are sent; so many in a row have failed.
    Closed { failures: u32 },
    /// None are sent. It is the `ejections`th time since it was closed.
    Open { until: Instant, ejections: u32 },
    /// One is sent, to see.
    HalfOpen { trial: Trial, ejections: u32 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trial {
    Free,
    UnderWay,
}

/// How a breaker is, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BreakerState {
    /// Requests are sent.
    Closed,
    /// One request is sent, to see whether more may be.
    HalfOpen,
    /// No requests are sent.
    Open,
}

impl BreakerState {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Closed, Self::HalfOpen, Self::Open];

    /// `closed`, `half-open` or `open`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::HalfOpen => "half-open",
            Self::Open => "open",
        }
    }
}

/// The right to send one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// One of many.
    Regular,
    /// The only one.
    Trial,
}

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Shift {
    /// It was closed or half open and is open for so long: a prober is to be started.
    Opened(Duration),
    /// The trial was answered.
    Closed,
}

/// What a prober does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Probed {
    /// Ask then.
    WaitUntil(Instant),
    /// Nothing more.
    Done,
}

impl Breaker {
    /// A closed one.
    pub(super) fn new(policy: Policy) -> Self {
        Self {
            policy,
            state: State::Closed { failures: 0 },
        }
    }

    /// Whether a request may be sent now; [`admit`](Self::admit) then says yes.
    pub(super) fn is_admitting(&self) -> bool {
        match self.state {
            State::Closed { .. } => true,
            State::Open { .. } => false,
            State::HalfOpen { trial, .. } => trial == Trial::Free,
        }
    }

    /// Lets a request be sent, if one may be.
    pub(super) fn admit(&mut self) -> Option<Turn> {
        match &mut self.state {
            State::Closed { .. } => Some(Turn::Regular),
            // ## HalfOpen, free => under way
            // The first to come tries; the others go elsewhere until it is known.
            State::HalfOpen { trial, .. } if *trial == Trial::Free => {
                *trial = Trial::UnderWay;
                Some(Turn::Trial)
            }
            State::HalfOpen { .. } | State::Open { .. } => None,
        }
    }

    /// A request was answered.
    #[must_use]
    pub(super) fn succeeded(&mut self, turn: Turn) -> Option<Shift> {
        match (self.state, turn) {
            // ## Closed => Closed
            // Failures count in a row only, so that a replica under load is not judged by its rare ones.
            (State::Closed { .. }, _) => {
                self.state = State::Closed { failures: 0 };
                None
            }
            // ## HalfOpen => Closed
            (State::HalfOpen { .. }, Turn::Trial) => {
                self.state = State::Closed { failures: 0 };
                Some(Shift::Closed)
            }
            (State::HalfOpen { .. }, Turn::Regular) | (State::Open { .. }, _) => None,
        }
    }

    /// A request failed, and the replica is to blame.
    #[must_use]
    pub(super) fn failed(&mut self, turn: Turn, now: Instant) -> Option<Shift> {
        match (self.state, turn) {
            // ## Closed => (Closed | Open)
            (State::Closed { failures }, _) if failures + 1 < self.policy.failures => {
                self.state = State::Closed {
                    failures: failures + 1,
                };
                None
            }
            (State::Closed { .. }, _) => Some(self.open(1, now)),
            // ## HalfOpen => Open
            // It said that it was ready, and was not: longer this time.
            (State::HalfOpen { ejections, .. }, Turn::Trial) => {
                Some(self.open(ejections.saturating_add(1), now))
            }
            (State::HalfOpen { .. }, Turn::Regular) | (State::Open { .. }, _) => None,
        }
    }

    /// A request ended in a way that says nothing about the replica: its caller left, say.
    pub(super) fn withdrew(&mut self, turn: Turn) {
        // ## HalfOpen, under way => free
        if let (State::HalfOpen { trial, .. }, Turn::Trial) = (&mut self.state, turn) {
            *trial = Trial::Free;
        }
    }

    /// What the prober is to do at first, and then after each answer.
    pub(super) fn due(&self) -> Probed {
        match self.state {
            State::Open { until, .. } => Probed::WaitUntil(until),
            State::Closed { .. } | State::HalfOpen { .. } => Probed::Done,
        }
    }

    /// The prober asked whether the replica is ready.
    pub(super) fn probed(&mut self, ready: bool, now: Instant) -> Probed {
        if let State::Open { ejections, .. } = self.state {
            if ready {
                // ## Open => HalfOpen
                self.state = State::HalfOpen {
                    trial: Trial::Free,
                    ejections,
                };
            } else {
                // ## Open => Open
                let _: Shift = self.open(ejections.saturating_add(1), now);
            }
        }
        self.due()
    }

    /// Until when it is open; `None` when it is not.
    pub(super) fn open_until(&self) -> Option<Instant> {
        match self.state {
            State::Open { until, .. } => Some(until),
            State::Closed { .. } | State::HalfOpen { .. } => None,
        }
    }

    pub(super) fn state(&self) -> BreakerState {
        match self.state {
            State::Closed { .. } => BreakerState::Closed,
            State::HalfOpen { .. } => BreakerState::HalfOpen,
            State::Open { .. } => BreakerState::Open,
        }
    }

    fn open(&mut self, ejections: u32, now: Instant) -> Shift {
        let doublings = (ejections - 1).min(31);
        let time = self.policy.ejection.saturating_mul(1 << doublings);
        let time = time.min(self.policy.ejection_max);
        self.state = State::Open {
            until: now + time,
            ejections,
        };
        Shift::Opened(time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn breaker() -> Breaker {
        Breaker::new(Policy {
            failures: 3,
            ejection: SECOND,
            ejection_max: 5 * SECOND,
        })
    }

    #[track_caller]
    fn fail(breaker: &mut Breaker, now: Instant) -> Option<Shift> {
        let turn = breaker.admit().expect("a turn");
        breaker.failed(turn, now)
    }

    #[track_caller]
    fn open(now: Instant) -> Breaker {
        let mut breaker = breaker();
        assert_eq!([(); 2].map(|()| fail(&mut breaker, now)), [None, None]);
        assert_eq!(fail(&mut breaker, now), Some(Shift::Opened(SECOND)));
        breaker
    }

    #[test]
    fn only_failures_in_a_row_open_it() {
        let (mut breaker, now) = (breaker(), Instant::now());
        for _ in 0..10 {
            assert_eq!([(); 2].map(|()| fail(&mut breaker, now)), [None, None]);
            assert_eq!(breaker.succeeded(Turn::Regular), None);
        }
        assert_eq!(breaker.state(), BreakerState::Closed);
        assert_eq!(open(now).state(), BreakerState::Open);
    }

    #[test]
    fn open_it_admits_nothing_until_it_is_ready() {
        let now = Instant::now();
        let mut breaker = open(now);
        assert_eq!((breaker.is_admitting(), breaker.admit()), (false, None));
        assert_eq!(breaker.due(), Probed::WaitUntil(now + SECOND));
        assert_eq!(breaker.probed(true, now + SECOND), Probed::Done);
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
    }

    #[test]
    fn half_open_it_admits_one_and_is_closed_by_its_answer() {
        let now = Instant::now();
        let mut breaker = open(now);
        assert_eq!(breaker.probed(true, now), Probed::Done);
        assert!(breaker.is_admitting());
        assert_eq!(breaker.admit(), Some(Turn::Trial));
        assert_eq!((breaker.is_admitting(), breaker.admit()), (false, None));
        assert_eq!(breaker.succeeded(Turn::Trial), Some(Shift::Closed));
        assert_eq!(breaker.admit(), Some(Turn::Regular));
    }

    #[test]
    fn each_time_is_twice_as_long_up_to_a_limit_and_the_first_again_once_it_was_closed() {
        let now = Instant::now();
        let mut breaker = open(now);
        let until = |seconds: u32| Probed::WaitUntil(now + seconds * SECOND);
        assert_eq!(breaker.probed(false, now), until(2));
        assert_eq!(breaker.probed(true, now), Probed::Done);
        assert_eq!(fail(&mut breaker, now), Some(Shift::Opened(4 * SECOND)));
        assert_eq!(breaker.probed(false, now), until(5));
        assert_eq!(breaker.probed(false, now), until(5));
        assert_eq!(breaker.probed(true, now), Probed::Done);
        let turn = breaker.admit().expect("a trial");
        assert_eq!(breaker.succeeded(turn), Some(Shift::Closed));
        assert_eq!(fail(&mut breaker, now), None);
        assert_eq!(fail(&mut breaker, now), None);
        assert_eq!(fail(&mut breaker, now), Some(Shift::Opened(SECOND)));
    }

    #[test]
    fn a_trial_that_says_nothing_leaves_room_for_another() {
        let now = Instant::now();
        let mut breaker = open(now);
        assert_eq!(breaker.probed(true, now), Probed::Done);
        let turn = breaker.admit().expect("a trial");
        breaker.withdrew(turn);
        assert_eq!(breaker.admit(), Some(Turn::Trial));
    }

    #[test]
    fn what_was_sent_before_it_opened_is_not_counted() {
        let now = Instant::now();
        let mut breaker = open(now);
        assert_eq!(breaker.succeeded(Turn::Regular), None);
        assert_eq!(breaker.failed(Turn::Regular, now + SECOND), None);
        assert_eq!(breaker.open_until(), Some(now + SECOND));
        assert_eq!(breaker.probed(true, now), Probed::Done);
        assert_eq!(breaker.failed(Turn::Regular, now), None);
        assert_eq!(breaker.succeeded(Turn::Regular), None);
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
    }
}
