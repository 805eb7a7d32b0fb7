use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use super::Threads;
use super::keeper::{Sight, Sighting};
use crate::config::ThreadsConfig;
use crate::event::{Event, Observers};
use crate::lane::support::{CONTEXT, Gate, LONG, Recorder, eventually, wait};
use crate::lane::{Job, JobError, RefusalReason};

fn threads(config: ThreadsConfig) -> Threads {
    Threads::new(config, Observers::default(), || {})
}

/// A lane whose keeper sees what the test wants.
fn seeing(config: ThreadsConfig, sighting: Sighting, recorder: &Recorder) -> Threads {
    let sight = Sight(Arc::new(move |_| sighting));
    Threads::with_sight(config, recorder.observers(), Box::new(|| {}), sight)
}

/// Jobs that hold threads until the gate opens.
fn hold(lane: &Threads, gate: &Gate, count: usize) -> Vec<Job<()>> {
    (0..count).map(|_| lane.run(CONTEXT, gate.job())).collect()
}

#[test]
fn runs_a_job() {
    let lane = threads(ThreadsConfig::fixed(2));
    let name = wait(lane.run(CONTEXT, || thread::current().name().map(str::to_owned)));
    assert_eq!(name, Ok(Some("siding-threads-0".to_owned())));
    assert_eq!(lane.snapshot().admitted, 1);
}

#[test]
fn starts_threads_only_as_they_are_needed() {
    let lane = threads(ThreadsConfig::fixed(40));
    assert_eq!(lane.snapshot().threads, 0);
    let gate = Gate::new();
    let _jobs = hold(&lane, &gate, 3);
    gate.wait_for(3);
    assert!(
        (3..=4).contains(&lane.snapshot().threads),
        "one may be on the search"
    );
}

#[test]
fn no_event_loop_is_current_on_its_threads() {
    let lane = threads(ThreadsConfig::fixed(1));
    let current = lane.run(CONTEXT, || tokio::runtime::Handle::try_current().is_ok());
    assert_eq!(wait(current), Ok(false));
}

