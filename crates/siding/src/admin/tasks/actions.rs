//! `POST /api/tasks/{id}/retry` and `POST /api/tasks/{id}/revoke`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use serde::Deserialize;
use siding_tasks::{Found, Revocation, TaskId, Tasks};

use super::{broker, unknown};
use crate::tasks::{became, wire};
use crate::{Problem, StatusCode};

/// How a task is revoked.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct How {
    /// Whether it is ended if it runs.
    terminate: bool,
}

/// Sends a task that failed or was revoked once more.
pub(super) async fn retry(
    State(tasks): State<Option<Tasks>>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<wire::Done>), Problem> {
    let (broker, id) = (broker(tasks.as_ref())?, TaskId::from(id));
    if broker.replay(id.clone()).await? {
        let done = wire::Done::new(&id, "waits again");
        return Ok((StatusCode::ACCEPTED, Json(done)));
    }
    Err(match broker.find(id).await? {
        Found::Unknown => unknown(),
        Found::Known(_) => Problem::new(StatusCode::CONFLICT).with_detail(
            "not sent again: it has not failed and was not revoked, its message is no longer kept, or another task with its \
             unique key is under way",
        ),
    })
}

/// Says that a task is not to run. One that is not there yet will not run when it comes.
pub(super) async fn revoke(
    State(tasks): State<Option<Tasks>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<(StatusCode, Json<wire::Done>), Problem> {
    let (broker, id) = (broker(tasks.as_ref())?, TaskId::from(id));
    let How { terminate } = how(&body)?;
    let revocation = match terminate {
        true => Revocation::Terminate,
        false => Revocation::Ignore,
    };
    broker.revoke(id.clone(), revocation).await?;
    let found = broker.find(id.clone()).await?;
    let done = wire::Done::new(&id, became(&found, revocation));
    Ok((StatusCode::ACCEPTED, Json(done)))
}

/// Nothing at all asks for the gentle way.
fn how(body: &[u8]) -> Result<How, Problem> {
    if body.is_empty() {
        return Ok(How::default());
    }
    serde_json::from_slice(body).map_err(|_| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY)
            .with_detail("send {\"terminate\": true} or {}")
    })
}
