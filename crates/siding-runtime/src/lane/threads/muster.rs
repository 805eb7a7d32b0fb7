//! Which threads exist, sleep or search, and whom to call when work arrives.
//!
//! Pure bookkeeping under the pool's lock: it wakes and starts nobody itself, it says whom to wake or to start once the
//! lock is released.
//!
//! # Invariant
//!
//! Whenever the lock is free, if work waits then
//! 1. a thread is *searching*: it will look at the queue again before it sleeps, or
//! 2. nobody sleeps and `threads_min` threads exist: every thread is busy, the keeper decides about more.
//!
//! # Protocol
//!
//! *Searching* is one flag: at most one thread at a time is on its way to the queue without having work yet. So a burst of
//! submissions wakes one thread, not one each (rayon and tokio throttle their wake-ups in the same way).
//!
//! - A submitter adds its job, then calls [`summon`](Muster::summon): if somebody searches, nothing; else the thread that
//!   fell asleep last is woken, or a new one started, as the searcher.
//! - A searcher that takes a job ends its search ([`took_work`](Muster::took_work)). If more work waits it summons the
//!   next before it runs the job: a job that blocks for long never holds up those behind it.
//! - A thread that finds the queue empty ([`rest`](Muster::rest)) becomes the searcher if nobody is, and looks for a short
//!   while without the lock. If it is the searcher already, or there is one, it goes to sleep.
//!
//! # Why no wake-up is lost
//!
//! Every step happens under the lock together with its look at the queue, so it is enough that each keeps the invariant.
//! Work is added only with a `summon`, which establishes 1 or 2. A search ends only by taking a job, followed by a `summon`
//! if work is left, or by falling asleep, with the queue empty. A thread falls asleep or leaves only with the queue empty.
//! `woken` is stored before the unpark and checked after the park, so a sleeper that was called between its `sleep` and its
//! park does not park. The model test walks through every interleaving of small cases with this very type.

/// The threads of a pool; `S` is how to reach a sleeping one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Muster<S> {
    threads_min: usize,
    threads_max: usize,
    threads: usize,
    starting: usize,
    searching: bool,
    sleepers: Vec<S>,
}

/// What a thread of the pool is up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Role {
    /// It searches for work on everybody's behalf.
    Searcher,
    /// It has work, or nobody relies on it.
    Runner,
}

/// What the caller must do once it has released the lock.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub(super) enum Summons<S> {
    /// Nothing.
    Nobody,
    /// Wake this thread; it is the searcher.
    Wake(S),
    /// Start a thread as the searcher.
    Start,
    /// Every thread is busy: have the keeper look at them.
    Grow,
}

impl<S: PartialEq> Muster<S> {
    /// No thread yet.
    pub(super) fn new(threads_min: usize, threads_max: usize) -> Self {
        Self {
            threads_min,
            threads_max,
            threads: 0,
            starting: 0,
            searching: false,
            sleepers: Vec::new(),
        }
    }

    /// Threads that exist, those being started included.
    pub(super) fn threads(&self) -> usize {
        self.threads
    }

    /// Somebody must look at the queue.
    pub(super) fn summon(&mut self) -> Summons<S> {
        if self.searching {
            return Summons::Nobody;
        }
        if let Some(sleeper) = self.sleepers.pop() {
            self.searching = true;
            return Summons::Wake(sleeper);
        }
        if self.threads < self.threads_min {
            self.searching = true;
            self.start(1);
            return Summons::Start;
        }
        match self.threads < self.threads_max {
            true => Summons::Grow,
            false => Summons::Nobody,
        }
    }

    /// `count` threads are about to be started.
    pub(super) fn start(&mut self, count: usize) {
        self.threads += count;
        self.starting += count;
    }

    /// A thread that was counted by [`start`](Self::start) has begun.
    pub(super) fn started(&mut self) {
        self.starting -= 1;
    }

    /// `count` threads could not be started, the searcher among them if `role` says so.
    pub(super) fn failed_to_start(&mut self, count: usize, role: Role) {
        self.threads -= count;
        self.starting -= count;
        if role == Role::Searcher {
            self.searching = false;
        }
    }

    /// A thread took work, and `more` says whether that left any in the queue. A searcher ends its search.
    pub(super) fn took_work(&mut self, role: &mut Role, more: bool) -> Summons<S> {
        if std::mem::replace(role, Role::Runner) == Role::Runner {
            return Summons::Nobody;
        }
        self.searching = false;
        match more {
            true => self.summon(),
            false => Summons::Nobody,
        }
    }

    /// A thread found the queue empty.
    pub(super) fn rest(&mut self, role: &mut Role, own: S) -> Rest {
        if !self.searching {
            self.searching = true;
            *role = Role::Searcher;
            return Rest::Search;
        }
        if *role == Role::Searcher {
            self.searching = false;
        }
        // Whoever wakes it has made it the searcher.
        *role = Role::Searcher;
        self.sleepers.push(own);
        match self.has_surplus() {
            true => Rest::SleepForAWhile,
            false => Rest::Sleep,
        }
    }

    /// A sleeper's patience ended. If it still slept and is one too many, it is to leave.
    pub(super) fn overslept(&mut self, sleeper: &S) -> Overslept {
        let Some(index) = self.sleepers.iter().position(|other| other == sleeper) else {
            return Overslept::Summoned;
        };
        if !self.has_surplus() {
            return Overslept::Stay;
        }
        self.sleepers.remove(index);
        self.threads -= 1;
        Overslept::Leave
    }

    /// Whether more threads exist than are always there.
    fn has_surplus(&self) -> bool {
        self.threads > self.threads_min
    }

    /// A thread leaves because the pool shuts down.
    pub(super) fn leave(&mut self, role: Role) {
        self.threads -= 1;
        if role == Role::Searcher {
            self.searching = false;
        }
    }

    /// Everybody who sleeps, to be sent away.
    pub(super) fn dismiss(&mut self) -> Vec<S> {
        std::mem::take(&mut self.sleepers)
    }

    /// Whether threads are being started that have not begun.
    pub(super) fn is_starting(&self) -> bool {
        self.starting > 0
    }

    /// How many threads a pool may gain in which every thread is busy; zero in any other.
    pub(super) fn could_gain(&self) -> usize {
        let all_busy = self.sleepers.is_empty() && !self.searching && self.starting == 0;
        match all_busy && self.threads >= self.threads_min {
            true => self.threads_max - self.threads,
            false => 0,
        }
    }
}

/// What a thread does that found the queue empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Rest {
    /// It is the searcher: it looks for a short while without the lock, then comes back.
    Search,
    /// It sleeps until it is woken.
    Sleep,
    /// The same, but it is one more than are always there: after a time it asks [`overslept`](Muster::overslept).
    SleepForAWhile,
}

/// What a thread does whose time to sleep has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Overslept {
    /// It was called in the same moment.
    Summoned,
    /// It may sleep on.
    Stay,
    /// It is no longer counted, and ends.
    Leave,
}
