//! What tasks return.

use serde::Serialize;

use super::{Ended, TaskError, via};
use crate::message::RawJson;

/// What a task may return: a value that serde can write, or a `Result` of one.
///
/// An error that serde can write too makes a `Result` both, and the compiler asks for type annotations: turn it into a
/// [`TaskError`] with `map_err(TaskError::from)`.
///
/// # About type parameter `M`
///
/// It is there so that values and `Result`s do not overlap; the compiler infers it.
#[diagnostic::on_unimplemented(
    message = "a task cannot return `{Self}`",
    label = "neither `Serialize` nor a `Result` of it",
    note = "an error implements `std::error::Error`, or is a `TaskError`"
)]
pub trait Outcome<M>: Send + 'static {
    /// What `AsyncResult::get` yields.
    type Value;

    #[doc(hidden)]
    fn end(self) -> Ended;

    /// Whether this is a `Result` that would be taken for a value.
    #[doc(hidden)]
    #[must_use]
    fn hides_errors() -> bool {
        false
    }
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + Send + 'static> Outcome<via::Value> for T {
    type Value = T;

    fn end(self) -> Ended {
        write(&self)
    }

    fn hides_errors() -> bool {
        std::any::type_name::<T>().starts_with("core::result::Result<")
    }
}

#[diagnostic::do_not_recommend]
impl<T, E> Outcome<via::Fallible> for Result<T, E>
where
    T: Serialize + Send + 'static,
    E: Into<TaskError> + Send + 'static,
{
    type Value = T;

    fn end(self) -> Ended {
        write(&self.map_err(Into::into)?)
    }
}

fn write<T: Serialize>(value: &T) -> Ended {
    RawJson::of(value).map_err(|error| {
        let message = format!("the result has no form in JSON: {error}");
        TaskError::of("builtins", "TypeError", message)
    })
}
