//! The worker of an application: beside its server, or alone.

use siding_runtime::{Handle, RouteId};
use siding_tasks::{Tasks, WorkerError};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::settings::TaskSettings;

/// A worker that runs on the application's runtime.
#[derive(Debug)]
pub(super) struct Worker {
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Result<(), WorkerError>>,
}

impl Worker {
    /// Starts to run `tasks`.
    pub(super) fn start(
        tasks: &Tasks,
        name: &str,
        settings: &TaskSettings,
        handle: &Handle,
    ) -> Self {
        let (stop, told) = oneshot::channel();
        let mut worker = tasks
            .worker()
            .name(format!("{name}-{}", std::process::id()))
            .queues(settings.queues.clone())
            .stop_limit(settings.stop_limit);
        if let Some(concurrency) = settings.concurrency {
            worker = worker.concurrency(concurrency);
        }
        let run = worker.run(async {
            // A sender that is gone says the same as one that has spoken.
            let _ = told.await;
        });
        let ended = handle.spawn_as(RouteId::BACKGROUND, run);
        Self { stop, ended }
    }

    /// Waits until it ends by itself, which it does only when its broker has failed for good, and says why.
    pub(super) async fn failed(&mut self) -> String {
        match (&mut self.ended).await {
            Ok(Ok(())) => "the worker has ended".to_owned(),
            Ok(Err(error)) => explain(&error),
            Err(error) => format!("the worker failed: {error}"),
        }
    }

    /// Claims no more, and waits for what runs, as long as the stop limit says or until `cut_short`. What has not ended
    /// at the stop limit is given back at once; after a cut, it is found when its lease runs out.
    pub(super) async fn stop(self, cut_short: impl Future<Output = ()>) {
        let Self { stop, ended } = self;
        let abort = ended.abort_handle();
        // It may have ended already.
        let _ = stop.send(());
        tokio::select! {
            ended = ended => log_failure(ended.ok().and_then(Result::err)),
            () = cut_short => abort.abort(),
        }
    }
}

fn log_failure(error: Option<WorkerError>) {
    if let Some(error) = error {
        tracing::error!("{}", explain(&error));
    }
}

fn explain(error: &WorkerError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("the worker failed: {error}: {source}"),
        None => format!("the worker failed: {error}"),
    }
}
