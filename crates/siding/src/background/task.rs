//! What may run in the background: closures and futures, told apart by their types.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use siding_runtime::Kind;

use crate::handler::{Declaration, via};

/// Why a piece of background work failed.
pub type Failure = Box<dyn Error + Send + Sync>;

pub(super) type Call = Box<dyn FnOnce() -> Result<(), Failure> + Send>;
pub(super) type Task = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>>;

/// What [`BackgroundTasks::add`](super::BackgroundTasks::add) takes: a plain closure, a future, an `async` closure, or
/// one of them inside [`compute`](crate::compute), [`threads`](crate::threads) or [`pinned`](crate::pinned). There is no
/// need to implement this trait, or to name it.
///
/// # About type parameter `M`
///
/// You should not need to worry about `M`. It is there so that the implementations for closures and futures do not
/// overlap; the compiler infers it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not background work",
    label = "not a closure without arguments or a future that is `Send` and returns nothing or a `Result`",
    note = "background work is a closure, a future or an `async` closure; it is `Send` and owns what it uses (`move`)",
    note = "it returns nothing, or a `Result` whose error converts into `Box<dyn Error + Send + Sync>`"
)]
pub trait BackgroundTask<M>: Send + 'static {
    /// What it is and where it is meant to run.
    fn declaration() -> Declaration;

    /// Its uniform form.
    fn into_work(self) -> Work;
}

/// What background work may return: nothing, or a `Result` whose error is logged.
#[diagnostic::on_unimplemented(
    message = "background work may not return `{Self}`",
    note = "it returns nothing, or a `Result` whose error converts into `Box<dyn Error + Send + Sync>`"
)]
pub trait Outcome {
    /// What is logged of it.
    ///
    /// # Errors
    /// When the work failed.
    fn into_result(self) -> Result<(), Failure>;
}

impl Outcome for () {
    fn into_result(self) -> Result<(), Failure> {
        Ok(())
    }
}

impl<T, E> Outcome for Result<T, E>
where
    E: Into<Failure>,
{
    fn into_result(self) -> Result<(), Failure> {
        self.map(drop).map_err(Into::into)
    }
}

/// Background work in its uniform form.
///
/// It stays where it is while a lane is asked to run it, because a lane drops what it refuses. Its mutex is never
/// contended: one lane at a time is asked.
pub struct Work(pub(super) Form);

#[derive(Clone)]
pub(super) enum Form {
    /// A plain closure, until it is called.
    Call(Arc<Mutex<Option<Call>>>),
    /// A future.
    Task(Arc<Mutex<Task>>),
}

impl Work {
    fn call(f: impl FnOnce() -> Result<(), Failure> + Send + 'static) -> Self {
        Self(Form::Call(Arc::new(Mutex::new(Some(Box::new(f))))))
    }

    fn task(future: impl Future<Output = Result<(), Failure>> + Send + 'static) -> Self {
        Self(Form::Task(Arc::new(Mutex::new(Box::pin(future)))))
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = match self.0 {
            Form::Call(_) => "a closure",
            Form::Task(_) => "a future",
        };
        f.debug_tuple("Work").field(&form).finish()
    }
}

#[diagnostic::do_not_recommend]
impl<F, R> BackgroundTask<via::Plain> for F
where
    F: FnOnce() -> R + Send + 'static,
    R: Outcome,
{
    fn declaration() -> Declaration {
        Declaration::of(Kind::Plain)
    }

    fn into_work(self) -> Work {
        Work::call(move || self().into_result())
    }
}

#[diagnostic::do_not_recommend]
impl<F, Fut> BackgroundTask<via::Async> for F
where
    F: FnOnce() -> Fut + Send + 'static,
    Fut: Future<Output: Outcome> + Send,
{
    fn declaration() -> Declaration {
        Declaration::of(Kind::Async)
    }

    fn into_work(self) -> Work {
        Work::task(async move { self().await.into_result() })
    }
}

#[diagnostic::do_not_recommend]
impl<F> BackgroundTask<via::Future> for F
where
    F: Future<Output: Outcome> + Send + 'static,
{
    fn declaration() -> Declaration {
        Declaration::of(Kind::Async)
    }

    fn into_work(self) -> Work {
        Work::task(async move { self.await.into_result() })
    }
}
