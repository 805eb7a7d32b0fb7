//! Asking resources how they are, without asking too often or twice at the same time.
//!
//! # Protocol
//! 1. Whoever asks gets a receiver of the answer that is under way; if there is none, an answer younger than [`FRESH`]; if
//!    there is none either, it starts the check as a task of its own.
//! 2. The task always publishes an answer: its finding, or that it panicked. Only then may another be started. So a check that
//!    hangs is one task, however often `/ready` is asked.
//! 3. Whoever asks waits until the check limit. What has not answered then counts as failing for them; the task goes on.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use siding_runtime::{Handle, RouteId};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// An answer younger than this is given again, so that probes from many sides cost a resource one check a second.
const FRESH: Duration = Duration::from_secs(1);

type Asking = Pin<Box<dyn Future<Output = Finding> + Send>>;

/// How a resource was found: well, or why not.
pub(crate) type Finding = Result<(), String>;

/// The check of one resource.
#[derive(Clone)]
pub(crate) struct Check {
    name: Arc<str>,
    ask: Arc<dyn Fn() -> Asking + Send + Sync>,
    latest: Arc<Mutex<Option<Latest>>>,
    failing: Arc<AtomicBool>,
}

/// The latest time that a check was started.
struct Latest {
    started: Instant,
    answer: watch::Receiver<Option<Answered>>,
}

/// What a check found, and when.
#[derive(Clone)]
struct Answered {
    at: Instant,
    finding: Finding,
}

impl Check {
    /// A check of the resource of this name, which asks in this way.
    pub(crate) fn new(name: &str, ask: impl Fn() -> Asking + Send + Sync + 'static) -> Self {
        Self {
            name: name.into(),
            ask: Arc::new(ask),
            latest: Arc::default(),
            failing: Arc::default(),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Starts to ask, unless it is being asked or was a moment ago.
    pub(super) fn ask(&self, handle: &Handle) -> Answer {
        let mut latest = self.lock();
        let usable = latest.as_ref().filter(|latest| latest.usable());
        if let Some(latest) = usable {
            return latest.to_wait_for();
        }
        let (publish, answer) = watch::channel(None);
        let started = Latest {
            started: Instant::now(),
            answer,
        };
        let waiting = started.to_wait_for();
        *latest = Some(started);
        drop(latest);
        // A task within the task, because a panic of the check must be published too.
        let asking = handle.spawn_as(RouteId::BACKGROUND, (self.ask)());
        let check = self.clone();
        handle.spawn_as(RouteId::BACKGROUND, async move {
            let finding = asking.await.unwrap_or_else(|panic| Err(panic.to_string()));
            check.log(&finding);
            publish.send_replace(Some(Answered {
                at: Instant::now(),
                finding,
            }));
        });
        waiting
    }

    /// Writes to the log when a resource begins to fail, and when it has recovered.
    fn log(&self, finding: &Finding) {
        // Nothing else is published by it.
        let failed = self.failing.swap(finding.is_err(), Ordering::Relaxed);
        match finding {
            Err(why) if !failed => tracing::warn!("{} fails: {why}", self.name),
            Ok(()) if failed => tracing::info!("{} is well again", self.name),
            _ => {}
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Latest>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Latest {
    /// Whether its answer is under way, or new.
    fn usable(&self) -> bool {
        match &*self.answer.borrow() {
            None => self.answer.has_changed().is_ok(),
            Some(answered) => answered.at.elapsed() < FRESH,
        }
    }

    fn to_wait_for(&self) -> Answer {
        Answer {
            started: self.started,
            answer: self.answer.clone(),
        }
    }
}

/// An answer that is under way, or there.
pub(super) struct Answer {
    started: Instant,
    answer: watch::Receiver<Option<Answered>>,
}

impl Answer {
    /// Waits for it.
    pub(super) async fn within(mut self, deadline: Instant, limit: Duration) -> Finding {
        let waiting = self.answer.wait_for(Option::is_some);
        match timeout_at(deadline, waiting).await {
            Ok(Ok(answered)) => answered
                .as_ref()
                .map_or(Ok(()), |answered| answered.finding.clone()),
            Ok(Err(_)) => Err("the check was cancelled: the application stops".to_owned()),
            Err(_) => Err(format!(
                "no answer within {limit:?}; the check has been under way for {:.1?}",
                self.started.elapsed()
            )),
        }
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
