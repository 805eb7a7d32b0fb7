//! A future whose every poll the guard sees.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::here::enter;
use crate::context::WorkContext;

pin_project! {
    /// Wraps a future so that the guard sees each of its polls.
    #[derive(Debug)]
    pub(crate) struct Guarded<F> {
        context: WorkContext,
        #[pin]
        future: F,
    }
}

impl<F> Guarded<F> {
    /// Polls of `future` are accounted to `context`.
    pub(crate) fn new(context: WorkContext, future: F) -> Self {
        Self { context, future }
    }
}

impl<F: Future> Future for Guarded<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _entered = enter(*this.context);
        this.future.poll(cx)
    }
}
