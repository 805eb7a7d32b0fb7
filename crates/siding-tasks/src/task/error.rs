//! Why a task failed.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::message::Exception;

/// The module that errors of Rust tasks are said to be in, where Python asks for one.
const MODULE: &str = "siding";

/// Why a task failed, and whether it wants to be tried again.
///
/// Every [`std::error::Error`] becomes one by `?`. Its type's name and its text, causes included, are what the sender
/// of the task gets.
///
/// ```
/// use siding_tasks::TaskError;
///
/// fn fetch(url: String) -> Result<usize, TaskError> {
///     let port: u16 = url.rsplit(':').next().unwrap_or("").parse()?;
///     if port == 0 {
///         return Err(TaskError::new("the port is not known yet").retry());
///     }
///     Ok(usize::from(port))
/// }
/// # assert_eq!(fetch("x:7".to_owned()).unwrap(), 7);
/// # let error = fetch("x".to_owned()).unwrap_err();
/// # assert_eq!(error.type_name(), "ParseIntError");
/// ```
pub struct TaskError(Box<Parts>);

struct Parts {
    exception: Exception,
    source: Option<Box<dyn Error + Send + Sync>>,
    retry: Option<Retry>,
    traceback: Option<String>,
}

/// A wish to be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retry {
    /// When the task's options say.
    ByOptions,
    /// After so long.
    In(Duration),
}

impl TaskError {
    /// An error of type `TaskError` that says `message`.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self::of(MODULE, "TaskError", message.into())
    }

    pub(crate) fn of(module: &str, name: &str, message: String) -> Self {
        let exception = Exception {
            exc_type: name.to_owned(),
            exc_module: module.to_owned(),
            message,
        };
        Self::from_parts(exception, None, None)
    }

    /// The task gave up because its soft time limit had passed.
    #[must_use]
    pub fn soft_time_limit() -> Self {
        let message = "the soft time limit has passed".to_owned();
        Self::of("celery.exceptions", "SoftTimeLimitExceeded", message)
    }

    /// The same under another type's name, which the sender sees.
    #[must_use]
    pub fn named(mut self, type_name: impl Into<String>) -> Self {
        self.0.exception.exc_type = type_name.into();
        self
    }

    /// The same with the wish to be tried again, after the delay that the task's options say, as often as they say.
    #[must_use]
    pub fn retry(mut self) -> Self {
        self.0.retry = Some(Retry::ByOptions);
        self
    }

    /// The same with the wish to be tried again after `delay`, as often as the task's options say.
    #[must_use]
    pub fn retry_in(mut self, delay: Duration) -> Self {
        self.0.retry = Some(Retry::In(delay));
        self
    }

    /// The same with text on where it happened.
    #[must_use]
    pub fn with_traceback(mut self, traceback: impl Into<String>) -> Self {
        self.0.traceback = Some(traceback.into());
        self
    }

    /// The name of the error's type, without its path.
    #[must_use]
    pub fn type_name(&self) -> &str {
        &self.0.exception.exc_type
    }

    /// What it says, causes included.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.exception.message
    }

    /// The error of type `E` in this one or among its causes.
    #[must_use]
    pub fn find<E: Error + 'static>(&self) -> Option<&E> {
        let first = self
            .0
            .source
            .as_deref()
            .map(|error| error as &(dyn Error + 'static));
        std::iter::successors(first, |&error| error.source()).find_map(|error| error.downcast_ref())
    }

    pub(crate) fn wish(&self) -> Option<Retry> {
        self.0.retry
    }

    pub(crate) fn from_parts(
        exception: Exception,
        traceback: Option<String>,
        retry: Option<Retry>,
    ) -> Self {
        Self(Box::new(Parts {
            exception,
            source: None,
            retry,
            traceback,
        }))
    }

    pub(crate) fn into_parts(self) -> (Exception, Option<String>) {
        let parts = *self.0;
        (parts.exception, parts.traceback)
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for TaskError {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let causes = std::iter::successors(error.source(), |&error| error.source());
        for cause in causes {
            message.push_str(": ");
            message.push_str(&cause.to_string());
        }
        let mut whole = Self::of(MODULE, short_name::<E>(), message);
        whole.0.source = Some(Box::new(error));
        whole
    }
}

/// `app::errors::Timeout<u8>` is a `Timeout`.
fn short_name<T>() -> &'static str {
    let whole = std::any::type_name::<T>();
    let path = whole.split('<').next().unwrap_or(whole);
    path.rsplit("::").next().unwrap_or(path)
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.exception.message)
    }
}

impl fmt::Debug for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({:?})", self.type_name(), self.message())?;
        match self.0.retry {
            Some(retry) => write!(f, ", retry {retry:?}"),
            None => Ok(()),
        }
    }
}
