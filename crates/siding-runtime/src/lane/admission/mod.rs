//! Who gets in, who runs next, and who is turned away.
//!
//! Both lanes wait in the same kind of queue. It reads no clock, starts no thread and emits no event: every call is
//! given the time and returns what its caller must do once the lane's lock is released.
//!
//! # Order
//!
//! First in, first out, until the lane is overloaded; then the newest job runs first. Under overload somebody waits
//! too long whatever the order is: the newest job is the one whose caller is most likely to be still there ("adaptive
//! LIFO", B. Maurer, *Fail at Scale*, ACM Queue 13(8), 2015).
//!
//! # Overload
//!
//! The queue length says little: a long queue may be a burst that drains within a second. So the lane is judged as in
//! CoDel (K. Nichols and V. Jacobson, *Controlling Queue Delay*, ACM Queue 10(5), 2012) by the time that the oldest
//! job has waited, looked at whenever a thread takes work. If that was above a target for a whole interval without
//! coming down once, the queue is a standing one. From then on jobs that waited for two targets are refused and the
//! newest run first, until the oldest job's wait is below the target again.
//!
//! CoDel's constants, 5 ms and 100 ms, are for packets. Here both are longer and grow with the lane's own service time, so
//! that one rule fits jobs of 10 µs and of 10 s:
//!
//! | service time | target: 4 of it, 100 ms at least | interval: 10 of it, 1 s at least |
//! | --- | --- | --- |
//! | 10 µs | 100 ms | 1 s |
//! | 50 ms | 200 ms | 1 s |
//! | 1 s | 4 s | 10 s |
//!
//! 100 jobs of 1 s on 40 threads wait for 0, 1 and 2 s: below the target, all served. 8 callers that compute for 1 s on 2
//! threads wait for 3 s each, again and again: served. 400 at once on 40 threads wait for up to 9 s, above the target for 5
//! of them: still a burst, served. Twice the arrivals that the threads can serve, for ever: shed down to what they can.
//!
//! No more jobs than there are threads are no queue: each is the next to run, however slow the threads are.
//!
//! While a lane gains threads the clock starts anew with each: its queue grew against fewer than it has now.
//!
//! # Resumed work
//!
//! A future that was moved to a lane is admitted once, at its first poll. Its later polls are *resumed*: they go before
//! all new work and are neither refused nor dropped, because a future that was let in must be able to end. That queue
//! is bounded by what was admitted: a future has at most one poll waiting.

mod outcome;
mod overload;
mod service_time;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

pub(super) use self::outcome::{Dropped, Findings, Lost, Next, Staff, TurnedAway, Waiter, Waiting};
use self::overload::Overload;
pub(super) use self::overload::Shift;
use self::service_time::ServiceTime;
use super::{LaneKind, LaneSnapshot, RefusalReason};
use crate::context::WorkContext;
use crate::timings::Timings;

/// A full queue is searched for jobs that nobody waits for any more, but no more often than this.
const SWEEP_EVERY: Duration = Duration::from_millis(100);
/// Nobody is told to come back sooner or later than this.
const RETRY_AFTER_MIN: Duration = Duration::from_secs(1);
const RETRY_AFTER_MAX: Duration = Duration::from_secs(60);

/// One lane's waiting jobs (`T`) and resumed polls (`U`).
#[derive(Debug)]
pub(super) struct Admission<T, U> {
    waiting: VecDeque<Waiting<T>>,
    waiting_max: usize,
    resumed: VecDeque<U>,
    overload: Overload,
    service_time: ServiceTime,
    swept: Option<Instant>,
    counts: Counts,
    waits: Timings,
    runs: Timings,
}

/// How many jobs went which way since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    admitted: u64,
    completed: u64,
    refused: u64,
    refused_full: u64,
    deadline_passed: u64,
    client_gone: u64,
    panicked: u64,
    killed: u64,
    crashed: u64,
}

