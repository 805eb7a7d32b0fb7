//! How children end, and who notices.

use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Signal, kill_process};
use siding_runtime::{CallError, JobError, ProcessEnd, ProcessesConfig};

use super::support::{CONTEXT, Meeting, builder, call, figures, runtime, wait};
use crate::support::DEADLINE;

/// Where the parent of the test below finds the meeting.
const MEETING: &str = "SIDING_TEST_PROCESSES_MEETING";

#[test]
fn a_deadline_kills_the_child() {
    let runtime = runtime(|_| {});
    let first: u32 = call(&runtime, "pid", ()).unwrap();
    let meeting = Meeting::new();
    let deadline = Instant::now() + Duration::from_millis(300);
    let context = CONTEXT.with_deadline(Some(deadline));
    let spinning = runtime
        .handle()
        .processes()
        .run::<_, ()>(context, "spin", &meeting.path);
    let guest = meeting.guest();
    assert_eq!(guest.pid, first);
    let Err(CallError::Job(error @ JobError::Killed { job: 2, .. })) = wait(&runtime, spinning)
    else {
        panic!("it spins for ever");
    };
    assert!(Instant::now() >= deadline);
    assert!(error.to_string().contains("to its deadline"), "{error}");
    guest.wait_for_end();
    let second: u32 = call(&runtime, "pid", ()).unwrap();
    assert_ne!(first, second);
    figures("the count", &runtime, |lane| lane.killed == 1);
}

#[test]
fn a_call_that_nobody_waits_for_is_killed() {
    let runtime = runtime(|_| {});
    let meeting = Meeting::new();
    let spinning = runtime
        .handle()
        .processes()
        .run::<_, ()>(CONTEXT, "spin", &meeting.path);
    let guest = meeting.guest();
    drop(spinning);
    guest.wait_for_end();
    assert_eq!(call(&runtime, "double", 2), Ok(4));
    figures("the count", &runtime, |lane| lane.killed == 1);
}

#[test]
fn kill_from_outside_fails_only_the_job_that_ran() {
    let runtime = runtime(|config| config.children = 2);
    let lane = runtime.handle().processes();
    let (doomed, spared) = (Meeting::new(), Meeting::new());
    let lost = lane.run::<_, ()>(CONTEXT, "hang", &doomed.path);
    let guest = doomed.guest();
    let kept = lane.run::<_, Result<usize, String>>(CONTEXT, "wait", &spared.path);
    let other = spared.guest();
    kill_process(guest.pid(), Signal::KILL).unwrap();
    let Err(CallError::Job(error)) = wait(&runtime, lost) else {
        panic!("its process was killed");
    };
    assert_eq!(
        error,
        JobError::Crashed {
            job: 1,
            end: ProcessEnd::Signal(9),
            last_words: None
        }
    );
    assert_eq!(
        error.to_string(),
        "the child process of job 1 was ended by signal 9 (SIGKILL)"
    );
    assert_eq!(call(&runtime, "double", 3), Ok(6));
    drop(other);
    assert_eq!(wait(&runtime, kept), Ok(Ok(0)));
    figures("the count", &runtime, |lane| lane.crashed == 1);
}

#[test]
fn kill_of_an_idle_child_fails_no_job() {
    let runtime = runtime(|_| {});
    let child: u32 = call(&runtime, "pid", ()).unwrap();
    let pid = rustix::process::Pid::from_raw(i32::try_from(child).unwrap()).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
    // The kernel lists it until it was reaped.
    crate::support::eventually("its end", || {
        (!std::path::Path::new(&format!("/proc/{child}")).exists()).then_some(())
    });
    let next: u32 = call(&runtime, "pid", ()).unwrap();
    assert_ne!(next, child);
}

#[test]
fn a_child_that_exits_is_a_crash_with_its_code() {
    let runtime = runtime(|_| {});
    let Err(CallError::Job(JobError::Crashed { end, .. })) = call::<()>(&runtime, "exit", 3) else {
        panic!("its process ends");
    };
    assert_eq!(end, ProcessEnd::Exit(3));
    assert_eq!(call(&runtime, "double", 3), Ok(6));
}

