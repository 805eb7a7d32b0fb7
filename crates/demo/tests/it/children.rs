//! The child processes of the reference service, as the kernel sees them.

use std::time::Instant;

use rustix::process::Signal;

use crate::support::{DEADLINE, Service};

/// Processes that `parent` has started and that still run.
pub(crate) fn children(parent: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").expect("Linux");
    processes
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|pid| is_running(*pid, Some(parent)))
        .collect()
}

/// Whether a process runs, as a child of `parent` if that is given. One that only waits to be reaped does not.
pub(crate) fn is_running(pid: u32, parent: Option<u32>) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return false;
    };
    // After the name, which is in parentheses: state and parent.
    let (_, fields) = stat.rsplit_once(')').expect("a name");
    let mut fields = fields.split_whitespace();
    let (state, of) = (fields.next(), fields.next().and_then(|of| of.parse().ok()));
    !matches!(state, Some("Z" | "X")) && (parent.is_none() || of == parent)
}

#[track_caller]
fn wait_for_end_of(pid: u32) {
    let began = Instant::now();
    while is_running(pid, None) {
        assert!(began.elapsed() < DEADLINE, "process {pid} is still there");
        std::thread::yield_now();
    }
}

#[track_caller]
fn only_child(service: &Service) -> u32 {
    let children = children(service.pid());
    assert_eq!(children.len(), 1, "{children:?}");
    children[0]
}

#[test]
fn a_child_ends_with_its_request_and_with_a_service_that_is_killed() {
    let service = Service::start(&["--request-deadline=1s", "--processes=1"]);
    assert!(children(service.pid()).is_empty());
    assert_eq!(service.get("/compute/process?n=10").0, 200);
    let first = only_child(&service);
    let (status, body) = service.get("/compute/process?n=20000000000");
    assert_eq!(status, 504, "{body}");
    wait_for_end_of(first);
    assert_eq!(service.get("/compute/process?n=10").0, 200);
    let second = only_child(&service);
    service.signal(Signal::KILL);
    wait_for_end_of(second);
}

#[test]
fn a_drained_service_leaves_no_child() {
    let service = Service::start(&[]);
    assert_eq!(service.get("/compute/process?n=10").0, 200);
    let child = only_child(&service);
    // As a supervisor does that tells every process of a service to stop.
    for pid in [child, service.pid()] {
        crate::program::signal(pid, Signal::TERM);
    }
    assert!(service.exit().success());
    assert!(!is_running(child, None));
}
