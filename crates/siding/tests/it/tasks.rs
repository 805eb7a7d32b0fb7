//! Durable tasks of an application, in this process and in its children.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use siding::axum::body::to_bytes;
use siding::extract;
use siding::tasks::{GetError, Revocation, SendError, State, Task, Tasks};
use siding::{
    App, Drained, ExitCode, IntoResponse, Problem, Settings, compute, get, post, processes, threads,
};
use siding_tasks::BrokerError;
use tempfile::TempDir;
use tokio::sync::Notify;

use crate::support::{Client, DEADLINE, Service, eventually, start, start_with};

fn on(data: &Path) -> impl FnOnce(&mut Settings) {
    let data = data.to_owned();
    move |settings| {
        settings.tasks.data = data;
        settings.admin = Some((std::net::Ipv4Addr::LOCALHOST, 0).into());
    }
}

/// What an application's runtime does, once it is gone.
fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = siding::runtime::Builder::new().build();
    runtime.expect("starts").block_on(future)
}

type Sum = Task<(u64,), u64>;

fn sum(n: u64) -> u64 {
    (1..=n).sum()
}

/// Sends the task, and answers with its result.
async fn run(extract::State(task): extract::State<Sum>) -> Result<String, Problem> {
    let sum = task.delay(100).await?.get(DEADLINE).await?;
    Ok(sum.to_string())
}

/// An application that answers with what its only task returns.
fn runs(tasks: Tasks, task: Sum) -> App {
    App::new("test")
        .route("/run", get(run))
        .with_state(task)
        .with_tasks(tasks)
}

#[test]
fn a_handler_gets_the_result_of_a_task_in_any_lane() {
    let register: [fn(&Tasks) -> Sum; 4] = [
        |tasks| tasks.register("sum", |n: u64| async move { sum(n) }),
        |tasks| tasks.register("sum", sum),
        |tasks| tasks.register("sum", threads(sum)),
        |tasks| tasks.register("sum", compute(sum)),
    ];
    for register in register {
        let (data, tasks) = (TempDir::new().unwrap(), Tasks::new());
        let task = register(&tasks);
        let service = start_with(runs(tasks, task), on(data.path()));
        let reply = service.get("/run");
        assert_eq!((reply.status, reply.body.as_str()), (200, "5050"));
    }
}

/// Where children come in. As a test of its own it only shows that this process is none.
#[test]
fn child() {
    if siding::runtime::is_child() {
        assert_eq!(in_children().run(), ExitCode::SUCCESS);
    }
}

fn in_children() -> App {
    let tasks = Tasks::new();
    let pid = tasks.register("pid", processes(|(): ()| std::process::id()));
    App::new("test")
        .route("/pid", get(pid_of_a_task))
        .with_state(pid)
        .with_tasks(tasks)
        .with_child_args(["--exact", "tasks::child", "--nocapture"])
}

async fn pid_of_a_task(
    extract::State(task): extract::State<Task<((),), u32>>,
) -> Result<String, Problem> {
    let pid = task.delay(((),)).await?.get(DEADLINE).await?;
    Ok(pid.to_string())
}

#[test]
fn a_task_for_the_process_lane_runs_in_a_child() {
    let data = TempDir::new().unwrap();
    let service = start_with(in_children(), on(data.path()));
    let pid: u32 = service.get("/pid").body.parse().expect("a pid");
    assert_ne!(pid, std::process::id());
}

/// A task that says that it has begun, and ends when it is told to.
struct Held {
    tasks: Tasks,
    task: Task<(), u64>,
    begun: mpsc::Receiver<()>,
    go: Arc<Notify>,
}

fn held() -> Held {
    let tasks = Tasks::new();
    let (begin, begun) = mpsc::channel();
    let go = Arc::new(Notify::new());
    let told = Arc::clone(&go);
    let task = tasks.register("held", move || {
        let (begin, told) = (begin.clone(), Arc::clone(&told));
        async move {
            begin.send(()).expect("somebody waits");
            told.notified().await;
            7
        }
    });
    Held {
        tasks,
        task,
        begun,
        go,
    }
}

async fn send_held(extract::State(task): extract::State<Task<(), u64>>) -> Result<String, Problem> {
    Ok(task.delay(()).await?.id().to_string())
}

fn start_held(held: &Held, data: &Path, stop_limit: Duration) -> Service {
    let app = App::new("test")
        .route("/send", post(send_held))
        .with_state(held.task.clone())
        .with_tasks(held.tasks.clone());
    let on = on(data);
    start_with(app, |settings| {
        on(settings);
        settings.tasks.stop_limit = stop_limit;
    })
}

#[test]
fn a_drain_waits_for_a_task_within_the_stop_limit() {
    let (data, held) = (TempDir::new().unwrap(), held());
    let service = start_held(&held, data.path(), DEADLINE);
    let address = service.address();
    let id = service.connect().post("/send", "").body;
    held.begun.recv_timeout(DEADLINE).expect("begins");
    let drained = thread::spawn(move || service.drain());
    eventually("nobody listens", || Client::connect(address).err());
    assert!(!drained.is_finished());
    held.go.notify_one();
    assert_eq!(drained.join().unwrap(), Drained::Complete);
    let result = held.tasks.result::<u64>(id.as_str());
    assert_eq!(block_on(result.get(DEADLINE)).unwrap(), 7);
}