#[test]
fn signals_that_ask_to_stop_are_the_parents_business() {
    let runtime = runtime(|_| {});
    let meeting = Meeting::new();
    let lane = runtime.handle().processes();
    let waiting = lane.run::<_, Result<usize, String>>(CONTEXT, "wait", &meeting.path);
    let guest = meeting.guest();
    kill_process(guest.pid(), Signal::TERM).unwrap();
    kill_process(guest.pid(), Signal::INT).unwrap();
    drop(guest);
    assert_eq!(wait(&runtime, waiting), Ok(Ok(0)));
}

/// The parent of the test below: hangs with its child until it is killed.
#[test]
fn parent() {
    let Some(meeting) = std::env::var_os(MEETING) else {
        return;
    };
    let runtime = runtime(|_| {});
    let meeting = std::path::PathBuf::from(meeting);
    let ended = call::<()>(&runtime, "spin", &meeting);
    panic!("it was to be killed: {ended:?}");
}

#[test]
fn children_end_with_a_parent_that_was_killed() {
    let meeting = Meeting::new();
    let mut parent = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "processes::ends::parent"])
        .env(MEETING, &meeting.path)
        .spawn()
        .unwrap();
    let guest = meeting.guest();
    assert_ne!(guest.pid, parent.id());
    parent.kill().unwrap();
    parent.wait().unwrap();
    guest.wait_for_end();
}

#[test]
fn shutdown_leaves_no_process() {
    let runtime = runtime(|config| config.children = 3);
    let lane = runtime.handle().processes().clone();
    let idle: u32 = call(&runtime, "pid", ()).unwrap();
    let (meeting, second) = (Meeting::new(), Meeting::new());
    let spinning = lane.run::<_, ()>(CONTEXT, "spin", &meeting.path);
    let hanging = lane.run::<_, ()>(CONTEXT, "hang", &second.path);
    let guests = [meeting.guest(), second.guest()];
    runtime.shut_down(Duration::from_millis(50));
    for guest in guests {
        guest.wait_for_end();
    }
    assert!(!std::path::Path::new(&format!("/proc/{idle}")).exists());
    for call in [spinning, hanging, lane.run(CONTEXT, "pid", &())] {
        let answer = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap()
            .block_on(async { tokio::time::timeout(DEADLINE, call).await })
            .expect("an answer in time");
        assert!(
            matches!(answer, Err(CallError::Job(JobError::ShutDown { .. }))),
            "{answer:?}"
        );
    }
    assert_eq!(lane.snapshot().threads, 0);
}

/// A test that does not exist: the child ends without coming to `serve_child`.
#[test]
fn a_program_that_never_serves_is_told() {
    let runtime = builder(ProcessesConfig::default())
        .child_args(["--exact", "no::such::test"])
        .build()
        .unwrap();
    let Err(CallError::Job(JobError::NotStarted { reason, .. })) =
        call::<u32>(&runtime, "double", 1)
    else {
        panic!("no child serves");
    };
    assert!(
        reason.contains("ended with exit code 0 before it was ready"),
        "{reason}"
    );
}

/// In a child, this test starts a runtime instead of serving.
#[test]
fn a_child_does_not_start_a_runtime() {
    if siding_runtime::is_child() {
        let refused = siding_runtime::Builder::new().build().err();
        panic!("{}", refused.expect("no runtime in a child"));
    }
    let name = "processes::ends::a_child_does_not_start_a_runtime";
    let runtime = builder(ProcessesConfig::default())
        .child_args(["--exact", name, "--nocapture"])
        .build()
        .unwrap();
    let Err(CallError::Job(JobError::NotStarted { reason, .. })) =
        call::<u32>(&runtime, "double", 1)
    else {
        panic!("no child serves");
    };
    assert!(reason.contains("ended with exit code 101"), "{reason}");
}
