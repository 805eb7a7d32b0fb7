//! A queue that Siding and Celery share: clients and workers of both kinds, in a namespace of their own.

#![expect(
    clippy::print_stderr,
    reason = "what a Python process said, where it says why a test fails"
)]

mod client;
mod over;
mod process;
mod space;
mod worker;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use siding_runtime::{Builder, Runtime};
use siding_tasks::{Broker, Tasks, Worker, WorkerError};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) use client::Client;
pub(crate) use over::{Over, connect};
pub(crate) use process::Process;
pub(crate) use space::{REDIS, Space, python};
pub(crate) use worker::PythonWorker;

/// No test takes this long unless something is broken.
const PATIENCE: Duration = Duration::from_secs(100);

/// Nothing that a test waits for takes this long unless something is broken.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// What a test has: Siding's tasks, connected, and the means to start everything else.
pub(crate) struct Fleet {
    pub(crate) tasks: Tasks,
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) space: Space,
}

impl Fleet {
    /// Runs `test` beside Celery of `version`, or says why not.
    pub(crate) fn on_redis<F: Future<Output = ()>>(
        version: &str,
        test: impl FnOnce(Arc<Self>) -> F,
    ) {
        Self::in_space(version, |_| {}, test);
    }

    /// The same with other settings.
    pub(crate) fn in_space<F: Future<Output = ()>>(
        version: &str,
        settings: impl FnOnce(&mut Space),
        test: impl FnOnce(Arc<Self>) -> F,
    ) {
        Self::open(version, Over::Redis, settings, test);
    }

    /// The same over something else than Redis.
    pub(crate) fn over<F: Future<Output = ()>>(
        over: Over,
        version: &str,
        test: impl FnOnce(Arc<Self>) -> F,
    ) {
        Self::open(version, over, |_| {}, test);
    }

    /// The same with other settings.
    pub(crate) fn open<F: Future<Output = ()>>(
        version: &str,
        over: Over,
        settings: impl FnOnce(&mut Space),
        test: impl FnOnce(Arc<Self>) -> F,
    ) {
        let mut space = match Space::open(version, over) {
            Ok(space) => space,
            Err(reason) => return crate::redis::support::leave_out(&reason),
        };
        settings(&mut space);
        let runtime: Runtime = Builder::new().event_loop_threads(1).build().unwrap();
        runtime.block_on(async {
            let broker = space.connect().await;
            let tasks = Tasks::new();
            tasks.connect(Arc::clone(&broker));
            let fleet = Arc::new(Self {
                tasks,
                broker,
                space,
            });
            tokio::time::timeout(PATIENCE, test(fleet))
                .await
                .expect("the test hangs");
        });
    }

    /// A Python process that runs scripts.
    pub(crate) fn client(&self) -> Client {
        Client::start(&self.space)
    }

    /// A Python worker of the queue `celery` that is ready; `options` are those of `celery worker`.
    pub(crate) async fn python_worker(&self, options: &[&str]) -> PythonWorker {
        PythonWorker::start(&self.space.python, &self.space, options).await
    }

    /// The same, but it greets other workers when it starts, and listens to them.
    pub(crate) async fn sociable_python_worker(&self, options: &[&str]) -> PythonWorker {
        PythonWorker::start_sociable(&self.space.python, &self.space, options).await
    }

    /// A Python worker of another version of Celery than the fleet's.
    pub(crate) async fn python_worker_of(&self, version: &str, options: &[&str]) -> PythonWorker {
        // Both were made together.
        PythonWorker::start(&python(version).unwrap(), &self.space, options).await
    }

    /// Any other Python process.
    pub(crate) fn python(&self, arguments: &[&str]) -> Process {
        Process::start(&self.space, "client", arguments)
    }

    /// A Siding worker of the queue `rust`.
    pub(crate) fn worker(&self) -> Worker {
        self.tasks.worker().name("rust@test").queues(["rust"])
    }
}

/// A Siding worker that runs.
pub(crate) struct Running {
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Result<(), WorkerError>>,
}

impl Running {
    pub(crate) fn start(worker: Worker) -> Self {
        let (stop, stopped) = oneshot::channel();
        let ended = siding_runtime::spawn(worker.run(async {
            // Whoever drops its end stops it too.
            let _ = stopped.await;
        }));
        Self { stop, ended }
    }

    pub(crate) async fn stop(self) {
        // A worker that has ended by itself says why below.
        let _ = self.stop.send(());
        self.ended.await.unwrap().unwrap();
    }
}

/// `value` as an argument.
pub(crate) fn raw(value: impl serde::Serialize) -> siding_tasks::RawJson {
    siding_tasks::RawJson::of(&value).unwrap()
}

/// Arguments by position.
pub(crate) fn args<const N: usize>(values: [Value; N]) -> Vec<siding_tasks::RawJson> {
    values.into_iter().map(raw).collect()
}
