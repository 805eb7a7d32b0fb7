//! The investigation of one thread: what its poll does while it stalls.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::slot::Slot;
use super::stacks::Stacks;
use super::watch::Watch;
use crate::inspect::{Account, Activity, BlockedOn, ThreadProbe, Unknown};
use crate::lane::LaneKind;
use crate::placement::{Evidence, Mostly, PendingStack, Route, Shares, Verdict};

/// One thread under watch.
#[derive(Debug)]
pub(super) struct Suspect {
    pub(super) slot: Arc<Slot>,
    pub(super) watch: Watch,
    pub(super) case: Option<Case>,
    probe: ThreadProbe,
    baseline: Option<Baseline>,
}

/// The thread's account before its poll became a stall.
#[derive(Debug)]
struct Baseline {
    at: Instant,
    account: Result<Account, Unknown>,
}

impl Suspect {
    pub(super) fn new(slot: &Arc<Slot>, now: Instant) -> Self {
        Self {
            slot: Arc::clone(slot),
            watch: Watch::new(slot.word(), now),
            case: None,
            probe: ThreadProbe::open(slot.tid()),
            baseline: None,
        }
    }

    /// Reads the thread's account, to compare with later.
    pub(super) fn read_baseline(&mut self) {
        let account = self.probe.account();
        self.baseline = Some(Baseline {
            at: Instant::now(),
            account,
        });
    }

    /// What the thread has been doing since the baseline.
    pub(super) fn judge(&self) -> Verdict {
        match self.shares() {
            Ok((shares, activity)) => match shares.mostly() {
                Mostly::OnCpu => Verdict::Computing,
                Mostly::Waiting => Verdict::Preempted,
                Mostly::Blocked => Verdict::Blocked {
                    on: blocked_on(activity),
                },
            },
            Err(unknown) => Verdict::Unknown {
                reason: unknown.to_string(),
            },
        }
    }

    fn shares(&self) -> Result<(Shares, Activity), Unknown> {
        let Some(baseline) = &self.baseline else {
            return Err(Unknown::because("the monitor saw the poll too late"));
        };
        let before = baseline.account.clone()?;
        // The activity is read first: the thread's own account may only grow behind it, not the block behind the wait.
        let activity = self.probe.activity()?;
        let spent = self.probe.account()?.since(before);
        let runnable = activity == Activity::Running;
        Ok((
            Shares::divide(baseline.at.elapsed(), spent.on_cpu, spent.waiting, runnable),
            activity,
        ))
    }
}

fn blocked_on(activity: Activity) -> Option<BlockedOn> {
    match activity {
        Activity::InSyscall(syscall) => Some(BlockedOn::read(&syscall)),
        Activity::Running | Activity::BlockedElsewhere => None,
    }
}

/// What is said of a stall that convicted nobody.
const NO_STACK: &str = "one is taken once there is enough evidence to move a route";

/// A stall that lasts.
#[derive(Debug)]
pub(super) struct Case {
    route: Arc<Route>,
    evidence: Evidence,
    weighed: Weighed,
}

/// What came of weighing a poll so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weighed {
    NotYet,
    Acquitted,
    Convicted,
}

impl Case {
    /// Opens the case of a poll of `route` that has lasted for `age`.
    pub(super) fn open(route: Arc<Route>, age: Duration, verdict: Verdict) -> Self {
        route.stall_began();
        let now = SystemTime::now();
        let evidence = Evidence {
            route: route.id(),
            lane: LaneKind::EventLoop,
            at: now.checked_sub(age).unwrap_or(now),
            lasted: age,
            verdict,
            stack: PendingStack::default(),
        };
        Self {
            route,
            evidence,
            weighed: Weighed::NotYet,
        }
    }

    /// What is known so far.
    pub(super) fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// Brings the evidence up to date.
    pub(super) fn update(&mut self, age: Duration, verdict: Verdict) {
        self.evidence.lasted = age;
        if !self.evidence.verdict.says_more_than(&verdict) {
            self.evidence.verdict = verdict;
        }
    }

    /// Acts on the evidence: leads other polls of the route elsewhere, and moves it when that is enough to convict it.
    /// A conviction takes the thread's stack while it still stalls.
    pub(super) fn pursue(&mut self, slot: &Slot, stacks: &mut Stacks) {
        self.route.divert(&self.evidence.verdict);
        // One poll convicts once, however long it goes on.
        if self.weighed == Weighed::Convicted || self.evidence.verdict.right_lane().is_none() {
            return;
        }
        let first = self.weighed == Weighed::NotYet;
        if self.route.weigh(&self.evidence, first) {
            self.weighed = Weighed::Convicted;
            stacks.take(slot, &self.route, &self.evidence);
        } else {
            self.weighed = Weighed::Acquitted;
        }
    }

    /// The stall is over after `lasted`.
    pub(super) fn close(mut self, lasted: Duration) -> Evidence {
        self.evidence.lasted = lasted;
        if self.weighed != Weighed::Convicted {
            self.evidence.stack.set(Err(NO_STACK.to_owned()));
        }
        self.route.stall_ended();
        self.route.update_evidence(&self.evidence);
        self.evidence
    }
}
