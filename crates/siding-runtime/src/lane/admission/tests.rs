//! All times here are made up: `at(ms)` after a common beginning.

use std::cell::Cell;
use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::{Admission, Dropped, Findings, Next, Shift, Staff, Waiter};
use crate::context::{RouteId, WorkContext};
use crate::lane::{LaneKind, LaneSnapshot, RefusalReason};

const SECOND: u64 = 1_000;

/// A job with a number, whose client may leave.
#[derive(Clone, Debug, Default)]
struct Client {
    number: u32,
    left: Rc<Cell<bool>>,
}

impl Waiter for Client {
    fn abandoned(&self) -> bool {
        self.left.get()
    }
}

/// Threads that all have work.
fn busy(threads: usize) -> Staff {
    Staff { threads, free: 0 }
}

/// A lane without threads: the test takes its jobs.
struct Lane {
    admission: Admission<Client, &'static str>,
    threads: usize,
    began: Instant,
    shifts: Vec<Shift>,
    dropped: Vec<(u32, Dropped)>,
}

impl Lane {
    fn new(waiting_max: usize, threads: usize) -> Self {
        Self {
            admission: Admission::new(waiting_max),
            threads,
            began: Instant::now(),
            shifts: Vec::new(),
            dropped: Vec::new(),
        }
    }

    fn at(&self, ms: u64) -> Instant {
        self.began + Duration::from_millis(ms)
    }

    fn offer(&mut self, ms: u64, number: u32) -> Result<Client, RefusalReason> {
        self.offer_until(ms, number, None)
    }

    fn offer_until(
        &mut self,
        ms: u64,
        number: u32,
        deadline: Option<u64>,
    ) -> Result<Client, RefusalReason> {
        let client = Client {
            number,
            ..Client::default()
        };
        let deadline = deadline.map(|deadline| self.at(deadline));
        let context = WorkContext::new(RouteId::OFFLOAD).with_deadline(deadline);
        let now = self.at(ms);
        let (admitted, findings) =
            self.admission
                .offer(client.clone(), context, now, busy(self.threads));
        self.note(findings);
        admitted.map(|()| client).map_err(|refused| refused.reason)
    }

    fn take(&mut self, ms: u64) -> Option<Next<Client, &'static str>> {
        let now = self.at(ms);
        let (next, findings) = self.admission.take(now, self.threads);
        self.note(findings);
        next
    }

    fn take_job(&mut self, ms: u64) -> Option<u32> {
        match self.take(ms)? {
            Next::Job(job) => Some(job.work.number),
            Next::Resumed(poll) => panic!("{poll} was taken for a job"),
        }
    }

    fn complete(&mut self, ms: u64) {
        self.admission.completed(Duration::from_millis(ms), false);
    }

    fn snapshot(&self) -> LaneSnapshot {
        self.admission.snapshot(LaneKind::Threads)
    }

    fn note(&mut self, findings: Findings<Client>) {
        self.shifts.extend(findings.shift);
        let dropped = findings.dropped.into_iter();
        self.dropped
            .extend(dropped.map(|(job, why)| (job.work.number, why)));
    }
}

#[test]
fn serves_in_order() {
    let mut lane = Lane::new(10, 1);
    for number in 0..3 {
        lane.offer(0, number).unwrap();
    }
    assert_eq!(
        [0; 3].map(|ms| lane.take_job(ms)),
        [Some(0), Some(1), Some(2)]
    );
    assert_eq!(lane.take_job(0), None);
}

#[test]
fn refuses_when_full() {
    let mut lane = Lane::new(2, 1);
    lane.offer(0, 0).unwrap();
    lane.offer(0, 1).unwrap();
    assert_eq!(lane.offer(0, 2).unwrap_err(), RefusalReason::Full);
    assert_eq!(lane.snapshot().refused, 1);
    assert_eq!(lane.take_job(1), Some(0));
    lane.offer(1, 3).unwrap();
}

#[test]
fn what_a_free_thread_will_take_does_not_count_as_waiting() {
    let mut admission = Admission::<Client, ()>::new(0);
    let mut offer = |free| {
        let context = WorkContext::new(RouteId::OFFLOAD);
        let staff = Staff { threads: 2, free };
        let (admitted, _) = admission.offer(Client::default(), context, Instant::now(), staff);
        admitted.is_ok()
    };
    assert_eq!([2, 2, 2].map(&mut offer), [true, true, false]);
}

#[test]
fn places_of_clients_that_left_are_free() {
    let mut lane = Lane::new(2, 1);
    let first = lane.offer(0, 0).unwrap();
    lane.offer_until(0, 1, Some(5)).unwrap();
    first.left.set(true);
    lane.offer(10, 2).unwrap();
    let expected = [(0, Dropped::ClientGone), (1, Dropped::DeadlinePassed)];
    assert_eq!(lane.dropped, expected);
    assert_eq!(lane.take_job(10), Some(2));
}

