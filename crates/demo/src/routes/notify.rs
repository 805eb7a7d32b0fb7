//! Work that the client does not wait for.

use std::time::Duration;

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use siding::extract::{Query, Valid};
use siding::{BackgroundTasks, Json, Status};

use super::wait::block;
use crate::models::address::{BYTES_MAX, PATTERN, address};
use crate::models::query::Wait;

/// `{"email": "ann@example.com", "message": "Hello"}`.
#[derive(Deserialize, JsonSchema, Validate)]
pub(crate) struct Notice {
    #[garde(custom(address))]
    #[schemars(length(max = BYTES_MAX), regex(pattern = PATTERN))]
    email: String,
    #[garde(skip)]
    message: String,
}

/// The answer: the log has what became of the notice under this id, if it went wrong.
#[derive(JsonSchema, Serialize)]
pub(crate) struct Accepted {
    status: &'static str,
    correlation_id: String,
}

/// `/notify`: answers at once, and sends the notice in the background.
pub(crate) async fn notify(
    background: BackgroundTasks,
    Query(wait): Query<Wait>,
    Valid(Json(notice)): Valid<Json<Notice>>,
) -> Status<202, Json<Accepted>> {
    let duration = wait.duration();
    background.add(move || send(&notice, duration));
    let accepted = Accepted {
        status: "accepted",
        correlation_id: background.correlation_id().to_owned(),
    };
    Status(Json(accepted))
}

/// Sends no mail: it blocks its thread for as long as a mail server might, and writes the notice to the log.
fn send(notice: &Notice, duration: Duration) {
    block(duration);
    tracing::info!("sent to {:?}: {:?}", notice.email, notice.message);
}