#[test]
fn what_lasts_beyond_the_stop_limit_runs_again_in_the_next_application() {
    let data = TempDir::new().unwrap();
    let first = held();
    let service = start_held(&first, data.path(), Duration::ZERO);
    let id = service.connect().post("/send", "").body;
    first.begun.recv_timeout(DEADLINE).expect("begins");
    assert_eq!(service.drain(), Drained::Complete);
    let result = first.tasks.result::<u64>(id.as_str());
    assert_eq!(block_on(result.state()).unwrap(), State::Pending);
    let second = held();
    let service = start_held(&second, data.path(), Duration::ZERO);
    second.begun.recv_timeout(DEADLINE).expect("begins again");
    assert_eq!(service.drain(), Drained::Complete);
}

#[test]
fn an_application_without_worker_runs_nothing() {
    let (data, held) = (TempDir::new().unwrap(), held());
    let on = on(data.path());
    let app = App::new("test")
        .route("/send", post(send_held))
        .with_state(held.task.clone())
        .with_tasks(held.tasks.clone());
    let service = start_with(app, |settings| {
        on(settings);
        settings.tasks.worker = false;
    });
    assert_eq!(service.connect().post("/send", "").status, 200);
    assert_eq!(service.drain(), Drained::Complete);
    assert!(held.begun.try_recv().is_err());
}

fn admin(service: &Service) -> Client {
    let address = service.running().admin_address();
    Client::connect(address.expect("an admin listener")).expect("connects")
}

#[test]
fn the_admin_listener_knows_whether_there_are_tasks() {
    let (data, tasks) = (TempDir::new().unwrap(), Tasks::new());
    let with = start_with(App::new("test").with_tasks(tasks), on(data.path()));
    let reply = admin(&with).get("/api/tasks");
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["tasks"], serde_json::json!([]));
    let unused = TempDir::new().unwrap();
    let without = start_with(App::new("test"), on(unused.path()));
    let reply = admin(&without).get("/api/tasks");
    assert_eq!(reply.status, 404);
    assert_eq!(reply.json()["detail"], "this application has no tasks");
    // Nor is there a store then.
    assert_eq!(std::fs::read_dir(unused.path()).unwrap().count(), 0);
}

#[test]
fn a_task_without_broker_is_an_error_of_the_server() {
    let tasks = Tasks::new();
    let task = tasks.register("sum", sum);
    let app = App::new("test").route("/run", get(run)).with_state(task);
    let reply = start(app).get("/run");
    assert_eq!(reply.status, 500);
    assert!(!reply.body.contains("broker"), "{}", reply.body);
}

#[track_caller]
fn assert_converts(problem: impl Into<Problem>, status: u16, words: &str, secret: &str) {
    let response = problem.into().into_response();
    assert_eq!(response.status(), status);
    let retry = response.headers().contains_key("retry-after");
    assert_eq!(retry, status == 503);
    let body = block_on(to_bytes(response.into_body(), 4_096)).expect("is there");
    let body = String::from_utf8(body.to_vec()).expect("text");
    assert!(body.contains(words), "{body:?} lacks {words:?}");
    assert!(!body.contains(secret), "{body:?} has {secret:?}");
}

#[test]
fn errors_of_tasks_are_problems_without_secrets() {
    let secret = "/srv/tasks.db";
    let unavailable = || BrokerError::Unavailable(format!("{secret} is full"));
    let broken = || BrokerError::Broken(format!("{secret} is damaged"));
    assert_converts(
        SendError::Broker(unavailable()),
        503,
        "try again later",
        secret,
    );
    assert_converts(SendError::Broker(broken()), 500, "urn:uuid:", secret);
    assert_converts(SendError::NotConnected, 500, "urn:uuid:", "connect");
    assert_converts(
        GetError::Broker(unavailable()),
        503,
        "try again later",
        secret,
    );
    assert_converts(
        GetError::NotConnected(SendError::NotConnected),
        500,
        "urn:uuid:",
        "connect",
    );
}

/// What became of a task that fails, is revoked, or is not ready in time.
async fn get_error(
    extract::State(held): extract::State<Task<(), u64>>,
    uri: siding::axum::http::Uri,
) -> Result<String, Problem> {
    let result = held.delay(()).await?;
    match uri.path() {
        "/timed-out" => Ok(result.get(Duration::ZERO).await?.to_string()),
        "/revoked" => {
            result.revoke(Revocation::Terminate).await?;
            Ok(result.get(DEADLINE).await?.to_string())
        }
        other => Ok(other.to_owned()),
    }
}

async fn failed(extract::State(task): extract::State<Task<(), u64>>) -> Result<String, Problem> {
    Ok(task.delay(()).await?.get(DEADLINE).await?.to_string())
}

#[test]
fn a_result_that_does_not_come_is_a_problem() {
    let (data, held) = (TempDir::new().unwrap(), held());
    let on_data = on(data.path());
    let fails = held
        .tasks
        .register("fails", || -> u64 { panic!("a secret") });
    let failing = App::new("failing")
        .route("/failed", get(failed))
        .with_state(fails);
    let app = App::new("test")
        .route("/timed-out", get(get_error))
        .route("/revoked", get(get_error))
        .with_state(held.task.clone())
        .merge(failing)
        .with_tasks(held.tasks.clone());
    let service = start_with(app, |settings| {
        on_data(settings);
        settings.tasks.stop_limit = Duration::ZERO;
    });
    let reply = service.get("/timed-out");
    assert_eq!(reply.status, 504);
    assert!(
        reply.body.contains("was not ready in time; it goes on"),
        "{}",
        reply.body
    );
    assert_eq!(service.get("/revoked").status, 410);
    let reply = service.get("/failed");
    assert_eq!(reply.status, 500);
    assert!(!reply.body.contains("secret"), "{}", reply.body);
    assert_eq!(service.drain(), Drained::Complete);
}
