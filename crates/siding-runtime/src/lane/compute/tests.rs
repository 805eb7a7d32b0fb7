use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rayon::prelude::*;

use super::Compute;
use crate::config::ComputeConfig;
use crate::event::{Event, Observers};
use crate::lane::support::{CONTEXT, Gate, LONG, Recorder, eventually, wait};
use crate::lane::{Job, JobError, RefusalReason};

fn compute(threads: usize, waiting_max: usize, observers: Observers) -> Compute {
    let config = ComputeConfig {
        threads,
        waiting_max,
    };
    Compute::new(config, observers, || {}).unwrap()
}

fn hold(lane: &Compute, gate: &Gate, count: usize) -> Vec<Job<()>> {
    (0..count).map(|_| lane.run(CONTEXT, gate.job())).collect()
}

#[test]
fn par_iter_runs_inside_compute() {
    let lane = compute(2, 8, Observers::default());
    let barrier = Arc::new(Barrier::new(2));
    let names = lane.run(CONTEXT, move || {
        let name = |_| {
            barrier.wait();
            thread::current().name().map(str::to_owned)
        };
        (0..2).into_par_iter().map(name).collect::<Vec<_>>()
    });
    let mut names = wait(names).unwrap();
    names.sort();
    let expected = ["siding-compute-0", "siding-compute-1"];
    assert_eq!(names, expected.map(|name| Some(name.to_owned())));
}

#[test]
fn runs_no_more_jobs_at_once_than_it_has_threads() {
    let lane = compute(2, 8, Observers::default());
    let gate = Gate::new();
    let jobs = hold(&lane, &gate, 5);
    gate.wait_for(2);
    let snapshot = lane.snapshot();
    assert_eq!((snapshot.running, snapshot.waiting), (2, 3));
    gate.open();
    jobs.into_iter().for_each(|job| wait(job).unwrap());
    eventually("the lane to rest", || lane.snapshot().running == 0);
    assert_eq!(lane.snapshot().completed, 5);
}

#[test]
fn refuses_when_full() {
    let recorder = Recorder::default();
    let lane = compute(1, 1, recorder.observers());
    let gate = Gate::new();
    let _running = hold(&lane, &gate, 1);
    gate.wait_for(1);
    let _waiting = hold(&lane, &gate, 1);
    let Err(JobError::Refused(refusal)) = wait(lane.run(CONTEXT, || ())) else {
        panic!("a second job waits where one may");
    };
    assert_eq!(refusal.reason, RefusalReason::Full);
    assert_eq!(
        recorder.count(|event| matches!(event, Event::Refused { .. })),
        1
    );
}

#[test]
fn drops_what_nobody_waits_for() {
    let recorder = Recorder::default();
    let lane = compute(1, 8, recorder.observers());
    let gate = Gate::new();
    let running = hold(&lane, &gate, 1);
    gate.wait_for(1);
    drop(lane.run(CONTEXT, || panic!("it ran although its client had left")));
    let passed = CONTEXT.with_deadline(Some(Instant::now()));
    let late = lane.run(passed, || panic!("it ran after its deadline"));
    gate.open();
    running.into_iter().for_each(|job| wait(job).unwrap());
    assert!(matches!(
        wait(late),
        Err::<(), _>(JobError::DeadlinePassed { .. })
    ));
    assert_eq!(
        recorder.count(|event| matches!(event, Event::ClientGone { .. })),
        1
    );
    assert_eq!(
        recorder.count(|event| matches!(event, Event::DeadlinePassed { .. })),
        1
    );
}

#[test]
fn panics_leave_the_lane_whole() {
    let recorder = Recorder::default();
    let lane = compute(1, 8, recorder.observers());
    let result = wait(lane.run(CONTEXT, || {
        (0..4)
            .into_par_iter()
            .for_each(|n| assert_ne!(n, 2, "part {n}"));
    }));
    assert!(matches!(result, Err(JobError::Panicked { .. })));
    lane.resume(CONTEXT, || panic!("not even then"));
    assert_eq!(wait(lane.run(CONTEXT, || 1)), Ok(1));
    assert_eq!(lane.snapshot().panicked, 2);
    assert_eq!(
        recorder.count(|event| matches!(event, Event::Panicked { .. })),
        2
    );
}

#[test]
fn resumed_work_goes_first() {
    let lane = compute(1, 8, Observers::default());
    let gate = Gate::new();
    let blocked = hold(&lane, &gate, 1);
    gate.wait_for(1);
    let (order, seen) = mpsc::channel();
    let job = lane.run(CONTEXT, {
        let order = order.clone();
        move || order.send("new").unwrap()
    });
    lane.resume(CONTEXT, move || order.send("resumed").unwrap());
    gate.open();
    blocked
        .into_iter()
        .chain([job])
        .for_each(|job| wait(job).unwrap());
    assert_eq!(seen.iter().collect::<Vec<_>>(), ["resumed", "new"]);
}

/// One thread may wait for the other's part of a job, and must run what is next meanwhile.
#[test]
fn a_job_runs_beside_the_parts_of_another() {
    let lane = compute(2, 8, Observers::default());
    for _ in 0..10 {
        let (ran, has_run) = mpsc::channel();
        let parts = lane.run(CONTEXT, move || {
            rayon::join(|| (), move || has_run.recv_timeout(LONG)).1
        });
        let beside = lane.run(CONTEXT, move || ran.send(()));
        assert_eq!(wait(parts), Ok(Ok(())));
        assert_eq!(wait(beside), Ok(Ok(())));
    }
}

/// On a machine so busy that the lane counts as overloaded, a refusal is an answer too.
#[test]
fn no_job_is_lost() {
    let lane = compute(2, usize::MAX, Observers::default());
    let jobs: Vec<Job<u32>> = (0..5_000)
        .map(|n| {
            lane.resume(CONTEXT, || ());
            lane.run(CONTEXT, move || n)
        })
        .collect();
    for (n, job) in (0..).zip(jobs) {
        match wait(job) {
            Ok(result) => assert_eq!(result, n),
            Err(error) => assert!(matches!(error, JobError::Refused(_)), "{error}"),
        }
    }
}

#[test]
fn shut_down_answers_whom_it_does_not_run() {
    let lane = compute(1, 8, Observers::default());
    let gate = Gate::new();
    let running = hold(&lane, &gate, 1);
    gate.wait_for(1);
    let waiting = lane.run(CONTEXT, || ());
    lane.shut_down(Duration::ZERO);
    let late = lane.run(CONTEXT, || ());
    for job in [waiting, late] {
        assert!(matches!(wait(job), Err(JobError::ShutDown { .. })));
    }
    gate.open();
    running.into_iter().for_each(|job| wait(job).unwrap());
}

#[test]
fn shut_down_leaves_no_thread_behind() {
    thread_local! {
        static ALIVE: std::cell::RefCell<Option<Arc<()>>> = const { std::cell::RefCell::new(None) };
    }
    let alive = Arc::new(());
    let held = Arc::clone(&alive);
    let config = ComputeConfig {
        threads: 3,
        waiting_max: 8,
    };
    let lane = Compute::new(config, Observers::default(), move || {
        ALIVE.set(Some(Arc::clone(&held)));
    })
    .unwrap();
    wait(lane.run(CONTEXT, || ())).unwrap();
    eventually("three threads", || Arc::strong_count(&alive) == 2 + 3);
    lane.shut_down(LONG);
    assert!(
        Arc::strong_count(&alive) <= 2,
        "only the lane's own is left"
    );
}
