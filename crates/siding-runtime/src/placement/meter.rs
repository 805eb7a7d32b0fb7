//! Measures one poll on the thread that runs it, outside the event loop.

use std::cell::OnceCell;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use super::verdict::{Mostly, Shares, Verdict};
use crate::inspect::{Account, ThreadProbe, Tid, Unknown};
use crate::lane::LaneKind;

thread_local! {
    static PROBE: OnceCell<ThreadProbe> = const { OnceCell::new() };
}

/// A measurement under way.
///
/// On the threads it costs two readings of the clock and one of the thread's CPU time: enough to tell computing, which
/// is wrong there, from everything else. On the compute lane blocking is what is wrong, and its low priority makes
/// waiting for a CPU common, so the kernel's whole account is read there.
#[derive(Debug)]
pub(super) struct Meter {
    lane: LaneKind,
    threshold: Duration,
    began: Instant,
    account: Result<Account, Unknown>,
}

/// A poll that took longer than the stall threshold.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) wall: Duration,
    pub(super) verdict: Verdict,
}

impl Meter {
    /// Starts to measure what the calling thread, one of `lane`, does.
    pub(super) fn start(lane: LaneKind, threshold: Duration) -> Self {
        Self {
            lane,
            threshold,
            began: Instant::now(),
            account: account(lane),
        }
    }

    /// Ends the measurement. `None` says that less than the stall threshold passed.
    pub(super) fn stop(self) -> Option<Reading> {
        let wall = self.began.elapsed();
        if wall < self.threshold {
            return None;
        }
        let verdict = match (self.account, account(self.lane)) {
            (Ok(before), Ok(after)) => judge(wall, after.since(before)),
            (Err(unknown), _) | (_, Err(unknown)) => Verdict::Unknown {
                reason: unknown.to_string(),
            },
        };
        Some(Reading { wall, verdict })
    }
}

/// A thread that measures itself is not waiting for a CPU, so whatever the account leaves open was a block.
fn judge(wall: Duration, spent: Account) -> Verdict {
    match Shares::divide(wall, spent.on_cpu, spent.waiting, false).mostly() {
        Mostly::OnCpu => Verdict::Computing,
        Mostly::Blocked => Verdict::Blocked { on: None },
        Mostly::Waiting => Verdict::Preempted,
    }
}

/// The CPU time of the calling thread.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

fn account(lane: LaneKind) -> Result<Account, Unknown> {
    match lane {
        LaneKind::Compute => PROBE.with(|probe| {
            probe
                .get_or_init(|| ThreadProbe::open(Tid::current()))
                .account()
        }),
        LaneKind::Threads | LaneKind::EventLoop | LaneKind::Processes => Ok(Account {
            on_cpu: cpu_time(),
            waiting: Duration::ZERO,
        }),
    }
}
