//! The keeper: decides whether the pool should grow.
//!
//! It is a thread of its own, started when work waits for the first time while every thread is busy; before and after it
//! sleeps and costs nothing. While that lasts it looks every few milliseconds at up to 16 of the busy threads: if most
//! of them are blocked rather than on a CPU, more threads make more progress, and it doubles their number, up to one for
//! each job that waits. If most are computing, more threads would only take turns on the same cores: it leaves the pool as
//! it is and looks less often.
//!
//! Where the platform does not tell what a thread is doing, a job that has waited for 100 ms while no thread ended its
//! own counts as a sign of blocking, but a weak one: then the pool grows by a quarter.

use std::fmt;
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::ceiling;
use super::muster::Role;
use super::pool::{Pool, State};
use crate::inspect::{Activity, ThreadProbe, Tid};

/// The time between two looks, and between the bell and the first: most bursts are over by then.
const PAUSE_MIN: Duration = Duration::from_millis(2);
/// The time doubles with each fruitless look, up to this.
const PAUSE_MAX: Duration = Duration::from_millis(128);
/// After so long without demand, the next look is an early one again.
const FORGET_AFTER: Duration = Duration::from_secs(1);
/// How many threads a look samples.
const SAMPLE: usize = 16;
/// Where threads cannot be looked at: how long a job must have waited.
const LONG_WAIT: Duration = Duration::from_millis(100);

/// What a look at one thread showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sighting {
    /// It waits for something that is not a CPU.
    Blocked,
    /// It is on a CPU, or waits for one.
    Running,
    /// The platform does not say.
    Unknown,
}

/// How the keeper looks at a thread, given the kernel's id of it.
#[derive(Clone)]
pub(crate) struct Sight(pub(crate) Arc<dyn Fn(Tid) -> Sighting + Send + Sync>);

impl Default for Sight {
    fn default() -> Self {
        Self(Arc::new(sight))
    }
}

impl fmt::Debug for Sight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sight")
    }
}

/// Where the keeper is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeeperState {
    /// Its thread does not exist: there was nothing to decide yet.
    Unborn,
    /// It sleeps until its bell rings.
    Asleep,
    /// It looks again and again until there is nothing to decide.
    Awake,
}

/// How many jobs ask for more threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Demand {
    /// None: a thread will be free for what waits, or no more are allowed.
    None,
    /// That shows when the threads that are being started have taken theirs.
    Unclear,
    /// So many wait, every thread is busy, and there may be so many more.
    Threads(usize),
}

/// What a sample of the busy threads says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Blocked,
    /// They seem blocked, but cannot be looked at.
    Seemingly,
    Computing,
}

impl Pool {
    /// Rings the keeper's bell; starts it if it has never been needed.
    #[cold]
    pub(super) fn call_keeper(self: &Arc<Self>) {
        let mut state = self.lock();
        let before = std::mem::replace(&mut state.keeper, KeeperState::Awake);
        if state.stopping || before == KeeperState::Awake {
            return;
        }
        drop(state);
        match before {
            KeeperState::Asleep => self.keeper_bell.notify_one(),
            KeeperState::Unborn | KeeperState::Awake => self.start_keeper(),
        }
    }

    fn start_keeper(self: &Arc<Self>) {
        let pool = Arc::clone(self);
        let keep = move || pool.keep();
        match thread::Builder::new()
            .name("siding-keeper".to_owned())
            .spawn(keep)
        {
            Ok(handle) => self.roster.set_keeper(handle),
            Err(error) => {
                self.lock().keeper = KeeperState::Unborn;
                self.warn_once(&error);
            }
        }
    }

    fn keep(self: &Arc<Self>) {
        let mut pause = PAUSE_MIN;
        while let Some(demand) = self.await_demand(&mut pause) {
            pause = match self.look(demand) {
                0 => (pause * 2).min(PAUSE_MAX),
                _ => PAUSE_MIN,
            };
        }
    }

    /// Pauses, then waits until jobs wait while every thread is busy. `None` when the pool stops.
    fn await_demand(&self, pause: &mut Duration) -> Option<usize> {
        let mut state = self.lock();
        loop {
            state = self
                .keeper_bell
                .wait_timeout_while(state, *pause, |state| !state.stopping)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            match state.demand() {
                _ if state.stopping => return None,
                Demand::Threads(count) => return Some(count),
                Demand::Unclear => {}
                Demand::None => {
                    let asleep_since = Instant::now();
                    state.keeper = KeeperState::Asleep;
                    state = self
                        .keeper_bell
                        .wait_while(state, |state| {
                            state.keeper == KeeperState::Asleep && !state.stopping
                        })
                        .unwrap_or_else(PoisonError::into_inner);
                    if asleep_since.elapsed() > FORGET_AFTER {
                        *pause = PAUSE_MIN;
                    }
                }
            }
        }
    }

    /// Looks at the busy threads and grows the pool if that helps. Returns the number of new threads.
    fn look(self: &Arc<Self>, demand: usize) -> usize {
        let threads = self.lock().muster.threads();
        let growth = match self.verdict() {
            Verdict::Blocked => threads,
            Verdict::Seemingly => threads.div_ceil(4),
            Verdict::Computing => return 0,
        };
        self.grow(growth.min(demand).min(ceiling::room()))
    }

    fn verdict(&self) -> Verdict {
        let workers = self.roster.sample(SAMPLE);
        let (mut seen, mut blocked, mut unknown) = (0, 0, 0);
        for worker in workers {
            let Some(job) = worker.job() else { continue };
            seen += 1;
            let sighting = (self.sight.0)(job.tid);
            // A thread that has ended its job meanwhile makes progress, whatever it looked like.
            if worker.job() == Some(job) {
                blocked += usize::from(sighting == Sighting::Blocked);
                unknown += usize::from(sighting == Sighting::Unknown);
            }
        }
        match seen {
            0 => Verdict::Computing,
            _ if blocked * 2 > seen => Verdict::Blocked,
            _ if unknown == seen && self.oldest() >= LONG_WAIT => Verdict::Seemingly,
            _ => Verdict::Computing,
        }
    }

    fn oldest(&self) -> Duration {
        let now = Instant::now();
        self.lock().admission.oldest(now)
    }

    fn grow(self: &Arc<Self>, count: usize) -> usize {
        let mut state = self.lock();
        if count == 0 || state.stopping || state.muster.could_gain() < count {
            return 0;
        }
        let before = state.muster.threads();
        state.muster.start(count);
        drop(state);
        self.resized(before, before + count);
        for started in 0..count {
            if let Err(error) = self.start_thread(Role::Runner) {
                self.failed_to_start(count - started, Role::Runner, &error);
                self.resized(before + count, before + started);
                return started;
            }
        }
        count
    }
}

impl State {
    fn demand(&self) -> Demand {
        let jobs = self.admission.len();
        match self.muster.could_gain().min(jobs) {
            0 if jobs > 0 && self.muster.is_starting() => Demand::Unclear,
            0 => Demand::None,
            count => Demand::Threads(count),
        }
    }
}

/// Asks the kernel what a thread does now.
fn sight(tid: Tid) -> Sighting {
    match ThreadProbe::open(tid).activity() {
        Ok(Activity::Running) => Sighting::Running,
        Ok(Activity::InSyscall(_) | Activity::BlockedElsewhere) => Sighting::Blocked,
        Err(_) => Sighting::Unknown,
    }
}
