//! Errors as gRPC has them, and deadlines as it sends them.

use tonic::metadata::MetadataMap;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::batch::InferError;
use crate::protocol::ProtocolError;
use crate::repository::{LookUpError, RequestError};

#[expect(clippy::needless_pass_by_value, reason = "given to `map_err`")]
pub(super) fn of_protocol(error: ProtocolError) -> Status {
    Status::invalid_argument(error.to_string())
}

#[expect(clippy::needless_pass_by_value, reason = "given to `map_err`")]
pub(super) fn of_look_up(error: LookUpError) -> Status {
    match error {
        LookUpError::Unknown { .. } => Status::not_found(error.to_string()),
        LookUpError::Unavailable { .. } => Status::unavailable(error.to_string()),
    }
}

pub(super) fn of_request(error: RequestError) -> Status {
    let error = match error {
        RequestError::LookUp(error) => return of_look_up(error),
        RequestError::Inputs(error) => return of_protocol(error),
        RequestError::Infer(error) => error,
    };
    let text = error.to_string();
    match error {
        InferError::Overloaded { retry_after } => {
            let details = ErrorDetails::with_retry_info(Some(retry_after));
            Status::with_error_details(Code::Unavailable, text, details)
        }
        InferError::Unloaded => Status::unavailable(text),
        InferError::DeadlinePassed { .. } => Status::deadline_exceeded(text),
        InferError::Failed(_) | InferError::Panicked => Status::internal(text),
    }
}

/// How long the client waits by the header `grpc-timeout`, in microseconds; 0 when it does not say.
pub(super) fn timeout_us(metadata: &MetadataMap) -> u64 {
    let value = metadata
        .get("grpc-timeout")
        .and_then(|value| value.to_str().ok());
    value.and_then(microseconds).unwrap_or(0)
}

/// At most eight digits and a unit. What rounds to nothing is one microsecond: the client does not wait.
fn microseconds(value: &str) -> Option<u64> {
    let (digits, unit) = value.split_at_checked(value.len().checked_sub(1)?)?;
    let count: u64 = digits.parse().ok()?;
    let us = match unit {
        "H" => count.checked_mul(3_600_000_000)?,
        "M" => count.checked_mul(60_000_000)?,
        "S" => count.checked_mul(1_000_000)?,
        "m" => count.checked_mul(1_000)?,
        "u" => count,
        "n" => count / 1_000,
        _ => return None,
    };
    Some(us.max(1))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tonic::Code;
    use tonic_types::StatusExt;

    use super::{microseconds, of_request};
    use crate::batch::InferError;

    #[test]
    fn who_is_refused_is_told_when_to_come_back() {
        let retry_after = Duration::from_secs(3);
        let status = of_request(InferError::Overloaded { retry_after }.into());
        assert_eq!(status.code(), Code::Unavailable);
        let retry = status.get_details_retry_info().expect("is there");
        assert_eq!(retry.retry_delay, Some(retry_after));
    }

    #[test]
    fn every_unit_of_grpc_timeout_is_known() {
        let cases = [
            ("1H", 3_600_000_000),
            ("2M", 120_000_000),
            ("3S", 3_000_000),
            ("4m", 4_000),
            ("5u", 5),
            ("6n", 1),
        ];
        for (value, us) in cases {
            assert_eq!(microseconds(value), Some(us), "{value}");
        }
        for value in ["", "5", "xS", "5ü"] {
            assert_eq!(microseconds(value), None, "{value}");
        }
    }
}
