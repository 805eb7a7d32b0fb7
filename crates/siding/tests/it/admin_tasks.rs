//! Tasks, workers and schedules on the admin listener.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;
use siding::tasks::Tasks;
use siding::{App, Problem, extract, post};
use tempfile::TempDir;

use crate::support::{Client, Reply, Service, eventually, start_with};

#[derive(Clone, Copy, PartialEq)]
enum Worker {
    Runs,
    None,
}

async fn send(
    extract::State(task): extract::State<siding::tasks::Task<(), String>>,
) -> Result<String, Problem> {
    Ok(task.delay(()).await?.id().to_string())
}

/// An application with a task that fails unless it is `well`.
fn service(data: &Path, well: &Arc<AtomicBool>, worker: Worker) -> Service {
    let (tasks, well) = (Tasks::new(), Arc::clone(well));
    let task = tasks.register("report", move || match well.load(Ordering::SeqCst) {
        true => Ok("done".to_owned()),
        false => Err(std::io::Error::other("no paper")),
    });
    tasks
        .every(Duration::from_secs(3_600), task.s(()))
        .name("hourly report")
        .catch_up(Duration::ZERO);
    tasks
        .crontab("30 6 29 2 *", task.s(()))
        .time_zone("Europe/Berlin");
    let app = App::new("test")
        .route("/send", post(send))
        .with_state(task)
        .with_tasks(tasks);
    start_with(app, |settings| {
        settings.tasks.data = data.to_owned();
        settings.tasks.worker = worker == Worker::Runs;
        settings.tasks.queues = vec!["celery".to_owned(), "other".to_owned()];
        settings.tasks.concurrency = Some(3);
        settings.admin = Some((Ipv4Addr::LOCALHOST, 0).into());
    })
}

fn admin(service: &Service) -> Client {
    let address = service.running().admin_address();
    Client::connect(address.expect("an admin listener")).expect("connects")
}

fn send_one(service: &Service) -> String {
    service.connect().post("/send", "").body
}

fn show(service: &Service, id: &str) -> Value {
    admin(service).get(&format!("/api/tasks/{id}")).json()
}

#[track_caller]
fn wait_for(service: &Service, id: &str, state: &str) -> Value {
    eventually(state, || {
        Some(show(service, id)).filter(|task| task["state"] == state)
    })
}

fn act(service: &Service, id: &str, action: &str, body: &str) -> Reply {
    admin(service).post(&format!("/api/tasks/{id}/{action}"), body)
}

#[test]
fn a_failed_task_is_sent_again() {
    let (data, well) = (TempDir::new().unwrap(), Arc::new(AtomicBool::new(false)));
    let service = service(data.path(), &well, Worker::Runs);
    let id = send_one(&service);
    let failed = wait_for(&service, &id, "FAILURE");
    assert_eq!(failed["version"], 1);
    assert_eq!(failed["task"], "report");
    assert_eq!(failed["exception"]["message"], "no paper");

    well.store(true, Ordering::SeqCst);
    let reply = act(&service, &id, "retry", "");
    assert_eq!(reply.status, 202);
    assert_eq!(reply.json()["became"], "waits again");
    assert_eq!(wait_for(&service, &id, "SUCCESS")["result"], "done");
    act(&service, &id, "retry", "").assert_problem(409, "has not failed");
    act(&service, "none", "retry", "").assert_problem(404, "no task has this id");
    let unknown = admin(&service).get("/api/tasks/none");
    unknown.assert_problem(404, "no task has this id");
}

