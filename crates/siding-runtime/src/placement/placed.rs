//! A future that runs where its route belongs.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::route::Route;
use crate::context::WorkContext;
use crate::guard;
use crate::lane::JobError;

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The future of [`Route::place`]. Dropping it cancels the work, on whatever lane it is.
pub struct Placed<T> {
    route: Arc<Route>,
    context: WorkContext,
    future: BoxFuture<T>,
}

impl<T> Placed<T> {
    pub(super) fn new(route: Arc<Route>, context: WorkContext, future: BoxFuture<T>) -> Self {
        Self {
            route,
            context,
            future,
        }
    }
}

impl<T> Future for Placed<T> {
    type Output = Result<T, JobError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let _entered = guard::enter(self.context);
        self.future.as_mut().poll(cx).map(Ok)
    }
}

impl<T> std::fmt::Debug for Placed<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Placed")
            .field("route", &self.route.spec().name)
            .finish_non_exhaustive()
    }
}
