//! What the results of handlers answer.

use std::borrow::Cow;

use axum::Json;
use axum::body::Bytes;
use axum::extract::Form;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, NoContent, Redirect, Response};
use schemars::JsonSchema;
use serde_json::json;

use super::Operation;
use crate::respond::{Error, Problem, Status};

/// What a handler returns, and says of its answers. axum's types and Siding's say it; an error of an application's own says it
/// beside its meaning:
///
/// ```
/// use siding::StatusCode;
/// use siding::openapi::{Operation, Output};
///
/// enum AccountError {
///     Unknown,
///     OutOfCredit,
/// }
///
/// impl Output for AccountError {
///     fn describe(operation: &mut Operation<'_>) {
///         operation.problem(StatusCode::NOT_FOUND, "No account has this number");
///         operation.problem(StatusCode::FORBIDDEN, "The account has not enough credit");
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what it answers",
    label = "a result that the document cannot describe",
    note = "what `Json` holds takes `#[derive(JsonSchema)]`, from `siding::openapi::schemars`",
    note = "a type of your own implements `siding::openapi::Output`; instead of `impl IntoResponse` write the type",
    note = "without `described` the handler needs none of this"
)]
pub trait Output {
    /// Describes it.
    fn describe(operation: &mut Operation<'_>);
}

impl<T: JsonSchema> Output for Json<T> {
    fn describe(operation: &mut Operation<'_>) {
        operation.answer::<T>("application/json");
    }
}

impl<T: JsonSchema> Output for Form<T> {
    fn describe(operation: &mut Operation<'_>) {
        operation.answer::<T>("application/x-www-form-urlencoded");
    }
}

impl<T> Output for Html<T> {
    fn describe(operation: &mut Operation<'_>) {
        operation.raw_answer("text/html", &json!({"type": "string"}));
    }
}

impl Output for () {
    fn describe(operation: &mut Operation<'_>) {
        operation.empty_answer("Done");
    }
}

impl Output for NoContent {
    fn describe(operation: &mut Operation<'_>) {
        operation.with_status(StatusCode::NO_CONTENT, <()>::describe);
    }
}

impl Output for Redirect {
    fn describe(operation: &mut Operation<'_>) {
        operation.with_any_status(|operation| operation.empty_answer("Elsewhere"));
    }
}

/// The status is known where it runs only.
impl Output for StatusCode {
    fn describe(operation: &mut Operation<'_>) {
        operation.with_any_status(|operation| operation.empty_answer("The status says it all"));
    }
}

impl Output for Response {
    fn describe(operation: &mut Operation<'_>) {
        operation.with_any_status(|operation| operation.empty_answer("Not described"));
    }
}

impl<const CODE: u16, T: Output> Output for Status<CODE, T> {
    fn describe(operation: &mut Operation<'_>) {
        operation.with_status(Self::STATUS, T::describe);
    }
}

impl<T: Output, E: Output> Output for Result<T, E> {
    fn describe(operation: &mut Operation<'_>) {
        T::describe(operation);
        operation.with_any_status(E::describe);
    }
}

/// What it can be, [`Described::fails`](super::Described::fails) and [`Described::problem`](super::Described::problem) say: every
/// error becomes one by `?`.
impl Output for Error {
    fn describe(_: &mut Operation<'_>) {}
}

/// As [`Error`].
impl Output for Problem {
    fn describe(_: &mut Operation<'_>) {}
}

impl<T: Output> Output for (StatusCode, T) {
    fn describe(operation: &mut Operation<'_>) {
        operation.with_any_status(T::describe);
    }
}

impl<T: Output, H> Output for (StatusCode, H, T) {
    fn describe(operation: &mut Operation<'_>) {
        operation.with_any_status(T::describe);
    }
}

impl<T: Output> Output for (HeaderMap, T) {
    fn describe(operation: &mut Operation<'_>) {
        T::describe(operation);
    }
}

impl<T: Output, K, V, const N: usize> Output for ([(K, V); N], T) {
    fn describe(operation: &mut Operation<'_>) {
        T::describe(operation);
    }
}

macro_rules! raw {
    ($media_type:literal, $schema:expr, [$($ty:ty),*]) => {$(
        impl Output for $ty {
            fn describe(operation: &mut Operation<'_>) {
                operation.raw_answer($media_type, &$schema);
            }
        }
    )*};
}

raw!("text/plain", json!({"type": "string"}), [&'static str, String, Cow<'static, str>]);
raw!("application/octet-stream", json!({}), [&'static [u8], Vec<u8>, Bytes]);