#[test]
fn drops_a_job_whose_client_left() {
    let mut lane = Lane::new(10, 1);
    let client = lane.offer(0, 0).unwrap();
    lane.offer(0, 1).unwrap();
    client.left.set(true);
    assert_eq!(lane.take_job(1), Some(1));
    assert_eq!(lane.dropped, [(0, Dropped::ClientGone)]);
    assert_eq!(lane.snapshot().client_gone, 1);
}

#[test]
fn drops_a_job_whose_deadline_passed() {
    let mut lane = Lane::new(10, 1);
    lane.offer_until(0, 0, Some(100)).unwrap();
    lane.offer_until(0, 1, Some(101)).unwrap();
    assert_eq!(lane.take_job(100), Some(1));
    assert_eq!(lane.dropped, [(0, Dropped::DeadlinePassed)]);
    assert_eq!(lane.snapshot().deadline_passed, 1);
}

/// Whatever the lane was used to before: the first jobs of a second each teach it that such a wait is to be expected.
#[test]
fn burst_on_fixed_pool_is_served() {
    for service_time_before in [None, Some(0), Some(1), Some(SECOND)] {
        let mut lane = Lane::new(1_000, 40);
        for _ in 0..100 {
            service_time_before
                .into_iter()
                .for_each(|ms| lane.complete(ms));
        }
        for number in 0..100 {
            lane.offer(0, number).unwrap();
        }
        let mut served = 0;
        for second in 0..3 {
            for _ in 0..40 {
                if second > 0 {
                    lane.complete(SECOND);
                }
                served += usize::from(lane.take_job(second * SECOND).is_some());
            }
        }
        assert_eq!((served, lane.dropped.len()), (100, 0));
        assert_eq!(lane.shifts, []);
    }
}

/// Eight callers, two threads, a second each: everybody waits for three, for ever.
#[test]
fn a_busy_closed_loop_is_no_overload() {
    let mut lane = Lane::new(100, 2);
    for number in 0..8 {
        lane.offer(0, number).unwrap();
    }
    let mut running = VecDeque::from([lane.take_job(0), lane.take_job(0)]);
    for second in 1..100 {
        for _ in 0..2 {
            let caller = running.pop_front().flatten().expect("two always run");
            lane.complete(SECOND);
            lane.offer(second * SECOND, caller).unwrap();
            running.push_back(lane.take_job(second * SECOND));
        }
    }
    assert_eq!(lane.shifts, []);
}

/// Arrivals at twice the rate that one thread serves, 10 ms each: a target of 100 ms, an interval of 1 s.
fn overload(lane: &mut Lane, ms: Range<u64>) -> Vec<u32> {
    let mut served = Vec::new();
    for now in ms.step_by(5) {
        lane.offer(now, u32::try_from(now).unwrap()).unwrap();
        if now % 10 == 0 {
            lane.complete(10);
            served.extend(lane.take_job(now));
        }
    }
    served
}

#[test]
fn a_standing_queue_is_shed_down() {
    let mut lane = Lane::new(10_000, 1);
    overload(&mut lane, 0..5_000);
    assert_eq!(lane.shifts, [Shift::Began]);
    let oldest = lane.admission.oldest(lane.at(5_000));
    assert!(oldest <= Duration::from_millis(210), "{oldest:?}");
    let shed = |(_, why): &(u32, Dropped)| matches!(why, Dropped::Shed { .. });
    assert!(lane.dropped.len() > 400 && lane.dropped.iter().all(shed));
}

#[test]
fn the_next_job_of_each_thread_is_never_shed() {
    let mut lane = Lane::new(100, 2);
    for minute in 0..10 {
        lane.offer(minute * 60 * SECOND, 0).unwrap();
        lane.offer(minute * 60 * SECOND, 1).unwrap();
        let late = minute * 60 * SECOND + 59 * SECOND;
        assert_eq!([late; 2].map(|ms| lane.take_job(ms)), [Some(0), Some(1)]);
    }
    assert_eq!(lane.shifts, []);
}

#[test]
fn newest_first_while_overloaded() {
    let mut lane = Lane::new(10_000, 1);
    overload(&mut lane, 0..2_000);
    assert!(lane.snapshot().overloaded);
    let served = overload(&mut lane, 2_000..2_500);
    let newest: Vec<u32> = (2_000..2_500).step_by(10).collect();
    assert_eq!(served, newest);
}

#[test]
fn an_overload_ends_when_nothing_waits_long() {
    let mut lane = Lane::new(10_000, 1);
    overload(&mut lane, 0..2_000);
    while lane.take_job(2_000).is_some() {}
    assert_eq!(lane.shifts, [Shift::Began, Shift::Ended]);
    lane.offer(2_001, 1).unwrap();
    lane.offer(2_001, 2).unwrap();
    assert_eq!(lane.take_job(2_002), Some(1), "first in, first out again");
}

