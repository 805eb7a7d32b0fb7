//! The one place where errors of the resources become what a client is told. Addresses and causes go to the log.

use std::time::Duration;

use siding::{App, Problem, StatusCode};

use crate::resources::cache::CacheError;
use crate::resources::documents::DocumentsError;
use crate::resources::external::{ExternalError, ExternalErrorKind};
use crate::resources::files::{CONTENT_BYTES_MAX, FileError};
use crate::resources::users::UsersError;

/// When to ask again for what a service in the back cannot give at the moment.
const RETRY: Duration = Duration::from_secs(5);

/// Says what is answered to the errors of each resource.
pub(crate) fn answered(app: App) -> App {
    app.on_error(users)
        .on_error(external)
        .on_error(cache)
        .on_error(file)
        .on_error(documents)
}

fn users(error: &UsersError) -> Problem {
    match error {
        UsersError::NotFound(_) => {
            Problem::new(StatusCode::NOT_FOUND).with_detail(error.to_string())
        }
        UsersError::EmailTaken => Problem::new(StatusCode::CONFLICT).with_detail(error.to_string()),
        UsersError::LeftOut(why) => Problem::new(StatusCode::SERVICE_UNAVAILABLE).with_detail(*why),
        UsersError::Unavailable(_) => unavailable("the users' database", error),
        UsersError::Failed(_) => Problem::internal(error),
    }
}

fn external(error: &ExternalError) -> Problem {
    let (status, detail) = match error.kind {
        ExternalErrorKind::TimedOut(_) => (
            StatusCode::GATEWAY_TIMEOUT,
            "the external API did not answer in time",
        ),
        ExternalErrorKind::Unreachable(_) => (
            StatusCode::BAD_GATEWAY,
            "the external API cannot be reached",
        ),
        ExternalErrorKind::Status(_) => (
            StatusCode::BAD_GATEWAY,
            "the external API answered with an error",
        ),
        ExternalErrorKind::TooLong => (
            StatusCode::BAD_GATEWAY,
            "the external API answered with more than is taken",
        ),
    };
    logged(status, error).with_detail(detail)
}

fn cache(error: &CacheError) -> Problem {
    unavailable("the cache's Redis", error)
}

fn file(error: &FileError) -> Problem {
    match error {
        FileError::Missing => Problem::new(StatusCode::NOT_FOUND)
            .with_detail("the file is not there yet; PUT makes it"),
        FileError::TooLong => Problem::internal(&format_args!(
            "the file is longer than {CONTENT_BYTES_MAX} bytes"
        )),
        FileError::Failed { .. } => Problem::internal(error),
    }
}

fn documents(error: &DocumentsError) -> Problem {
    match error {
        // It is for whoever runs the demo, who is often the one who asks.
        DocumentsError::NotSet => {
            Problem::new(StatusCode::SERVICE_UNAVAILABLE).with_detail(error.to_string())
        }
        DocumentsError::Failed { .. } | DocumentsError::TimedOut { .. } => {
            unavailable("the documents' MongoDB", error)
        }
    }
}

/// What happened goes to the log, and the client is told when to come back.
fn unavailable(what: &str, error: &dyn std::error::Error) -> Problem {
    logged(StatusCode::SERVICE_UNAVAILABLE, error)
        .with_detail(format!(
            "{what} does not answer at the moment; try again later"
        ))
        .with_retry_after(RETRY)
}

/// A problem whose cause is in the log.
fn logged(status: StatusCode, error: &dyn std::error::Error) -> Problem {
    tracing::error!("answered {}: {error}", status.as_u16());
    Problem::new(status)
}
