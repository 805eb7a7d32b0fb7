//! Remote control. What is expected was answered by a worker of Celery 5.7.

mod about;
mod limits;
mod listening;
mod requests;
mod revoke;

use std::future::Future;
use std::sync::Arc;

use serde_json::Value;
use siding_runtime::Builder;
use siding_tasks::{Message, RawJson, Tasks, Worker};

use super::scripted::{Heard, Scripted};
use super::wire::{Watcher, Wire};
use crate::support::PATIENCE;

/// What a test sees of a worker: its broker from inside, and its remote control.
pub(super) struct Station {
    pub(super) broker: Arc<Scripted>,
    pub(super) heard: Heard,
    pub(super) watcher: Watcher,
}

impl Station {
    /// Asks, and checks the answer.
    #[track_caller]
    pub(super) fn check<'a>(
        &'a mut self,
        method: &'a str,
        arguments: Value,
        expected: Value,
    ) -> impl Future<Output = ()> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            let answer = self.watcher.ask(method, &arguments).await;
            assert_eq!(answer, expected, "{method} {arguments} at {caller}");
        }
    }

    /// Waits until the worker says so of a task that it holds; of an active one, until its function has begun.
    pub(super) async fn until(&mut self, message: &Message, stage: &str) {
        let arguments = serde_json::json!({"ids": [message.id]});
        loop {
            let answer = self.watcher.ask("query_task", &arguments).await;
            let found = &answer[message.id.as_str()];
            let has_begun = !found[1]["time_start"].is_null();
            if found[0] == stage && has_begun == (stage == "active") {
                return;
            }
            tokio::task::yield_now().await;
        }
    }
}

/// Runs `test` beside a worker of `settings`, which stops when the test has ended.
pub(super) fn steer<F: Future>(
    tasks: &Tasks,
    settings: impl FnOnce(Worker) -> Worker,
    test: impl FnOnce(Station) -> F,
) {
    let (wire, watcher) = Wire::new();
    let (broker, heard) = Scripted::new(Some(wire));
    tasks.connect(Arc::clone(&broker) as Arc<_>);
    let runtime = Builder::new().event_loop_threads(1).build().unwrap();
    let worker = settings(tasks.worker().name("w1@test"));
    runtime.block_on(async {
        let test = test(Station {
            broker,
            heard,
            watcher,
        });
        let test = async {
            drop(
                tokio::time::timeout(PATIENCE, test)
                    .await
                    .expect("it hangs"),
            )
        };
        worker
            .stop_limit(std::time::Duration::ZERO)
            .run(test)
            .await
            .unwrap();
    });
}

pub(super) fn message(task: &str) -> Message {
    Message {
        args: vec![RawJson::parse("2".to_owned()).unwrap()],
        ..Message::new(task)
    }
}

/// Tasks that return at once, and never.
pub(super) fn tasks() -> Tasks {
    let tasks = Tasks::new();
    tasks.register("double", async |x: u32| x * 2);
    tasks.register("endless", async |_: u32| std::future::pending::<()>().await);
    tasks
}
