//! What the document says of the errors of the resources, beside `errors.rs`, which answers them.

use siding::StatusCode;
use siding::openapi::{OpenApi, Operation, Output};

use crate::resources::cache::CacheError;
use crate::resources::documents::DocumentsError;
use crate::resources::external::ExternalError;
use crate::resources::files::FileError;
use crate::resources::predictor::PredictError;
use crate::resources::users::UsersError;

/// The document as a whole.
pub(crate) fn document() -> OpenApi {
    OpenApi::new("Siding's demo", env!("CARGO_PKG_VERSION"))
        .description("Every kind of handler, and the mistakes too: what `/bad…` does is wrong, and shows what becomes of it.")
        .tag("lanes", "Where handlers run")
        .tag("users", "A database, by an async and by a blocking client")
        .tag("external", "An HTTP service")
        .tag("cache", "Values that are kept for a while")
        .tag("file", "A file, replaced as a whole")
        .tag("documents", "MongoDB")
        .tag("predictions", "A model, in a process of its own")
        .tag("tasks", "Durable tasks, and work in the background")
}

/// A service in the back that does not answer.
fn away(operation: &mut Operation<'_>) {
    operation.problem(
        StatusCode::SERVICE_UNAVAILABLE,
        "What it is kept in does not answer at the moment, or is not set",
    );
}

impl Output for UsersError {
    fn describe(operation: &mut Operation<'_>) {
        away(operation);
    }
}

impl Output for CacheError {
    fn describe(operation: &mut Operation<'_>) {
        away(operation);
    }
}

impl Output for DocumentsError {
    fn describe(operation: &mut Operation<'_>) {
        away(operation);
    }
}

impl Output for FileError {
    fn describe(operation: &mut Operation<'_>) {
        operation.problem(StatusCode::NOT_FOUND, "The file is not there yet");
    }
}

impl Output for PredictError {
    fn describe(operation: &mut Operation<'_>) {
        operation.problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "The inference service is not available, or has too much to do",
        );
        operation.problem(
            StatusCode::BAD_GATEWAY,
            "The inference service answered with an error",
        );
        operation.problem(
            StatusCode::GATEWAY_TIMEOUT,
            "The inference service did not answer in time",
        );
    }
}

impl Output for ExternalError {
    fn describe(operation: &mut Operation<'_>) {
        operation.problem(
            StatusCode::BAD_GATEWAY,
            "The service cannot be reached, or fails",
        );
        operation.problem(
            StatusCode::GATEWAY_TIMEOUT,
            "The service did not answer in time",
        );
    }
}
