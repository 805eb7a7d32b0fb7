//! The resources that are open, in their order.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use siding_runtime::{Handle, RouteId};
use tokio::time::{Instant, timeout_at};

use super::LifespanSettings;
use super::checks::{Check, Finding};

/// Closes a resource; the error says why it could not.
pub(super) type Close =
    Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send>;

/// A resource that is open.
pub(super) struct Open {
    pub(super) name: String,
    pub(super) check: Option<Check>,
    pub(super) close: Option<Close>,
}

/// The resources of an application that are open, oldest first.
pub(crate) struct Resources {
    open: Mutex<Vec<Open>>,
    #[cfg(feature = "inference")]
    upstreams: Mutex<Vec<crate::inference::Client>>,
    settings: LifespanSettings,
    handle: Option<Handle>,
}

/// How a resource is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Health {
    pub(crate) name: String,
    pub(crate) finding: Finding,
}

impl Resources {
    /// None yet. Checks and closing run on the runtime of `handle`; in a child process there is none, and neither happens.
    pub(crate) fn new(settings: LifespanSettings, handle: Option<Handle>) -> Self {
        Self {
            open: Mutex::new(Vec::new()),
            #[cfg(feature = "inference")]
            upstreams: Mutex::default(),
            settings,
            handle,
        }
    }

    pub(super) fn settings(&self) -> LifespanSettings {
        self.settings
    }

    pub(super) fn add(&self, open: Open) {
        tracing::info!("opened {}", open.name);
        self.lock().push(open);
    }

    /// Asks for something that is not the application's own in `/ready`, such as the broker.
    pub(crate) fn watch(&self, check: Check) {
        self.lock().push(Open {
            name: check.name().to_owned(),
            check: Some(check),
            close: None,
        });
    }

    /// Adds to the clients that are shown.
    #[cfg(feature = "inference")]
    pub(crate) fn add_upstream(&self, client: crate::inference::Client) {
        let mut upstreams = self
            .upstreams
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        upstreams.push(client);
    }

    /// The clients that are shown.
    #[cfg(feature = "inference")]
    pub(crate) fn upstreams(&self) -> Vec<crate::inference::Client> {
        let upstreams = self.upstreams.lock();
        upstreams.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks all that have a check how they are, at the same time.
    pub(crate) async fn health(&self) -> Vec<Health> {
        let Some(handle) = &self.handle else {
            return Vec::new();
        };
        let limit = self.settings.check_limit;
        let asked: Vec<_> = self
            .lock()
            .iter()
            .filter_map(|open| open.check.as_ref())
            .map(|check| (check.name().to_owned(), check.ask(handle)))
            .collect();
        let deadline = Instant::now() + limit;
        let mut health = Vec::with_capacity(asked.len());
        for (name, answer) in asked {
            let finding = answer.within(deadline, limit).await;
            health.push(Health { name, finding });
        }
        health
    }

    /// Closes all, the newest first, within the close limit. Returns how many had not closed then.
    pub(crate) async fn close(&self) -> usize {
        let deadline = Instant::now() + self.settings.close_limit;
        let mut unclosed = 0;
        while let Some(open) = self.pop() {
            let Some(close) = open.close else { continue };
            match self.close_one(&open.name, close, deadline).await {
                Closed::InTime => {}
                Closed::Late => unclosed += 1,
            }
        }
        unclosed
    }

    /// How many are left that should be closed.
    pub(crate) fn unclosed(&self) -> usize {
        let open = self.lock();
        open.iter().filter(|open| open.close.is_some()).count()
    }

    async fn close_one(&self, name: &str, close: Close, deadline: Instant) -> Closed {
        let Some(handle) = &self.handle else {
            return Closed::InTime;
        };
        // As a task, so that a panic ends nothing but it.
        let closing = handle.spawn_as(RouteId::BACKGROUND, close());
        let cancel = closing.abort_handle();
        match timeout_at(deadline, closing).await {
            Ok(Ok(Ok(()))) => tracing::info!("closed {name}"),
            Ok(Ok(Err(why))) => tracing::error!("failed to close {name}: {why}"),
            Ok(Err(panic)) => tracing::error!("failed to close {name}: {panic}"),
            Err(_) => {
                cancel.abort();
                let limit: Duration = self.settings.close_limit;
                tracing::warn!("{name} was not closed: closing took longer than {limit:?}");
                return Closed::Late;
            }
        }
        Closed::InTime
    }

    fn pop(&self) -> Option<Open> {
        self.lock().pop()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a resource was closed before the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closed {
    InTime,
    Late,
}

impl fmt::Debug for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.lock().iter().map(|open| open.name.clone()).collect();
        f.debug_struct("Resources")
            .field("open", &names)
            .finish_non_exhaustive()
    }
}