impl<T: Waiter, U> Admission<T, U> {
    /// An empty queue in which `waiting_max` jobs may wait.
    pub(super) fn new(waiting_max: usize) -> Self {
        Self {
            waiting: VecDeque::new(),
            waiting_max,
            resumed: VecDeque::new(),
            overload: Overload::default(),
            service_time: ServiceTime::default(),
            swept: None,
            counts: Counts::default(),
            waits: Timings::new(&Timings::SHORT),
            runs: Timings::new(&Timings::SHORT),
        }
    }

    /// Lets `work` wait, or turns it away when every place is taken.
    pub(super) fn offer(
        &mut self,
        work: T,
        context: WorkContext,
        now: Instant,
        staff: Staff,
    ) -> (Result<(), TurnedAway<T>>, Findings<T>) {
        let mut findings = Findings::default();
        let places = self.waiting_max.saturating_add(staff.free);
        if self.waiting.len() >= places {
            self.sweep(now, &mut findings);
        }
        if self.waiting.len() >= places {
            self.counts.refused += 1;
            self.counts.refused_full += 1;
            let turned_away = TurnedAway {
                work,
                reason: RefusalReason::Full,
                retry_after: self.retry_after(staff.threads),
            };
            return (Err(turned_away), findings);
        }
        self.counts.admitted += 1;
        self.waiting.push_back(Waiting {
            work,
            context,
            since: now,
        });
        (Ok(()), findings)
    }

    /// Puts a poll of an admitted future before all new work.
    pub(super) fn resume(&mut self, poll: U) {
        self.resumed.push_back(poll);
    }

    /// What a thread should run now; drops what is not worth running any more.
    pub(super) fn take(
        &mut self,
        now: Instant,
        threads: usize,
    ) -> (Option<Next<T, U>>, Findings<T>) {
        let mut findings = Findings::default();
        self.drop_dead_from_the_front(now, &mut findings);
        let service_time = self.service_time.mean();
        let oldest = self.oldest_in_line(now, threads);
        findings.shift = self.overload.look(oldest, service_time, now);
        self.shed(now, threads, &mut findings);
        let next = match self.resumed.pop_front() {
            Some(poll) => Some(Next::Resumed(poll)),
            None => self.pop_live(now, &mut findings).map(Next::Job),
        };
        if let Some(Next::Job(job)) = &next {
            self.waits.record(now.saturating_duration_since(job.since));
        }
        (next, findings)
    }

    /// Counts a job that ran to its end.
    pub(super) fn completed(&mut self, elapsed: Duration, panicked: bool) {
        self.service_time.record(elapsed);
        self.runs.record(elapsed);
        self.counts.completed += 1;
        self.counts.panicked += u64::from(panicked);
    }

    /// Counts a job that was let in and ended otherwise. It has no part in the service time: how long it ran says nothing
    /// about those that end by themselves.
    pub(super) fn lost(&mut self, how: Lost) {
        match how {
            Lost::DeadlinePassed => self.counts.deadline_passed += 1,
            Lost::ClientGone => self.counts.client_gone += 1,
            Lost::Killed => self.counts.killed += 1,
            Lost::Crashed => self.counts.crashed += 1,
        }
    }

    /// Counts a resumed poll that ended. It says nothing about the service time: a future is admitted once and polled often.
    pub(super) fn resumed(&mut self, panicked: bool) {
        self.counts.panicked += u64::from(panicked);
    }

    /// To be called when a thread was added.
    pub(super) fn capacity_grew(&mut self) {
        self.overload.absolve();
    }

    /// Empties the queue of jobs; resumed polls stay.
    pub(super) fn drain(&mut self) -> VecDeque<Waiting<T>> {
        std::mem::take(&mut self.waiting)
    }

