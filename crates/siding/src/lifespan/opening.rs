//! A resource that is about to be opened.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;

use super::ResourceError;
use super::checks::Check;
use super::error::BoxError;
use super::opened::{Close, Open, Resources};
use super::step::{Step, in_words};

/// A resource that is about to be opened; see [`Lifespan::open`](super::Lifespan::open). Awaiting it opens it.
#[must_use = "opens nothing unless it is awaited"]
pub struct Opening<T> {
    resources: Arc<Resources>,
    name: String,
    open: Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>,
    check: Option<MakeCheck<T>>,
    close: Option<MakeClose<T>>,
}

/// Makes the check of a resource, of this name, that is there.
type MakeCheck<T> = Box<dyn FnOnce(&T, &str) -> Check + Send>;

/// Makes what closes a resource that is there.
type MakeClose<T> = Box<dyn FnOnce(&T) -> Close + Send>;

impl<T: Send + 'static> Opening<T> {
    pub(super) fn new(
        resources: Arc<Resources>,
        name: String,
        open: Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>,
    ) -> Self {
        Self {
            resources,
            name,
            open,
            check: None,
            close: None,
        }
    }

    /// Has `/ready` ask with `check` how the resource is. It is given a clone; an error says that the resource cannot be used.
    ///
    /// It is cancelled by nobody: one that does not answer counts as failing until it does, and is not asked twice meanwhile.
    pub fn check<M, F>(mut self, check: F) -> Self
    where
        T: Clone + Sync,
        F: Step<M, T> + Clone + Sync,
    {
        self.check = Some(Box::new(|resource, name| {
            let resource = resource.clone();
            Check::new(name, move || {
                let asking = check.clone().take(resource.clone());
                Box::pin(async { in_words(asking.await) })
            })
        }));
        self
    }

    /// Closes the resource with `close` when the application has stopped, or does not start because another cannot be opened.
    /// It is given a clone. An error is logged.
    ///
    /// It is dropped at [`LifespanSettings::close_limit`](super::LifespanSettings::close_limit), or at the second signal.
    pub fn close<M, F>(mut self, close: F) -> Self
    where
        T: Clone,
        F: Step<M, T>,
    {
        self.close = Some(Box::new(|resource| {
            let resource = resource.clone();
            Box::new(|| Box::pin(async { in_words(close.take(resource).await) }))
        }));
        self
    }

    async fn run(self) -> Result<T, ResourceError> {
        let limit = self.resources.settings().open_limit;
        let opened = tokio::time::timeout(limit, self.open).await;
        let failed = |cause| ResourceError::of(&self.name, cause);
        let resource = opened
            .map_err(|_| failed(format!("it was not open within {limit:?}").into()))?
            .map_err(failed)?;
        self.resources.add(Open {
            check: self.check.map(|check| check(&resource, &self.name)),
            close: self.close.map(|close| close(&resource)),
            name: self.name,
        });
        Ok(resource)
    }
}

impl<T: Send + 'static> IntoFuture for Opening<T> {
    type Output = Result<T, ResourceError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<T> fmt::Debug for Opening<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
