//! Workers of both kinds on one queue, each told to end while it works.

use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;
use siding_tasks::ApplyAsync;

use super::marks::Marks;
use super::rust_worker::RustWorker;
use crate::fleet::{Fleet, Over, PythonWorker, SOON, args};

/// More than all workers run and hold together.
const TASKS: usize = 40;

/// Slots of each worker.
const SLOTS: usize = 2;

#[test]
fn workers_that_are_told_to_end_lose_nothing_on_redis() {
    Fleet::over(Over::Redis, "5.7", drain);
}

#[test]
fn workers_that_are_told_to_end_lose_nothing_over_rabbitmq() {
    Fleet::over(Over::RabbitMqAndRedis, "5.7", drain);
}

enum Worker {
    Python(PythonWorker),
    Rust(RustWorker),
}

/// A worker of each kind under its name.
async fn start(fleet: &Fleet, name: &str) -> Worker {
    match name.starts_with("python") {
        true => {
            let options = ["--pool=prefork", "--concurrency=2", "-n", name];
            Worker::Python(fleet.python_worker(&options).await)
        }
        false => Worker::Rust(RustWorker::start(&fleet.space, name)),
    }
}

impl Worker {
    /// Tells it to end, and waits until it has heard.
    async fn terminate(&mut self) {
        match self {
            Self::Python(worker) => {
                worker.terminate();
                worker.says("Warm shutdown").await;
            }
            Self::Rust(worker) => {
                worker.signal(Signal::TERM);
                worker.takes_no_more().await;
            }
        }
    }

    async fn ends_well(self) {
        let status = match self {
            Self::Python(worker) => worker.ended().await,
            Self::Rust(worker) => worker.ended().await,
        };
        assert_eq!(status.code(), Some(0), "{status}");
    }
}

/// Each ends by itself after what it runs, which counts, and the rest is there for others at once.
async fn drain(fleet: Arc<Fleet>) {
    let marks = Marks::of(&fleet.space);
    let names = [
        "python-1@test",
        "rust-1@test",
        "python-2@test",
        "rust-2@test",
    ];
    let mut workers = Vec::new();
    for name in names {
        workers.push((name, start(&fleet, name).await));
    }
    let early = send_early(&fleet).await;
    let mut sent = Vec::new();
    for number in 0..TASKS {
        sent.push(send(&fleet, number).await.unwrap());
    }
    everybody_works(&marks, &names).await;
    for (name, mut worker) in workers {
        worker.terminate().await;
        marks.let_go(name, SLOTS).await;
        worker.ends_well().await;
    }
    let ran = names.len() * SLOTS;
    let runs: u64 = marks.runs().await.values().sum();
    assert_eq!(runs, ran as u64, "others began meanwhile");
    assert_eq!(fleet.space.waiting("celery").await, TASKS - ran + early);
    let last = "rust-3@test";
    let mut worker = start(&fleet, last).await;
    marks.let_go(last, TASKS - ran).await;
    for (number, result) in sent.into_iter().enumerate() {
        assert_eq!(result.get(SOON).await.unwrap(), number);
    }
    worker.terminate().await;
    worker.ends_well().await;
    let runs = marks.runs().await;
    let once = runs.values().all(|times| *times == 1);
    assert!(runs.len() == TASKS && once, "{runs:?}");
    assert_eq!(fleet.space.waiting("celery").await, early);
    nothing_stays(&fleet, &marks).await;
}

/// Sends a task that a worker holds until its time comes, which it does not here. RabbitMQ would park it. Returns how many.
async fn send_early(fleet: &Fleet) -> usize {
    if fleet.space.over != Over::Redis {
        return 0;
    }
    let call = send(fleet, TASKS).countdown(Duration::from_secs(3_600));
    call.await.unwrap();
    1
}

fn send(fleet: &Fleet, number: usize) -> ApplyAsync<usize> {
    let arguments = args([json!(number)]);
    fleet.tasks.send_task("mixed.hold", arguments, [])
}

async fn nothing_stays(fleet: &Fleet, marks: &Marks) {
    marks.clear().await;
    fleet.broker.purge(None, 1).await.unwrap();
    assert_eq!(fleet.space.lasting_keys(), Vec::<String>::new());
}

/// Waits until the slots of all workers are taken.
async fn everybody_works(marks: &Marks, names: &[&str]) {
    let mut busy = Vec::new();
    while busy.len() < names.len() * SLOTS {
        busy.push(marks.began().await);
    }
    busy.sort();
    let mut all = [names, names].concat();
    all.sort_unstable();
    assert_eq!(busy, all);
}