#[test]
fn every_thread_runs_the_hook_once() {
    let started = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&started);
    let lane = Threads::new(ThreadsConfig::fixed(2), Observers::default(), move || {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    for _ in 0..100 {
        wait(lane.run(CONTEXT, || ())).unwrap();
    }
    assert_eq!(started.load(Ordering::SeqCst), lane.snapshot().threads);
}

#[test]
fn refuses_when_full() {
    let recorder = Recorder::default();
    let config = ThreadsConfig {
        waiting_max: 2,
        ..ThreadsConfig::fixed(1)
    };
    let lane = Threads::new(config, recorder.observers(), || {});
    let gate = Gate::new();
    let _running = hold(&lane, &gate, 1);
    gate.wait_for(1);
    let waiting = hold(&lane, &gate, 2);
    let Err(JobError::Refused(refusal)) = wait(lane.run(CONTEXT, || ())) else {
        panic!("a third job waits where two may");
    };
    assert_eq!(refusal.reason, RefusalReason::Full);
    assert_eq!(
        recorder.count(|event| matches!(event, Event::Refused { .. })),
        1
    );
    gate.open();
    for job in waiting {
        wait(job).unwrap();
    }
}

#[test]
fn drops_a_job_whose_client_left() {
    let recorder = Recorder::default();
    let lane = Threads::new(ThreadsConfig::fixed(1), recorder.observers(), || {});
    let gate = Gate::new();
    let running = hold(&lane, &gate, 1);
    gate.wait_for(1);
    let witness = Arc::new(());
    let held = Arc::clone(&witness);
    drop(lane.run(CONTEXT, move || {
        panic!("{held:?} ran although its client had left")
    }));
    gate.open();
    running.into_iter().for_each(|job| wait(job).unwrap());
    eventually("the closure to be dropped", || {
        Arc::strong_count(&witness) == 1
    });
    assert_eq!(lane.snapshot().client_gone, 1);
    assert_eq!(
        recorder.count(|event| matches!(event, Event::ClientGone { .. })),
        1
    );
}

#[test]
fn drops_a_job_whose_deadline_passed() {
    let recorder = Recorder::default();
    let lane = Threads::new(ThreadsConfig::fixed(1), recorder.observers(), || {});
    let passed = CONTEXT.with_deadline(Some(Instant::now()));
    let result = wait(lane.run(passed, || panic!("it ran after its deadline")));
    assert!(matches!(
        result,
        Err::<(), _>(JobError::DeadlinePassed { .. })
    ));
    let passed = |event: &Event| matches!(event, Event::DeadlinePassed { .. });
    assert_eq!(recorder.count(passed), 1);
}

#[test]
fn a_running_job_learns_that_its_client_left() {
    let lane = threads(ThreadsConfig::fixed(1));
    let (began, has_began) = mpsc::channel();
    let (told, was_told) = mpsc::channel();
    let job = lane.run(CONTEXT, move || {
        let token = crate::cancel_token();
        began.send(token.is_cancelled()).unwrap();
        while !crate::cancelled() {
            thread::yield_now();
        }
        told.send(token.is_cancelled()).unwrap();
    });
    assert_eq!(has_began.recv_timeout(LONG), Ok(false));
    drop(job);
    assert_eq!(was_told.recv_timeout(LONG), Ok(true));
    let after = lane.run(CONTEXT, crate::cancelled);
    assert_eq!(
        wait(after),
        Ok(false),
        "the next job has a claim of its own"
    );
}

#[test]
fn a_running_job_learns_that_its_deadline_passed() {
    let lane = threads(ThreadsConfig::fixed(1));
    let soon = CONTEXT.with_deadline(Some(Instant::now() + Duration::from_millis(20)));
    let job = lane.run(soon, || {
        while !crate::cancelled() {
            thread::yield_now();
        }
    });
    // Either it had begun, and learnt; or it had not, and never ran.
    assert!(matches!(
        wait(job),
        Ok(()) | Err(JobError::DeadlinePassed { .. })
    ));
}

#[test]
fn grows_while_blocked_and_work_waits() {
    let recorder = Recorder::default();
    let lane = seeing(ThreadsConfig::growing(2, 64), Sighting::Blocked, &recorder);
    let gate = Gate::new();
    let jobs = hold(&lane, &gate, 50);
    gate.wait_for(50);
    assert_eq!(lane.snapshot().threads, 50, "one for each job, not more");
    gate.open();
    jobs.into_iter().for_each(|job| wait(job).unwrap());
    let sizes: Vec<(usize, usize)> = recorder.resizes();
    assert_eq!(sizes, [(2, 4), (4, 8), (8, 16), (16, 32), (32, 50)]);
}

#[test]
fn never_grows_beyond_its_maximum() {
    let lane = seeing(
        ThreadsConfig::growing(1, 3),
        Sighting::Blocked,
        &Recorder::default(),
    );
    let gate = Gate::new();
    let jobs = hold(&lane, &gate, 10);
    gate.wait_for(3);
    assert_eq!((lane.snapshot().threads, lane.snapshot().waiting), (3, 7));
    gate.open();
    jobs.into_iter().for_each(|job| wait(job).unwrap());
}

#[test]
fn really_blocked_threads_are_seen_to_be_blocked() {
    let lane = threads(ThreadsConfig::growing(2, 64));
    let gate = Gate::new();
    let jobs = hold(&lane, &gate, 50);
    gate.wait_for(50);
    gate.open();
    jobs.into_iter().for_each(|job| wait(job).unwrap());
}

/// The keeper has looked often enough to have grown many times over, had it wanted to.
#[test]
fn does_not_grow_while_computing() {
    let looks = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&looks);
    let sight = Sight(Arc::new(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        Sighting::Running
    }));
    let config = ThreadsConfig::growing(2, 64);
    let lane = Threads::with_sight(config, Observers::default(), Box::new(|| {}), sight);
    let gate = Gate::new();
    let jobs = hold(&lane, &gate, 10);
    eventually("ten looks", || looks.load(Ordering::SeqCst) >= 10);
    assert_eq!(lane.snapshot().threads, 2);
    gate.open();
    jobs.into_iter().for_each(|job| wait(job).unwrap());
}

#[test]
fn grows_slowly_where_it_cannot_see() {
    let recorder = Recorder::default();
    let lane = seeing(ThreadsConfig::growing(4, 64), Sighting::Unknown, &recorder);
    let gate = Gate::new();
    let _jobs = hold(&lane, &gate, 8);
    gate.wait_for(8);
    assert_eq!(recorder.resizes(), [(4, 5), (5, 7), (7, 8)]);
}

#[test]
fn shrinks_when_idle() {
    let config = ThreadsConfig {
        idle_timeout: Duration::from_millis(1),
        ..ThreadsConfig::growing(2, 64)
    };
    let lane = seeing(config, Sighting::Blocked, &Recorder::default());
    let gate = Gate::new();
    let jobs = hold(&lane, &gate, 20);
    gate.wait_for(20);
    gate.open();
    jobs.into_iter().for_each(|job| wait(job).unwrap());
    eventually("the surplus to leave", || lane.snapshot().threads == 2);
    let again = hold(&lane, &gate, 20);
    again.into_iter().for_each(|job| wait(job).unwrap());
}

#[test]
fn a_job_that_blocks_holds_nobody_up() {
    let lane = threads(ThreadsConfig::fixed(2));
    let gate = Gate::new();
    let blocked = hold(&lane, &gate, 1);
    for _ in 0..1_000 {
        wait(lane.run(CONTEXT, || ())).unwrap();
    }
    gate.open();
    blocked.into_iter().for_each(|job| wait(job).unwrap());
}

