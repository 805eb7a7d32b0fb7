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
    ended: JoinHandle<()>,
}

/// How a worker stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Stopped {
    /// Its tasks have ended, or were given back.
    Complete,
    /// It was cut short.
    Cut,
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
            .stop_limit(settings.stop_limit)
            .unknown(settings.celery.unknown_tasks)
            .task_events(settings.celery.task_events)
            .remote_control(settings.celery.remote_control.clone());
        if let Some(concurrency) = settings.concurrency {
            worker = worker.concurrency(concurrency);
        }
        let run = worker.run(async {
            // A sender that is gone says the same as one that has spoken.
            let _ = told.await;
        });
        // Said at once: an application goes on to answer requests without its worker.
        let run = async { run.await.unwrap_or_else(|error| log(&error)) };
        let ended = handle.spawn_as(RouteId::BACKGROUND, run);
        Self { stop, ended }
    }

    /// Waits until it ends by itself, which it does only when its broker has failed for good. The log has said why.
    pub(super) async fn failed(&mut self) {
        if let Err(error) = (&mut self.ended).await {
            tracing::error!("the worker failed: {error}");
        }
    }

    /// Claims no more, and waits for what runs, as long as the stop limit says or until `cut_short`. What has not ended
    /// at the stop limit is given back at once; after a cut, it runs again when its lease has run out, at the latest.
    pub(super) async fn stop(self, cut_short: impl Future<Output = ()>) -> Stopped {
        let Self { stop, ended } = self;
        let abort = ended.abort_handle();
        // It may have ended already.
        let _ = stop.send(());
        tokio::select! {
            _ = ended => Stopped::Complete,
            () = cut_short => {
                abort.abort();
                Stopped::Cut
            }
        }
    }
}

fn log(error: &WorkerError) {
    match std::error::Error::source(error) {
        Some(source) => tracing::error!("the worker has ended: {error}: {source}"),
        None => tracing::error!("the worker has ended: {error}"),
    }
}
