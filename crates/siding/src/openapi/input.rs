//! What the arguments of handlers take of a request.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{
    ConnectInfo, Extension, Form, MatchedPath, OriginalUri, Path, Query, RawQuery, Request, State,
};
use axum::http::{HeaderMap, Method, StatusCode, Uri, Version};
use schemars::JsonSchema;
use serde_json::json;

use super::Operation;
use crate::BackgroundTasks;

/// An extractor that says what it takes of a request, and how it fails. axum's and Siding's say it; one of an application's own
/// says it like this:
///
/// ```
/// use siding::StatusCode;
/// use siding::openapi::{Input, Operation};
///
/// struct ApiKey;
///
/// impl Input for ApiKey {
///     fn describe(operation: &mut Operation<'_>) {
///         operation.header("x-api-key", "Who asks");
///         operation.problem(StatusCode::UNAUTHORIZED, "The key is missing or not known");
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what it takes of a request",
    label = "an argument that the document cannot describe",
    note = "what `Path`, `Query`, `Json` and `Form` hold takes `#[derive(JsonSchema)]`, from `siding::openapi::schemars`",
    note = "an extractor of your own implements `siding::openapi::Input`; without `described` the handler needs neither"
)]
pub trait Input {
    /// Describes it.
    fn describe(operation: &mut Operation<'_>);
}

/// What arrives late, or is too long.
fn body(operation: &mut Operation<'_>) {
    operation.problem(
        StatusCode::REQUEST_TIMEOUT,
        "The body did not arrive in time",
    );
    operation.problem(StatusCode::PAYLOAD_TOO_LARGE, "The body is too long");
}

fn invalid(operation: &mut Operation<'_>) {
    operation.problem(
        StatusCode::UNPROCESSABLE_ENTITY,
        "The request does not fit; `errors` has the places",
    );
}

fn media_type(operation: &mut Operation<'_>, name: &str) {
    let description = format!("The body is not declared as {name}");
    operation.problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, &description);
}

impl<T: JsonSchema> Input for Path<T> {
    fn describe(operation: &mut Operation<'_>) {
        operation.path::<T>();
        invalid(operation);
    }
}

impl<T: JsonSchema> Input for Query<T> {
    fn describe(operation: &mut Operation<'_>) {
        operation.query::<T>();
        invalid(operation);
    }
}

impl<T: JsonSchema> Input for Json<T> {
    fn describe(operation: &mut Operation<'_>) {
        operation.body::<T>("application/json");
        operation.problem(StatusCode::BAD_REQUEST, "The body is not JSON");
        media_type(operation, "application/json");
        body(operation);
        invalid(operation);
    }
}

/// In the query of methods that have no body, as axum takes it.
impl<T: JsonSchema> Input for Form<T> {
    fn describe(operation: &mut Operation<'_>) {
        const FORM: &str = "application/x-www-form-urlencoded";
        if matches!(operation.method(), "get" | "head") {
            operation.query::<T>();
        } else {
            operation.body::<T>(FORM);
            media_type(operation, FORM);
            body(operation);
        }
        invalid(operation);
    }
}

impl Input for Bytes {
    fn describe(operation: &mut Operation<'_>) {
        operation.raw_body("application/octet-stream", &json!({}));
        body(operation);
    }
}

impl Input for String {
    fn describe(operation: &mut Operation<'_>) {
        operation.raw_body("text/plain", &json!({"type": "string"}));
        operation.problem(StatusCode::BAD_REQUEST, "The body is not UTF-8");
        body(operation);
    }
}

impl Input for Request {
    fn describe(operation: &mut Operation<'_>) {
        if !matches!(operation.method(), "get" | "head") {
            operation.raw_body("*/*", &json!({}));
        }
    }
}

impl<T: Input> Input for Option<T> {
    fn describe(operation: &mut Operation<'_>) {
        operation.optional(T::describe);
    }
}

/// A handler that takes the rejection answers it itself; what it can be is described all the same.
impl<T: Input, E> Input for Result<T, E> {
    fn describe(operation: &mut Operation<'_>) {
        operation.optional(T::describe);
    }
}

/// The rules are those that `JsonSchema`'s derive reads from `#[garde(…)]` and `#[schemars(…)]`.
#[cfg(feature = "validate")]
impl<T: Input> Input for crate::extract::Valid<T> {
    fn describe(operation: &mut Operation<'_>) {
        T::describe(operation);
    }
}

/// Arguments that take nothing of which a client must know.
macro_rules! silent {
    ($([$($generic:ident)?] $ty:ty,)*) => {$(
        impl$(<$generic>)? Input for $ty {
            fn describe(_: &mut Operation<'_>) {}
        }
    )*};
}

silent!(
    [T] State<T>,
    [T] Extension<T>,
    [T] ConnectInfo<T>,
    [] BackgroundTasks,
    [] HeaderMap,
    [] MatchedPath,
    [] Method,
    [] OriginalUri,
    [] RawQuery,
    [] Uri,
    [] Version,
);
