//! What a poll that held its thread too long was doing.

use std::fmt;
use std::time::Duration;

use crate::inspect::BlockedOn;
use crate::lane::LaneKind;

/// What a poll was doing, by the kernel's own account of its thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Mostly on the CPU.
    Computing,
    /// Mostly waiting in the kernel.
    Blocked {
        /// The system call and what it waited for, where they could be read.
        on: Option<BlockedOn>,
    },
    /// Mostly waiting for a CPU: the machine is busy, and the code is not to blame.
    Preempted,
    /// The platform would not say.
    Unknown {
        /// What could not be read, and why.
        reason: String,
    },
}

impl Verdict {
    /// `computing`, `blocked`, `preempted` or `unknown`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Computing => "computing",
            Self::Blocked { .. } => "blocked",
            Self::Preempted => "preempted",
            Self::Unknown { .. } => "unknown",
        }
    }

    /// Whether this verdict on a poll tells more than a `later` one on the same poll: a block that has lost its name,
    /// because the thread runs for a moment just now, or the rest of a call that the stack's signal interrupted.
    pub(crate) fn says_more_than(&self, later: &Self) -> bool {
        let named = matches!(self, Self::Blocked { on: Some(_) });
        named && (*later == Self::Blocked { on: None } || self.has_the_cause_of(later))
    }

    /// Whether both have the same cause: for a block, the same system call on the same peer or file.
    pub(crate) fn has_the_cause_of(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Blocked { on: Some(on) }, Self::Blocked { on: Some(other) }) => {
                on.is_like(other)
            }
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }

    /// The lane where work of this kind hurts nobody; `None` when the code is not to blame.
    ///
    /// What the platform would not tell apart goes to the threads: they carry computing badly, but they carry it.
    pub(crate) const fn right_lane(&self) -> Option<LaneKind> {
        match self {
            Self::Computing => Some(LaneKind::Compute),
            Self::Blocked { .. } | Self::Unknown { .. } => Some(LaneKind::Threads),
            Self::Preempted => None,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blocked { on: Some(on) } => write!(f, "blocked in {on}"),
            Self::Unknown { reason } => write!(f, "unknown ({reason})"),
            Self::Computing | Self::Blocked { on: None } | Self::Preempted => {
                f.write_str(self.as_str())
            }
        }
    }
}

/// How a span of wall time divides: `wall = on CPU + waiting for a CPU + blocked`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shares {
    pub(crate) on_cpu: Duration,
    pub(crate) waiting: Duration,
    pub(crate) blocked: Duration,
}

/// The largest part of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mostly {
    OnCpu,
    Waiting,
    Blocked,
}

impl Shares {
    /// Divides `wall`. The kernel adds a wait for a CPU to its account only when the wait ends, so time it has not yet
    /// accounted for is a wait when the thread is `runnable` now, and a block when it is not.
    pub(crate) fn divide(
        wall: Duration,
        on_cpu: Duration,
        waiting: Duration,
        runnable: bool,
    ) -> Self {
        let on_cpu = on_cpu.min(wall);
        let waiting = waiting.min(wall - on_cpu);
        let rest = wall - on_cpu - waiting;
        match runnable {
            true => Self {
                on_cpu,
                waiting: waiting + rest,
                blocked: Duration::ZERO,
            },
            false => Self {
                on_cpu,
                waiting,
                blocked: rest,
            },
        }
    }

    /// What most of the time went to. A tie convicts nobody.
    pub(crate) fn mostly(self) -> Mostly {
        if self.on_cpu > self.waiting.max(self.blocked) {
            Mostly::OnCpu
        } else if self.blocked > self.waiting.max(self.on_cpu) {
            Mostly::Blocked
        } else {
            Mostly::Waiting
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[track_caller]
    fn check(wall: u64, on_cpu: u64, waiting: u64, runnable: bool, expected: Mostly) {
        assert_eq!(
            Shares::divide(ms(wall), ms(on_cpu), ms(waiting), runnable).mostly(),
            expected
        );
    }

    #[test]
    fn a_sleeper_is_blocked() {
        check(100, 0, 0, false, Mostly::Blocked);
    }

    #[test]
    fn a_loop_is_on_the_cpu() {
        check(100, 95, 5, true, Mostly::OnCpu);
    }

    #[test]
    fn a_loop_that_gets_a_third_of_a_cpu_is_waiting() {
        check(90, 30, 60, true, Mostly::Waiting);
    }

    #[test]
    fn a_wait_that_is_not_yet_accounted_for_is_no_block() {
        check(100, 10, 0, true, Mostly::Waiting);
    }

    #[test]
    fn accounts_that_run_ahead_of_the_clock_do_not_overflow() {
        check(10, 12, 3, true, Mostly::OnCpu);
    }
}
