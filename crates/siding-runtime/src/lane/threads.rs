//! stub
use super::{Job, JobError, LaneKind, LaneSnapshot};
use crate::config::ThreadsConfig;
use crate::context::WorkContext;
use crate::event::Observers;
use crate::guard;

/// stub
#[derive(Clone, Debug)]
pub struct Threads {
    config: ThreadsConfig,
}
impl Threads {
    pub(crate) fn new(
        config: ThreadsConfig,
        _observers: Observers,
        _start: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        Self { config }
    }
    /// stub
    pub fn run<F, R>(&self, context: WorkContext, f: F) -> Job<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        let (tx, rx) = tokio::sync::oneshot::channel();

        std::thread::spawn(move || {
            let entered = guard::enter(context);
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).map_err(|_| {
                JobError::Panicked {
                    lane: LaneKind::Threads,
                    message: String::new(),
                }
            });
            drop(entered);
            let _ = tx.send(result);
        });
        Job {
            lane: LaneKind::Threads,
            receiver: rx,
        }
    }
    pub(crate) fn resume(&self, context: WorkContext, f: impl FnOnce() + Send + 'static) {
        drop(self.run(context, f));
    }
    /// stub
    #[must_use]
    pub fn snapshot(&self) -> LaneSnapshot {
        LaneSnapshot {
            lane: LaneKind::Threads,
            threads: 0,
            threads_max: self.config.threads_max,
            running: 0,
            waiting: 0,
            waiting_max: 0,
            overloaded: false,
            admitted: 0,
            completed: 0,
            refused: 0,
            deadline_passed: 0,
            client_gone: 0,
            panicked: 0,
            service_time: std::time::Duration::ZERO,
        }
    }
    pub(crate) fn shut_down(&self, _limit: std::time::Duration) {}
}
