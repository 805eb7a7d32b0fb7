//! A call with typed result.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use serde::de::DeserializeOwned;

use super::core::Answer;
use super::error::{CallError, FunctionError, FunctionErrorKind};
use crate::lane::Job;

/// The future of [`Processes::run`](super::Processes::run). The call is on its way whether or not it is polled; dropping
/// it cancels the call, and kills the child if it runs there.
#[must_use = "a call whose future is dropped is cancelled"]
pub struct Call<R> {
    name: String,
    job: Job<Answer>,
    result: PhantomData<fn() -> R>,
}

impl<R> Call<R> {
    pub(super) fn new(name: &str, job: Job<Answer>) -> Self {
        Self {
            name: name.to_owned(),
            job,
            result: PhantomData,
        }
    }
}

impl<R: DeserializeOwned> Future for Call<R> {
    type Output = Result<R, CallError>;

    /// # Panics
    /// When polled again after it was ready.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let result = ready!(Pin::new(&mut self.job).poll(cx))??;
        let decoded = serde_json::from_slice(&result).map_err(|error| {
            FunctionError::new(&self.name, FunctionErrorKind::Result(error.to_string())).into()
        });
        Poll::Ready(decoded)
    }
}

impl<R> fmt::Debug for Call<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