#[test]
fn a_task_that_waits_is_revoked() {
    let (data, well) = (TempDir::new().unwrap(), Arc::new(AtomicBool::new(true)));
    let service = service(data.path(), &well, Worker::None);
    let (one, other) = (send_one(&service), send_one(&service));
    assert_eq!(show(&service, &one)["state"], "PENDING");
    let reply = act(&service, &one, "revoke", r#"{"terminate": false}"#);
    assert_eq!(reply.status, 202);
    assert_eq!(reply.json()["became"], "is revoked");
    assert_eq!(show(&service, &one)["state"], "REVOKED");
    assert_eq!(show(&service, &other)["state"], "PENDING");
    act(&service, &other, "revoke", "terminate").assert_problem(422, "terminate");
    assert_eq!(show(&service, &other)["state"], "PENDING");
}

#[test]
fn workers_of_every_process_are_listed_while_they_live() {
    let (data, well) = (TempDir::new().unwrap(), Arc::new(AtomicBool::new(true)));
    let works = service(data.path(), &well, Worker::Runs);
    // It shares the store, as another process does, and has no worker of its own.
    let watches = service(data.path(), &well, Worker::None);
    let id = send_one(&works);
    wait_for(&works, &id, "SUCCESS");
    for seen_by in [&works, &watches] {
        let worker = eventually("the worker has reported", || {
            let reply = admin(seen_by).get("/api/workers").json();
            assert_eq!(
                (&reply["version"], &reply["note"]),
                (&1.into(), &Value::Null)
            );
            reply["workers"]
                .as_array()
                .expect("a list")
                .first()
                .cloned()
        });
        let name = worker["name"].as_str().expect("a name");
        let (first, host) = name.split_once('@').expect("a host");
        assert_eq!(first, format!("test-{}", std::process::id()));
        assert_eq!(worker["host"], host);
        assert_eq!(worker["pid"], std::process::id());
        assert_eq!(worker["queues"], serde_json::json!(["celery", "other"]));
        assert_eq!(worker["slots"], 3);
        let (since, seen) = (&worker["since_unix_ms"], &worker["seen_unix_ms"]);
        assert!(since.as_i64() <= seen.as_i64() && since.as_i64() > Some(1_700_000_000_000));
    }
    let own = admin(&works).get("/api/workers").json();
    assert!(own["workers"][0]["processed"].as_u64() >= Some(1));
    drop(works);
    eventually("the worker has said that it is gone", || {
        let reply = admin(&watches).get("/api/workers").json();
        (reply["workers"] == serde_json::json!([])).then_some(())
    });
}

#[test]
fn schedules_tell_their_next_tick_and_who_leads() {
    let (data, well) = (TempDir::new().unwrap(), Arc::new(AtomicBool::new(true)));
    let service = service(data.path(), &well, Worker::Runs);
    let reply = eventually("a worker leads", || {
        let reply = admin(&service).get("/api/schedules").json();
        reply["leader"].is_string().then_some(reply)
    });
    assert_eq!(reply["version"], 1);
    let leader = reply["leader"].as_str().expect("a name");
    assert!(leader.starts_with(&format!("test-{}@", std::process::id())));
    let [hourly, morning] = [&reply["schedules"][0], &reply["schedules"][1]];
    assert_eq!(hourly["name"], "hourly report");
    assert_eq!(hourly["task"], "report");
    assert_eq!(hourly["when"], "every 3600s");
    assert_eq!(hourly["time_zone"], Value::Null);
    let next = hourly["next_unix_ms"].as_i64().expect("a time");
    assert_eq!(next % 3_600_000, 0);
    if let Some(last) = hourly["last_unix_ms"].as_i64() {
        assert_eq!(next - last, 3_600_000);
    }
    assert_eq!(morning["when"], "30 6 29 2 *");
    assert_eq!(morning["time_zone"], "Europe/Berlin");
}

#[test]
fn an_application_without_tasks_says_so() {
    let service = start_with(App::new("test"), |settings| {
        settings.admin = Some((Ipv4Addr::LOCALHOST, 0).into());
    });
    for path in [
        "/api/tasks",
        "/api/tasks/some",
        "/api/workers",
        "/api/schedules",
    ] {
        admin(&service)
            .get(path)
            .assert_problem(404, "has no tasks");
    }
}
