//! Errors as the protocol has them: `{"error": ".."}`.

use std::time::Duration;

use http::header::RETRY_AFTER;
use siding::{IntoResponse, Json, Response, StatusCode};

use crate::batch::InferError;
use crate::protocol::{ErrorBody, ProtocolError};
use crate::repository::{LookUpError, RequestError};

/// An answer to what failed.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    error: String,
    retry_after: Option<Duration>,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self {
            status,
            error: error.into(),
            retry_after: None,
        }
    }
}

impl From<ProtocolError> for Failure {
    fn from(error: ProtocolError) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error.to_string())
    }
}

impl From<LookUpError> for Failure {
    fn from(error: LookUpError) -> Self {
        let status = match error {
            LookUpError::Unknown { .. } => StatusCode::NOT_FOUND,
            LookUpError::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, error.to_string())
    }
}

impl From<RequestError> for Failure {
    fn from(error: RequestError) -> Self {
        let error = match error {
            RequestError::LookUp(error) => return error.into(),
            RequestError::Inputs(error) => return error.into(),
            RequestError::Infer(error) => error,
        };
        let (status, retry_after) = match &error {
            InferError::Overloaded { retry_after } => {
                (StatusCode::SERVICE_UNAVAILABLE, Some(*retry_after))
            }
            InferError::Unloaded => (StatusCode::SERVICE_UNAVAILABLE, None),
            InferError::DeadlinePassed { .. } => (StatusCode::GATEWAY_TIMEOUT, None),
            InferError::Failed(_) | InferError::Panicked => {
                (StatusCode::INTERNAL_SERVER_ERROR, None)
            }
        };
        Self {
            retry_after,
            ..Self::new(status, error.to_string())
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(ErrorBody { error: self.error })).into_response();
        if let Some(after) = self.retry_after {
            // Rounded up: whoever comes back too early is refused again.
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}
