//! Limits of children and of their number.

use siding_runtime::{CallError, JobError, ProcessEnd, RefusalReason};

use super::support::{CONTEXT, Meeting, call, figures, runtime, wait};

#[cfg(target_os = "linux")]
#[test]
fn memory_beyond_the_limit_is_a_crash_that_says_so() {
    let runtime = runtime(|config| config.memory_bytes_max = Some(256 << 20));
    assert_eq!(
        call(&runtime, "allocate", 16_usize << 20),
        Ok(16_usize << 20)
    );
    let Err(CallError::Job(JobError::Crashed {
        end, last_words, ..
    })) = call::<usize>(&runtime, "allocate", 512_usize << 20)
    else {
        panic!("there is no such memory");
    };
    assert_eq!(end, ProcessEnd::Signal(6));
    let words = last_words.expect("the allocator says why");
    assert!(
        words.contains("memory allocation of 536870912 bytes failed"),
        "{words}"
    );
    assert_eq!(call(&runtime, "double", 4), Ok(8));
}

#[test]
fn a_child_is_replaced_after_its_jobs() {
    let runtime = runtime(|config| config.jobs_per_child_max = Some(2));
    let pids: Vec<u32> = (0..6).map(|_| call(&runtime, "pid", ()).unwrap()).collect();
    assert!(pids.chunks(2).all(|pair| pair[0] == pair[1]), "{pids:?}");
    let mut children = pids;
    children.dedup();
    assert_eq!(children.len(), 3);
    figures("no crash", &runtime, |lane| {
        (lane.crashed, lane.killed) == (0, 0)
    });
}

#[test]
fn refuses_when_full() {
    let runtime = runtime(|config| config.waiting_max = 1);
    let lane = runtime.handle().processes();
    let meeting = Meeting::new();
    let running = lane.run::<_, Result<usize, String>>(CONTEXT, "wait", &meeting.path);
    let guest = meeting.guest();
    let waiting = lane.run::<_, u32>(CONTEXT, "double", &5);
    let Err(CallError::Job(JobError::Refused(refusal))) = call::<u32>(&runtime, "double", 6) else {
        panic!("a second job waits where one may");
    };
    assert_eq!(refusal.reason, RefusalReason::Full);
    drop(guest);
    assert_eq!(wait(&runtime, running), Ok(Ok(0)));
    assert_eq!(wait(&runtime, waiting), Ok(10));
}

#[test]
fn a_job_that_waits_is_dropped_at_its_deadline_and_with_its_future() {
    let runtime = runtime(|_| {});
    let lane = runtime.handle().processes();
    let meeting = Meeting::new();
    let running = lane.run::<_, Result<usize, String>>(CONTEXT, "wait", &meeting.path);
    let guest = meeting.guest();
    let passed = CONTEXT.with_deadline(Some(std::time::Instant::now()));
    let late = lane.run::<_, ()>(passed, "exit", &1);
    drop(lane.run::<_, ()>(CONTEXT, "exit", &1));
    drop(guest);
    assert_eq!(wait(&runtime, running), Ok(Ok(0)));
    assert!(matches!(
        wait(&runtime, late),
        Err(CallError::Job(JobError::DeadlinePassed { .. }))
    ));
    assert_eq!(call(&runtime, "double", 1), Ok(2));
    figures("the counts", &runtime, |lane| {
        (lane.client_gone, lane.deadline_passed, lane.crashed) == (1, 1, 0)
    });
}

#[test]
fn children_are_started_when_they_are_needed() {
    let runtime = runtime(|config| config.children = 4);
    let lane = runtime.handle().processes();
    assert_eq!(
        (lane.snapshot().threads, lane.snapshot().threads_max),
        (0, 4)
    );
    assert_eq!(call(&runtime, "double", 1), Ok(2));
    assert_eq!(lane.snapshot().threads, 1);
}
