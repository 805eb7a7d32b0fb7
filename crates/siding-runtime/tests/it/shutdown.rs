//! What a runtime leaves behind: nothing.

use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use crate::support::{DEADLINE, builder, eventually};

/// Tells the child process of the test below that it is the child.
const CHILD: &str = "SIDING_TEST_SHUTDOWN_CHILD";

fn threads() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let name = |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("comm")).ok();
    let names = tasks.filter_map(|task| name(task.unwrap()));
    names
        .map(|name| name.trim().to_owned())
        .filter(|name| name.starts_with("siding"))
        .collect()
}

/// Threads of other tests must not be counted, so the test runs again in a process of its own.
#[test]
fn leaves_no_thread_behind() {
    if std::env::var_os(CHILD).is_some() {
        return run_and_shut_down();
    }
    let status = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "shutdown::leaves_no_thread_behind",
            "--nocapture",
        ])
        .env(CHILD, "1")
        .status()
        .unwrap();
    assert!(status.success());
}

fn run_and_shut_down() {
    let runtime = builder().build().unwrap();
    let handle = runtime.handle().clone();
    // A stall, so that relief workers, the sampler and its symbols have been at work.
    let (release, blocked) = mpsc::channel::<()>();
    let task = handle.spawn(async move { blocked.recv_timeout(DEADLINE) });
    eventually("the stall", || (!handle.stalls().is_empty()).then_some(()));
    release.send(()).unwrap();
    runtime.block_on(task).unwrap().unwrap();
    runtime
        .block_on(handle.threads().run(
            siding_runtime::WorkContext::new(siding_runtime::RouteId::OFFLOAD),
            || (),
        ))
        .unwrap();
    runtime
        .block_on(handle.compute().run(
            siding_runtime::WorkContext::new(siding_runtime::RouteId::OFFLOAD),
            || (),
        ))
        .unwrap();
    assert!(!threads().is_empty());
    runtime.shut_down(Duration::from_secs(10));
    // The kernel lists a joined thread for a moment longer.
    eventually("the last thread's end", || {
        threads().is_empty().then_some(())
    });
}

#[test]
fn shuts_down_while_a_worker_is_stalled() {
    let runtime = builder().build().unwrap();
    let (release, blocked) = mpsc::channel::<()>();
    let handle = runtime.handle().clone();
    handle.spawn(async move { blocked.recv_timeout(DEADLINE) });
    eventually("the stall", || (!handle.stalls().is_empty()).then_some(()));
    runtime.shut_down(Duration::from_millis(50));
    release
        .send(())
        .expect("the stalled poll outlives the shutdown's limit");
}
