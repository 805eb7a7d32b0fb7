//! `GET /api/tasks`.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use siding_tasks::{BrokerError, ListFilter, State as TaskState, Tasks};

use crate::tasks::wire;
use crate::{Problem, StatusCode};

/// Tasks on a page unless asked for otherwise, and at most.
const LIMIT: usize = 100;
const LIMIT_MAX: usize = 1_000;

/// Which tasks are asked for.
#[derive(Deserialize)]
struct Asked {
    state: Option<String>,
    task: Option<String>,
    queue: Option<String>,
    before: Option<u64>,
    limit: Option<usize>,
}

pub(super) fn router(tasks: Option<Tasks>) -> Router {
    Router::new()
        .route("/api/tasks", get(page))
        .with_state(tasks)
}

/// How many tasks there are, as JSON; `None` when that cannot be told now.
pub(super) async fn counted(tasks: &Tasks) -> Option<Box<RawValue>> {
    let overview = tasks.broker().ok()?.overview().await.ok()?;
    to_raw_value(&wire::Counts::of(overview)).ok()
}

async fn page(
    State(tasks): State<Option<Tasks>>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<wire::Tasks>, Problem> {
    let Query(asked) = asked
        .map_err(|rejection| Problem::new(rejection.status()).with_detail(rejection.body_text()))?;
    let tasks = tasks.ok_or_else(|| {
        Problem::new(StatusCode::NOT_FOUND).with_detail("this application has no tasks")
    })?;
    let filter = asked.filter()?;
    let (broker, limit) = (tasks.broker()?, filter.limit);
    let overview = broker.overview().await?;
    Ok(Json(match broker.list(filter).await {
        Ok(tasks) => wire::Tasks::page(overview, tasks, limit),
        Err(BrokerError::Unsupported(why)) => wire::Tasks::counted(overview, why),
        Err(error) => return Err(error.into()),
    }))
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
