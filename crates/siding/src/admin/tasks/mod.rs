//! Tasks: lists, one of them, what can be done to it; workers; schedules.

mod actions;
mod list;
mod people;

use axum::Router;
use axum::routing::{get, post};
use serde_json::value::{RawValue, to_raw_value};
use siding_tasks::{Broker, Tasks};

use crate::tasks::wire;
use crate::{Problem, StatusCode};

pub(super) fn router(tasks: Option<Tasks>) -> Router {
    Router::new()
        .route("/api/tasks", get(list::page))
        .route("/api/tasks/{id}", get(list::one))
        .route("/api/tasks/{id}/retry", post(actions::retry))
        .route("/api/tasks/{id}/revoke", post(actions::revoke))
        .route("/api/workers", get(people::workers))
        .route("/api/schedules", get(people::schedules))
        .with_state(tasks)
}

/// How many tasks there are, and who runs them, as JSON; `None` when that cannot be told now.
pub(super) async fn counted(tasks: &Tasks) -> Option<Box<RawValue>> {
    let overview = tasks.broker().ok()?.overview().await.ok()?;
    let workers = tasks.workers().await.ok()?;
    to_raw_value(&wire::Counts::of(overview, workers)).ok()
}

/// The application's tasks.
fn present(tasks: Option<&Tasks>) -> Result<&Tasks, Problem> {
    tasks.ok_or_else(|| {
        Problem::new(StatusCode::NOT_FOUND).with_detail("this application has no tasks")
    })
}

fn broker(tasks: Option<&Tasks>) -> Result<&dyn Broker, Problem> {
    Ok(&**present(tasks)?.broker()?)
}

fn unknown() -> Problem {
    Problem::new(StatusCode::NOT_FOUND)
        .with_detail("no task has this id: it was never sent here, or its result is no longer kept")
}
