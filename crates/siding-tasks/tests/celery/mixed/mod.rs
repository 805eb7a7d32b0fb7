//! Workers of both kinds on one queue, killed at random.

mod chords;
mod drain;
mod marks;
pub(crate) mod rust_worker;
mod stopped;
mod unknown;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use siding_tasks::{AsyncResult, RedisSettings, State};

use crate::fleet::{Fleet, PythonWorker, Space, args};
use rust_worker::RustWorker;

/// In each round so many tasks are sent, and a worker is killed once so many of them have ended.
const TASKS: usize = 120;
const ENDED: usize = 20;
const ROUNDS: usize = 6;

/// When a task that is nowhere to be found is sent again.
const RESEND: Duration = Duration::from_secs(3);

enum Worker {
    Python(PythonWorker),
    Rust(RustWorker),
}

#[derive(Clone, Copy)]
enum Kind {
    Python,
    Rust,
}

impl Kind {
    async fn start(self, fleet: &Fleet) -> Worker {
        match self {
            // One that loses as little as it can: it takes one message a process, and acknowledges it after the task.
            Self::Python => {
                let options = ["--pool=prefork", "--concurrency=2"];
                Worker::Python(fleet.python_worker(&options).await)
            }
            Self::Rust => Worker::Rust(RustWorker::start(&fleet.space, "rust@test")),
        }
    }
}

impl Worker {
    /// Kills it, and says what kind it was.
    fn kill(self) -> Kind {
        match self {
            Self::Python(worker) => {
                drop(worker);
                Kind::Python
            }
            Self::Rust(worker) => {
                drop(worker);
                Kind::Rust
            }
        }
    }
}

/// What is lost is found soon, and Python loses as little as it can.
fn short_timeouts(space: &mut Space) {
    impatient(&mut space.settings);
    space.celery = json!({
        "task_acks_late": true,
        "task_reject_on_worker_lost": true,
        "worker_prefetch_multiplier": 1,
    });
}

fn impatient(settings: &mut RedisSettings) {
    settings.visibility_timeout = Duration::from_secs(6);
    // What kombu loses between its two steps.
    settings.resend_lost = Some(RESEND);
}

/// Both kinds are killed, with everything that they hold; what they held is found by whoever is left.
#[test]
fn workers_that_are_killed_lose_nothing() {
    Fleet::in_space("5.7", short_timeouts, |fleet| async move {
        let mut workers = Vec::new();
        for kind in [Kind::Python, Kind::Rust, Kind::Rust] {
            workers.push(kind.start(&fleet).await);
        }
        let (mut sent, mut ended) = (Vec::new(), BTreeSet::new());
        for _ in 0..ROUNDS {
            for _ in 0..TASKS {
                let arguments = args([json!(sent.len()), json!(1)]);
                sent.push(
                    fleet
                        .tasks
                        .send_task::<usize>("app.add", arguments, [])
                        .await
                        .unwrap(),
                );
            }
            let enough = sent.len() - TASKS + ENDED;
            look_until(enough, &sent, &mut ended).await;
            let victim = workers.remove(0);
            let again = victim.kill();
            workers.push(again.start(&fleet).await);
        }
        look_until(sent.len(), &sent, &mut ended).await;
        for worker in workers {
            worker.kill();
        }
        nothing_is_left(&fleet);
    });
}

async fn look_until(enough: usize, sent: &[AsyncResult<usize>], ended: &mut BTreeSet<usize>) {
    while ended.len() < enough {
        look(sent, ended).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Notes which have ended, all of them well.
async fn look(sent: &[AsyncResult<usize>], ended: &mut BTreeSet<usize>) {
    for (number, result) in sent.iter().enumerate() {
        if ended.contains(&number) {
            continue;
        }
        if let Some(meta) = result.meta().await.unwrap() {
            assert_eq!(meta.state, State::Success, "{meta:?}");
            let value: usize = meta.result.unwrap().read().unwrap();
            assert_eq!(value, number + 1);
            ended.insert(number);
        }
    }
}

/// But for copies of tasks that had ended when their worker was killed: they wait to run once more, or are noted.
fn nothing_is_left(fleet: &Arc<Fleet>) {
    let known = [
        "unacked",
        "unacked_index",
        "siding.leases",
        "siding.sent_texts",
        "siding.sent_looks",
        "celery",
    ];
    let mut stray = fleet.space.lasting_keys();
    stray.retain(|key| !known.contains(&key.rsplit(':').next().unwrap_or(key)));
    assert_eq!(stray, Vec::<String>::new());
}