#[test]
fn a_lane_that_grows_is_not_overloaded() {
    let mut lane = Lane::new(20_000, 40);
    for number in 0..10_000 {
        lane.offer(0, number).unwrap();
    }
    for taken in 0..10_000 {
        lane.admission.capacity_grew();
        assert!(lane.take_job(taken / 10).is_some());
    }
    assert_eq!(lane.shifts, []);
}

#[test]
fn resumed_work_goes_first() {
    let mut lane = Lane::new(1, 1);
    lane.offer(0, 0).unwrap();
    lane.admission.resume("a");
    lane.admission.resume("b");
    assert!(matches!(lane.take(0), Some(Next::Resumed("a"))));
    assert!(matches!(lane.take(0), Some(Next::Resumed("b"))));
    assert_eq!(lane.take_job(0), Some(0));
}

#[test]
fn resumed_work_is_never_refused_or_dropped() {
    let mut lane = Lane::new(1, 1);
    lane.offer(0, 0).unwrap();
    for _ in 0..100 {
        lane.admission.resume("poll");
    }
    assert_eq!(lane.admission.drain().len(), 1);
    for _ in 0..100 {
        assert!(matches!(lane.take(60 * SECOND), Some(Next::Resumed(_))));
    }
}

#[track_caller]
fn check_retry_after(service_ms: u64, waiting: u32, threads: usize, seconds: u64) {
    let mut lane = Lane::new(waiting as usize, threads);
    lane.complete(service_ms);
    for number in 0..waiting {
        lane.offer(0, number).unwrap();
    }
    let context = WorkContext::new(RouteId::OFFLOAD);
    let now = lane.at(0);
    let (refused, _) = lane
        .admission
        .offer(Client::default(), context, now, busy(threads));
    let retry_after = refused.unwrap_err().retry_after;
    assert_eq!(retry_after, Duration::from_secs(seconds));
}

#[test]
fn the_retry_hint_is_the_time_that_the_queue_takes() {
    check_retry_after(SECOND, 100, 50, 2);
    check_retry_after(SECOND, 100, 10, 10);
    check_retry_after(1, 100, 10, 1);
    check_retry_after(SECOND, 1_000, 10, 60);
    check_retry_after(SECOND, 10, 0, 10);
}

/// A number, the times of its arrival and of its deadline, and its client.
type NaiveJob = (u32, u64, Option<u64>, Client);

/// The same in the plainest words: a vector, searched from either end.
#[derive(Default)]
struct Naive {
    jobs: Vec<NaiveJob>,
    above_since: Option<u64>,
    overloaded: bool,
}

impl Naive {
    /// One service time for the whole run: 100 ms, so 400 ms are too long and 800 ms beyond making good.
    fn take(&mut self, now: u64) -> Option<u32> {
        let alive = |(_, _, deadline, client): &NaiveJob| {
            !client.left.get() && deadline.is_none_or(|deadline| deadline > now)
        };
        while self.jobs.first().is_some_and(|job| !alive(job)) {
            self.jobs.remove(0);
        }
        let waited = |jobs: &[NaiveJob]| match jobs {
            [] | [_] => 0,
            [(_, since, ..), ..] => now - since,
        };
        if waited(&self.jobs) <= 400 {
            (self.above_since, self.overloaded) = (None, false);
        } else {
            let since = *self.above_since.get_or_insert(now);
            self.overloaded |= now - since >= SECOND;
        }
        while self.overloaded && waited(&self.jobs) > 800 {
            self.jobs.remove(0);
        }
        while !self.jobs.is_empty() {
            let index = if self.overloaded {
                self.jobs.len() - 1
            } else {
                0
            };
            let job = self.jobs.remove(index);
            if alive(&job) {
                return Some(job.0);
            }
        }
        None
    }
}

#[test]
fn agrees_with_a_naive_queue() {
    let mut overloads = 0;
    for seed in 1..200_u64 {
        let mut random = xorshift(seed);
        let mut lane = Lane::new(usize::MAX, 1);
        lane.complete(100);
        let mut naive = Naive::default();
        let mut clients = Vec::new();
        let (mut now, mut number) = (0, 0);
        for _ in 0..400 {
            now += random(80);
            match random(20) {
                0..10 => {
                    number += 1;
                    let deadline = (random(4) == 0).then(|| now + random(2_000));
                    let client = lane.offer_until(now, number, deadline).unwrap();
                    naive.jobs.push((number, now, deadline, client.clone()));
                    clients.push(client);
                }
                10..12 if !clients.is_empty() => {
                    let index = random(clients.len() as u64) as usize;
                    clients.swap_remove(index).left.set(true);
                }
                12..13 => now += random(1_500),
                _ => assert_eq!(lane.take_job(now), naive.take(now), "seed {seed} at {now}"),
            }
        }
        overloads += lane.shifts.len();
    }
    assert!(overloads > 200, "{overloads} overloads test nothing");
}

/// A generator of numbers below a bound (G. Marsaglia's xorshift64).
fn xorshift(mut state: u64) -> impl FnMut(u64) -> u64 {
    move |bound| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % bound
    }
}
