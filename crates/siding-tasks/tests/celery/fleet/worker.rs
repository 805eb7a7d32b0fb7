//! A Python worker.

use std::path::Path;
use std::process::ExitStatus;

use rustix::process::Signal;

use super::process::Process;
use super::{SOON, Space};

/// A `celery worker`. It is killed when this is dropped.
pub(crate) struct PythonWorker(Process);

impl PythonWorker {
    pub(super) async fn start(python: &Path, space: &Space, options: &[&str]) -> Self {
        let alone = ["--without-gossip", "--without-mingle"];
        let options: Vec<_> = alone.iter().chain(options).copied().collect();
        Self::start_sociable(python, space, &options).await
    }

    /// One that talks to other workers.
    pub(super) async fn start_sociable(python: &Path, space: &Space, options: &[&str]) -> Self {
        let mut arguments = vec!["-m", "celery", "-A", "app", "worker", "--loglevel=INFO"];
        arguments.extend(options);
        let mut process = Process::start_with(python, space, "worker", &arguments);
        let ready = process.hear(|line| line.trim_end().ends_with(" ready.").then_some(()));
        tokio::time::timeout(SOON, ready)
            .await
            .expect("the worker does not get ready");
        Self(process)
    }

    /// Waits until its log has a line that contains `text`, from now on.
    pub(crate) async fn says(&mut self, text: &str) -> String {
        let said = self
            .0
            .hear(|line| line.contains(text).then(|| line.to_owned()));
        tokio::time::timeout(SOON, said)
            .await
            .unwrap_or_else(|_| panic!("the worker does not say {text:?}"))
    }

    /// Tells it to end after what it runs.
    pub(crate) fn terminate(&self) {
        self.0.signal(Signal::TERM);
    }

    /// How it ended, once it has.
    pub(crate) async fn ended(mut self) -> ExitStatus {
        self.0.ended().await
    }

    /// All that it has logged.
    pub(crate) fn log(&self) -> String {
        self.0.log()
    }
}
