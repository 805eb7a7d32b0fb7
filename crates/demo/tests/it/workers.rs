//! Workers: processes of their own, signals, and processes that are killed.

use std::path::Path;

use rustix::process::Signal;
use serde_json::json;
use siding::exit;
use tempfile::TempDir;

use crate::program::{Program, command};
use crate::support::Service;
use crate::task_command::state;

/// A worker, once it takes tasks. Its log has every task that it begins.
fn worker(data: &Path, args: &[&str]) -> Program {
    let mut command = command(&["worker", "--log-level", "info,siding_tasks=debug"]);
    command.arg("--data").arg(data).args(args);
    let mut worker = Program::spawn(command);
    worker.wait_for_log("the worker takes tasks");
    worker
}

fn wait_until_it_runs(worker: &mut Program, id: &str) {
    let line = worker.wait_for_log("task received");
    assert!(line.contains(id), "{line}");
}

#[test]
fn a_service_without_worker_leaves_its_tasks_to_one() {
    let data = TempDir::new().unwrap();
    let service = Service::start_on(data.path(), &["--no-worker"]);
    let id = service.start_task("add", r#"{"args": [2, 3]}"#);
    let (status, body) = service.get(&format!("/result/{id}"));
    assert_eq!((status, body.as_str()), (200, r#"{"status":"processing"}"#));
    let mut worker = worker(data.path(), &[]);
    assert_eq!(service.outcome(&id), (200, json!({"result": 5})));
    // The worker is woken by the service, too.
    let id = service.start_task("add", r#"{"args": [3, 4]}"#);
    assert_eq!(service.outcome(&id), (200, json!({"result": 7})));
    worker.signal(Signal::TERM);
    worker.wait_for_log("the worker has stopped");
    assert_eq!(worker.exit().code(), Some(i32::from(exit::OK)));
}

#[test]
fn a_worker_serves_the_queues_that_it_is_told_to() {
    let data = TempDir::new().unwrap();
    let service = Service::start_on(data.path(), &["--queues", "other"]);
    let id = service.start_task("add", r#"{"args": [2, 3]}"#);
    let mut worker = worker(data.path(), &["--queues", "other,celery"]);
    wait_until_it_runs(&mut worker, &id);
    assert_eq!(service.outcome(&id), (200, json!({"result": 5})));
}

#[test]
fn what_has_not_ended_at_the_stop_limit_goes_back_and_another_worker_runs_it() {
    let data = TempDir::new().unwrap();
    let service = Service::start_on(data.path(), &["--no-worker"]);
    let mut first = worker(data.path(), &["--task-stop-limit", "10ms"]);
    let id = service.start_task("sleep", r#"{"args": [3600]}"#);
    wait_until_it_runs(&mut first, &id);
    first.signal(Signal::TERM);
    first.wait_for_log("they are given back");
    first.wait_for_log("the worker has stopped");
    assert_eq!(first.exit().code(), Some(i32::from(exit::OK)));
    assert_eq!(state(data.path(), &id), "PENDING");
    let mut second = worker(data.path(), &[]);
    wait_until_it_runs(&mut second, &id);
}

#[test]
fn a_computation_that_cannot_be_ended_goes_back_too() {
    let data = TempDir::new().unwrap();
    let service = Service::start_on(data.path(), &["--no-worker"]);
    let mut first = worker(data.path(), &["--task-stop-limit", "10ms"]);
    let id = service.start_task("heavy_computation", r#"{"args": [20000000000]}"#);
    wait_until_it_runs(&mut first, &id);
    first.signal(Signal::TERM);
    assert_eq!(first.exit().code(), Some(i32::from(exit::OK)));
    assert_eq!(state(data.path(), &id), "PENDING");
    let mut second = worker(data.path(), &[]);
    wait_until_it_runs(&mut second, &id);
}

#[test]
fn a_running_task_may_end_within_the_stop_limit() {
    let data = TempDir::new().unwrap();
    let service = Service::start_on(data.path(), &["--no-worker"]);
    let mut worker = worker(data.path(), &[]);
    let id = service.start_task("sleep", r#"{"args": [0.3]}"#);
    wait_until_it_runs(&mut worker, &id);
    worker.signal(Signal::TERM);
    assert_eq!(worker.exit().code(), Some(i32::from(exit::OK)));
    assert_eq!(service.outcome(&id), (200, json!({"result": 0.3})));
}

#[test]
fn a_second_signal_stops_a_worker_at_once() {
    let data = TempDir::new().unwrap();
    let service = Service::start_on(data.path(), &["--no-worker"]);
    let mut worker = worker(data.path(), &["--task-stop-limit", "1h"]);
    let id = service.start_task("sleep", r#"{"args": [3600]}"#);
    wait_until_it_runs(&mut worker, &id);
    worker.signal(Signal::TERM);
    worker.wait_for_log("a second signal stops at once");
    worker.signal(Signal::TERM);
    assert_eq!(worker.exit().code(), Some(i32::from(exit::CUT_OFF)));
    // Whether there was time to give it back is open; it is not lost.
    let state = state(data.path(), &id);
    assert!(matches!(&*state, "PENDING" | "STARTED"), "{state}");
}

#[test]
fn a_drain_gives_back_what_its_own_worker_runs() {
    let data = TempDir::new().unwrap();
    let args = [
        "--task-stop-limit",
        "10ms",
        "--log-level",
        "info,siding_tasks=debug",
    ];
    let mut service = Service::start_on(data.path(), &args);
    let id = service.start_task("sleep", r#"{"args": [3600]}"#);
    service.wait_for_log("task received");
    service.signal(Signal::TERM);
    service.wait_for_log("they are given back");
    assert_eq!(service.exit().code(), Some(i32::from(exit::OK)));
    assert_eq!(state(data.path(), &id), "PENDING");
    let mut worker = worker(data.path(), &[]);
    wait_until_it_runs(&mut worker, &id);
}

#[test]
fn a_killed_service_loses_no_accepted_task() {
    let data = TempDir::new().unwrap();
    let service = Service::start_on(data.path(), &["--no-worker"]);
    let ids: Vec<String> = (0..50)
        .map(|x| service.start_task("add", &format!(r#"{{"args": [{x}, 1]}}"#)))
        .collect();
    service.kill();
    let service = Service::start_on(data.path(), &[]);
    for (x, id) in ids.iter().enumerate() {
        assert_eq!(service.outcome(id), (200, json!({"result": x + 1})));
    }
}
