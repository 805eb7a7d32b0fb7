//! The one place where errors of the resources become what a client is told. Addresses and causes go to the log.

use std::time::Duration;

use siding::{Problem, StatusCode};

use crate::resources::cache::CacheError;
use crate::resources::documents::DocumentsError;
use crate::resources::external::{ExternalError, ExternalErrorKind};
use crate::resources::files::{CONTENT_BYTES_MAX, FileError};
use crate::resources::users::UsersError;

/// When to ask again for what a service in the back cannot give at the moment.
const RETRY: Duration = Duration::from_secs(5);

impl From<UsersError> for Problem {
    fn from(error: UsersError) -> Self {
        match error {
            UsersError::NotFound(_) => {
                Self::new(StatusCode::NOT_FOUND).with_detail(error.to_string())
            }
            UsersError::EmailTaken => {
                Self::new(StatusCode::CONFLICT).with_detail(error.to_string())
            }
            UsersError::LeftOut(why) => Self::new(StatusCode::SERVICE_UNAVAILABLE).with_detail(why),
            UsersError::Unavailable(_) => unavailable("the users' database", &error),
            UsersError::Failed(_) => Self::internal(&error),
        }
    }
}

impl From<ExternalError> for Problem {
    fn from(error: ExternalError) -> Self {
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
        logged(status, &error).with_detail(detail)
    }
}

impl From<CacheError> for Problem {
    fn from(error: CacheError) -> Self {
        unavailable("the cache's Redis", &error)
    }
}

impl From<FileError> for Problem {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Missing => Self::new(StatusCode::NOT_FOUND)
                .with_detail("the file is not there yet; PUT makes it"),
            FileError::TooLong => Self::internal(&format_args!(
                "the file is longer than {CONTENT_BYTES_MAX} bytes"
            )),
            FileError::Failed { .. } => Self::internal(&error),
        }
    }
}

impl From<DocumentsError> for Problem {
    fn from(error: DocumentsError) -> Self {
        match error {
            // It is for whoever runs the demo, who is often the one who asks.
            DocumentsError::NotSet => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE).with_detail(error.to_string())
            }
            DocumentsError::Failed { .. } | DocumentsError::TimedOut { .. } => {
                unavailable("the documents' MongoDB", &error)
            }
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
