//! An application with its store, its runtime, and workers that are started on demand.

use std::future::Future;
use std::sync::Arc;

use siding_runtime::{Builder, Runtime};
use siding_tasks::{Broker, Embedded, ManualClock, Tasks, Worker, WorkerError};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::support::{PATIENCE, START, settings};

pub(crate) struct App {
    pub(crate) tasks: Tasks,
    pub(crate) store: Arc<Embedded>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) runtime: Runtime,
    _dir: TempDir,
}

/// A worker that runs.
pub(crate) struct Running {
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Result<(), WorkerError>>,
}

impl Running {
    pub(crate) async fn stop(self) {
        // A worker that has ended by itself says why below.
        let _ = self.stop.send(());
        self.ended.await.unwrap().unwrap();
    }
}

impl App {
    pub(crate) fn new() -> Self {
        Self::with(|store| store, |builder| builder)
    }

    /// An application on a runtime with other settings.
    pub(crate) fn on(settings: impl FnOnce(Builder) -> Builder) -> Self {
        Self::with(|store| store, settings)
    }

    /// An application on a runtime with other settings, whose tasks see the store through `wrap`.
    pub(crate) fn with(
        wrap: impl FnOnce(Arc<dyn Broker>) -> Arc<dyn Broker>,
        runtime: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let dir = TempDir::new().unwrap();
        let clock = Arc::new(ManualClock::new(START));
        let store = Arc::new(Embedded::open(dir.path(), settings(&clock)).unwrap());
        let tasks = Tasks::with_clock(Arc::clone(&clock) as Arc<_>);
        tasks.connect(wrap(Arc::clone(&store) as Arc<dyn Broker>));
        let runtime = runtime(Builder::new().event_loop_threads(1))
            .build()
            .unwrap();
        Self {
            tasks,
            store,
            clock,
            runtime,
            _dir: dir,
        }
    }

    /// Runs `test`, which must end in time.
    pub(crate) fn run<F: Future>(&self, test: F) -> F::Output {
        self.runtime.block_on(async {
            tokio::time::timeout(PATIENCE, test)
                .await
                .expect("it hangs")
        })
    }

    pub(crate) fn worker(&self) -> Worker {
        self.tasks.worker().name("w1@test")
    }

    pub(crate) fn start(&self, worker: Worker) -> Running {
        let (stop, stopped) = oneshot::channel();
        let ended = self.runtime.handle().spawn(worker.run(async {
            // Whoever drops its end stops it too.
            let _ = stopped.await;
        }));
        Running { stop, ended }
    }

    /// Runs `test` beside a worker, which is stopped after it.
    pub(crate) fn serve<F: Future>(&self, test: F) -> F::Output {
        self.run(async {
            let worker = self.start(self.worker());
            let output = test.await;
            worker.stop().await;
            output
        })
    }
}