    /// Whether nothing waits, neither jobs nor resumed polls.
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Jobs and resumed polls that wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len() + self.resumed.len()
    }

    /// How long the oldest job has waited; zero when none waits.
    pub(super) fn oldest(&self, now: Instant) -> Duration {
        self.waiting.front().map_or(Duration::ZERO, |job| {
            now.saturating_duration_since(job.since)
        })
    }

    /// What is known here of `lane`, whose queue this is: everything but its threads.
    pub(super) fn snapshot(&self, lane: LaneKind) -> LaneSnapshot {
        let counts = self.counts;
        LaneSnapshot {
            lane,
            threads: 0,
            threads_max: 0,
            running: 0,
            waiting: self.len(),
            waiting_max: self.waiting_max,
            overloaded: self.overload.is_on(),
            admitted: counts.admitted,
            completed: counts.completed,
            refused: counts.refused,
            refused_full: counts.refused_full,
            deadline_passed: counts.deadline_passed,
            client_gone: counts.client_gone,
            panicked: counts.panicked,
            killed: counts.killed,
            crashed: counts.crashed,
            service_time: self.service_time.mean(),
            waits: self.waits,
            runs: self.runs,
        }
    }

    /// As [`oldest`](Self::oldest), if more jobs wait than `threads` take in one go. Fewer are no line, however long they have
    /// waited: each is the next. CoDel, too, spares the last packet.
    fn oldest_in_line(&self, now: Instant, threads: usize) -> Duration {
        match self.waiting.len() > threads {
            true => self.oldest(now),
            false => Duration::ZERO,
        }
    }

    /// When `threads` will have served what waits now.
    fn retry_after(&self, threads: usize) -> Duration {
        let served = self.service_time.mean().as_secs_f64() * self.waiting.len() as f64;
        let seconds = (served / threads.max(1) as f64).min(RETRY_AFTER_MAX.as_secs_f64());
        Duration::from_secs_f64(seconds).max(RETRY_AFTER_MIN)
    }

    /// The next live job from the end that the order says.
    fn pop_live(&mut self, now: Instant, findings: &mut Findings<T>) -> Option<Waiting<T>> {
        loop {
            let job = match self.overload.is_on() {
                true => self.waiting.pop_back(),
                false => self.waiting.pop_front(),
            }?;
            match dead(&job, now) {
                Some(why) => self.discard(job, why, findings),
                None => return Some(job),
            }
        }
    }

    /// Keeps the oldest job a live one, because the lane is judged by it.
    fn drop_dead_from_the_front(&mut self, now: Instant, findings: &mut Findings<T>) {
        while let Some(why) = self.waiting.front().and_then(|job| dead(job, now)) {
            self.discard_front(why, findings);
        }
    }

    /// In an overloaded lane, refuses the jobs that waited too long.
    fn shed(&mut self, now: Instant, threads: usize, findings: &mut Findings<T>) {
        let Some(patience) = self.overload.patience(self.service_time.mean()) else {
            return;
        };
        while self.oldest_in_line(now, threads) > patience {
            let retry_after = self.retry_after(threads);
            self.discard_front(Dropped::Shed { retry_after }, findings);
        }
    }

    /// Drops every job that is not worth running any more. It looks at each job, hence the limit on how often.
    fn sweep(&mut self, now: Instant, findings: &mut Findings<T>) {
        if self.swept.is_some_and(|swept| now < swept + SWEEP_EVERY) {
            return;
        }
        self.swept = Some(now);
        for job in std::mem::take(&mut self.waiting) {
            match dead(&job, now) {
                Some(why) => self.discard(job, why, findings),
                None => self.waiting.push_back(job),
            }
        }
    }

    fn discard_front(&mut self, why: Dropped, findings: &mut Findings<T>) {
        if let Some(job) = self.waiting.pop_front() {
            self.discard(job, why, findings);
        }
    }

    fn discard(&mut self, job: Waiting<T>, why: Dropped, findings: &mut Findings<T>) {
        match why {
            Dropped::DeadlinePassed => self.counts.deadline_passed += 1,
            Dropped::ClientGone => self.counts.client_gone += 1,
            Dropped::Shed { .. } => self.counts.refused += 1,
        }
        findings.dropped.push((job, why));
    }
}

/// Why `job` is not worth running any more, if so.
fn dead<T: Waiter>(job: &Waiting<T>, now: Instant) -> Option<Dropped> {
    if job.work.abandoned() {
        Some(Dropped::ClientGone)
    } else if job.context.deadline.is_some_and(|deadline| deadline <= now) {
        Some(Dropped::DeadlinePassed)
    } else {
        None
    }
}
