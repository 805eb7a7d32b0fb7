//! `GET /api/tasks` and `GET /api/tasks/{id}`.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use siding_tasks::{BrokerError, ListFilter, State as TaskState, TaskId, Tasks};

use super::{broker, unknown};
use crate::tasks::{find, wire};
use crate::{Problem, StatusCode};

/// Tasks on a page unless asked for otherwise, and at most.
const LIMIT: usize = 100;
const LIMIT_MAX: usize = 1_000;

/// Which tasks are asked for.
#[derive(Deserialize)]
pub(super) struct Asked {
    state: Option<String>,
    task: Option<String>,
    queue: Option<String>,
    before: Option<u64>,
    limit: Option<usize>,
}

pub(super) async fn page(
    State(tasks): State<Option<Tasks>>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<wire::Tasks>, Problem> {
    let Query(asked) = asked
        .map_err(|rejection| Problem::new(rejection.status()).with_detail(rejection.body_text()))?;
    let broker = broker(tasks.as_ref())?;
    let filter = asked.filter()?;
    let limit = filter.limit;
    let overview = broker.overview().await?;
    Ok(Json(match broker.list(filter).await {
        Ok(tasks) => wire::Tasks::page(overview, tasks, limit),
        Err(BrokerError::Unsupported(why)) => wire::Tasks::counted(overview, why),
        Err(error) => return Err(error.into()),
    }))
}

pub(super) async fn one(
    State(tasks): State<Option<Tasks>>,
    Path(id): Path<String>,
) -> Result<Json<wire::OneTask>, Problem> {
    let found = find(broker(tasks.as_ref())?, TaskId::from(id)).await?;
    found
        .map(|task| Json(wire::OneTask::from(task)))
        .ok_or_else(unknown)
}

impl Asked {
    fn filter(self) -> Result<ListFilter, Problem> {
        let state = match self.state {
            None => None,
            Some(name) => Some(TaskState::parse(&name.to_uppercase()).ok_or_else(no_state)?),
        };
        Ok(ListFilter {
            id: None,
            state,
            task: self.task,
            queue: self.queue,
            before: self.before,
            limit: self.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX),
        })
    }
}

fn no_state() -> Problem {
    Problem::new(StatusCode::BAD_REQUEST)
        .with_detail("state is one of pending, started, retry, success, failure, revoked")
}
