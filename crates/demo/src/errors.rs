//! The one place where errors of the resources become what a client is told.

use std::time::Duration;

use siding::{Problem, StatusCode};

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

/// What happened goes to the log, and the client is told when to come back.
fn unavailable(what: &str, error: &dyn std::error::Error) -> Problem {
    tracing::error!("answered 503: {error}");
    Problem::new(StatusCode::SERVICE_UNAVAILABLE)
        .with_detail(format!(
            "{what} does not answer at the moment; try again later"
        ))
        .with_retry_after(RETRY)
}