/// As many jobs as there are threads must be able to meet: none may wait behind another that waits for it.
#[test]
fn jobs_that_wait_for_each_other_all_run() {
    const JOBS: usize = 8;
    let lane = threads(ThreadsConfig::fixed(JOBS));
    for _ in 0..200 {
        let barrier = Arc::new(Barrier::new(JOBS));
        let meet = |_| {
            let barrier = Arc::clone(&barrier);
            lane.run(CONTEXT, move || {
                barrier.wait();
            })
        };
        let jobs: Vec<Job<()>> = (0..JOBS).map(meet).collect();
        jobs.into_iter().for_each(|job| wait(job).unwrap());
    }
}

#[test]
fn panics_leave_the_lane_whole() {
    let recorder = Recorder::default();
    let lane = Threads::new(ThreadsConfig::fixed(1), recorder.observers(), || {});
    for _ in 0..3 {
        let result = wait(lane.run(CONTEXT, || panic!("no {}", "luck")));
        let Err::<(), _>(JobError::Panicked { message, .. }) = result else {
            panic!("the panic was not reported");
        };
        assert_eq!(message, "no luck");
    }
    lane.resume(CONTEXT, || panic!("not even then"));
    assert_eq!(wait(lane.run(CONTEXT, || 1)), Ok(1));
    let snapshot = lane.snapshot();
    assert_eq!((snapshot.panicked, snapshot.threads), (4, 1));
    let panics = |event: &Event| matches!(event, Event::Panicked { .. });
    assert_eq!(recorder.count(panics), 4);
}

#[test]
fn a_panicking_observer_or_destructor_leaves_the_lane_whole() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }
    let observer = |_: &Event| panic!("observed");
    let lane = Threads::new(
        ThreadsConfig::fixed(1),
        Observers::new(vec![Box::new(observer)]),
        || {},
    );
    let passed = CONTEXT.with_deadline(Some(Instant::now()));
    let bomb = Bomb;
    let unrun = lane.run(passed, move || drop(bomb));
    assert!(wait(unrun).is_err());
    drop(lane.run(CONTEXT, || Bomb));
    assert_eq!(wait(lane.run(CONTEXT, || 1)), Ok(1));
}

#[test]
fn resumed_work_goes_first() {
    let lane = threads(ThreadsConfig::fixed(1));
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

#[test]
fn no_job_is_lost() {
    const SUBMITTERS: usize = 8;
    const JOBS: usize = 2_000;
    let lane = threads(ThreadsConfig {
        idle_timeout: Duration::from_micros(50),
        waiting_max: usize::MAX,
        ..ThreadsConfig::growing(3, 8)
    });
    let ran = AtomicUsize::new(0);
    let ran = Arc::new(ran);
    thread::scope(|scope| {
        for _ in 0..SUBMITTERS {
            scope.spawn(|| {
                for _ in 0..JOBS {
                    let ran = Arc::clone(&ran);
                    lane.resume(CONTEXT, || ());
                    let count = move || ran.fetch_add(1, Ordering::SeqCst);
                    wait(lane.run(CONTEXT, count)).unwrap();
                }
            });
        }
    });
    assert_eq!(ran.load(Ordering::SeqCst), SUBMITTERS * JOBS);
    // A job is counted a moment after its answer.
    let jobs = (SUBMITTERS * JOBS) as u64;
    eventually("all to be counted", || lane.snapshot().completed == jobs);
    assert_eq!(lane.snapshot().waiting, 0);
}

#[test]
fn shut_down_answers_whom_it_does_not_run() {
    let lane = threads(ThreadsConfig::fixed(1));
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

/// The hook's thread-local lives exactly as long as its thread.
#[test]
fn shut_down_leaves_no_thread_behind() {
    thread_local! {
        static ALIVE: std::cell::RefCell<Option<Alive>> = const { std::cell::RefCell::new(None) };
    }
    struct Alive(Arc<Mutex<HashSet<thread::ThreadId>>>);
    impl Drop for Alive {
        fn drop(&mut self) {
            self.0.lock().unwrap().remove(&thread::current().id());
        }
    }
    let alive = Arc::new(Mutex::new(HashSet::new()));
    let hook = {
        let alive = Arc::clone(&alive);
        move || {
            alive.lock().unwrap().insert(thread::current().id());
            ALIVE.set(Some(Alive(Arc::clone(&alive))));
        }
    };
    let lane = Threads::new(ThreadsConfig::growing(2, 64), Observers::default(), hook);
    let gate = Gate::new();
    let jobs = hold(&lane, &gate, 20);
    gate.wait_for(20);
    assert_eq!(alive.lock().unwrap().len(), 20);
    gate.open();
    lane.shut_down(LONG);
    assert_eq!(alive.lock().unwrap().len(), 0);
    jobs.into_iter().for_each(|job| wait(job).unwrap());
}

impl Recorder {
    /// The changes in size after the first threads were started.
    fn resizes(&self) -> Vec<(usize, usize)> {
        self.collect(|event| match event {
            Event::Resized { from, to, .. } if from < to => Some((*from, *to)),
            _ => None,
        })
    }
}
