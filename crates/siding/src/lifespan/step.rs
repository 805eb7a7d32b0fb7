//! The two colours of what opens, checks and closes resources.

use std::any::Any;
use std::future::Future;
use std::pin::Pin;

use tokio::sync::oneshot;

use super::error::{BoxError, chain};
use crate::handler::via;
use crate::respond::panic_message;

/// A future of a step.
type StepFuture<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

/// A function without arguments that opens a resource: an `async` one, or a plain one, which may block. There is no need to
/// implement this trait, or to name it; `M` is inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` opens no resource",
    label = "not a function without arguments that returns a `Result`",
    note = "it is a closure or function without arguments, `async` or plain, that returns `Result<T, E>`; `E` is an error, or a text"
)]
pub trait Opener<M>: Send + 'static {
    /// What it opens.
    type Resource: Send + 'static;

    /// Opens it.
    #[doc(hidden)]
    fn open(self) -> StepFuture<Self::Resource>;
}

#[diagnostic::do_not_recommend]
impl<F, Fut, T, E> Opener<via::Async> for F
where
    F: FnOnce() -> Fut + Send + 'static,
    Fut: Future<Output = Result<T, E>> + Send,
    T: Send + 'static,
    E: Into<BoxError>,
{
    type Resource = T;

    fn open(self) -> StepFuture<T> {
        Box::pin(async move { self().await.map_err(Into::into) })
    }
}

#[diagnostic::do_not_recommend]
impl<F, T, E> Opener<via::Plain> for F
where
    F: FnOnce() -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: Into<BoxError>,
{
    type Resource = T;

    fn open(self) -> StepFuture<T> {
        Box::pin(on_a_thread(move || self().map_err(Into::into)))
    }
}

/// A function that does something to an open resource `T`: an `async` one, or a plain one, which may block. There is no need to
/// implement this trait, or to name it; `M` is inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no step of a resource's life",
    label = "not a function of the resource",
    note = "it is a closure or function that takes the resource, a `{T}`, by value (a clone), `async` or plain, and returns nothing \
            or a `Result<(), E>`; `E` is an error, or a text"
)]
pub trait Step<M, T>: Send + 'static {
    /// Does it.
    #[doc(hidden)]
    fn take(self, resource: T) -> StepFuture<()>;
}

#[diagnostic::do_not_recommend]
impl<F, Fut, T> Step<via::Async, T> for F
where
    F: FnOnce(T) -> Fut + Send + 'static,
    Fut: Future<Output: Outcome> + Send,
    T: Send + 'static,
{
    fn take(self, resource: T) -> StepFuture<()> {
        Box::pin(async move { self(resource).await.into_result() })
    }
}

#[diagnostic::do_not_recommend]
impl<F, R, T> Step<via::Plain, T> for F
where
    F: FnOnce(T) -> R + Send + 'static,
    R: Outcome,
    T: Send + 'static,
{
    fn take(self, resource: T) -> StepFuture<()> {
        Box::pin(on_a_thread(move || self(resource).into_result()))
    }
}

/// What a step returns: nothing, or a `Result`.
pub trait Outcome {
    /// As a result.
    #[doc(hidden)]
    fn into_result(self) -> Result<(), Box<dyn std::error::Error + Send + Sync>>;
}

impl Outcome for () {
    fn into_result(self) -> Result<(), BoxError> {
        Ok(())
    }
}

impl<E: Into<BoxError>> Outcome for Result<(), E> {
    fn into_result(self) -> Result<(), BoxError> {
        self.map_err(Into::into)
    }
}

/// Runs a plain step on a thread of its own. It is not a lane's: a step must not wait for handlers, and handlers not for it.
/// A thread is made for each, since steps are rare.
async fn on_a_thread<T: Send + 'static>(
    step: impl FnOnce() -> Result<T, BoxError> + Send + 'static,
) -> Result<T, BoxError> {
    let (answer, answered) = oneshot::channel();
    let run = move || {
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(step));
        // Whoever asked may have given up.
        let _ = answer.send(caught.unwrap_or_else(|panic| Err(panicked(&*panic))));
    };
    std::thread::Builder::new()
        .name("siding-lifespan".to_owned())
        .spawn(run)?;
    answered.await?
}

/// What is said of a step that panicked.
pub(super) fn panicked(panic: &(dyn Any + Send)) -> BoxError {
    format!("it panicked: {}", panic_message(panic)).into()
}

/// A result whose error is text on one line.
pub(super) fn in_words(result: Result<(), BoxError>) -> Result<(), String> {
    result.map_err(|error| chain(&*error))
}
