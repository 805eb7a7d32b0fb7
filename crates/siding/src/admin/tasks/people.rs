//! `GET /api/workers` and `GET /api/schedules`.

use axum::Json;
use axum::extract::State;
use siding_tasks::Tasks;

use super::present;
use crate::Problem;
use crate::tasks::wire;

pub(super) async fn workers(
    State(tasks): State<Option<Tasks>>,
) -> Result<Json<wire::Workers>, Problem> {
    let workers = present(tasks.as_ref())?.workers().await?;
    Ok(Json(wire::Workers::from(workers)))
}

pub(super) async fn schedules(
    State(tasks): State<Option<Tasks>>,
) -> Result<Json<wire::Schedules>, Problem> {
    let timetable = present(tasks.as_ref())?.timetable().await?;
    Ok(Json(wire::Schedules::from(timetable)))
}
