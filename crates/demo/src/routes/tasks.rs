//! Durable tasks: what they do, how they are started, and how their results are asked for.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use siding::extract::{Path, Query, State};
use siding::tasks::{Exception, Meta, RawJson, State as TaskState, Task, TaskError, Tasks};
use siding::{Json, Problem, Status, StatusCode, compute};

use super::compute::sum_of_squares;
use crate::models::query::{N_MAX, Terms};

/// The longest delay of a task: a year.
const COUNTDOWN_MAX_S: f64 = 365.0 * 24.0 * 3_600.0;
/// The longest sleep of a task: an hour.
const SLEEP_MAX_S: f64 = 3_600.0;

/// The tasks of this service, as its handlers know them.
#[derive(Clone)]
pub(crate) struct Jobs {
    all: Tasks,
    heavy_computation: Task<(u64,), u64>,
}

impl Jobs {
    /// Registers them.
    pub(crate) fn register(all: &Tasks) -> Self {
        let heavy_computation = all
            .register("heavy_computation", compute(heavy_computation))
            .arguments(["n"]);
        drop(all.register("add", add).arguments(["x", "y"]));
        drop(all.register("sleep", sleep).arguments(["seconds"]));
        drop(all.register("fail", fail).arguments(["message"]));
        Self {
            all: all.clone(),
            heavy_computation,
        }
    }

    /// Whether Celery's workers may have tasks on this broker that are not known here: then it carries their remote control too.
    fn broker_is_shared(&self) -> Result<bool, Problem> {
        Ok(self.all.broker()?.remote().is_some())
    }
}

fn heavy_computation(n: u64) -> Result<u64, TaskError> {
    if n > N_MAX {
        return Err(
            TaskError::new(format!("n is a whole number from 0 to {N_MAX}")).named("ValueError"),
        );
    }
    Ok(sum_of_squares(n))
}

async fn add(x: i64, y: i64) -> Result<i64, TaskError> {
    x.checked_add(y)
        .ok_or_else(|| TaskError::new("the sum does not fit 64 bits").named("OverflowError"))
}

async fn sleep(seconds: f64) -> Result<f64, TaskError> {
    let time = within(seconds, SLEEP_MAX_S).ok_or_else(|| {
        TaskError::new(format!("seconds is a number from 0 to {SLEEP_MAX_S}")).named("ValueError")
    })?;
    tokio::time::sleep(time).await;
    Ok(seconds)
}

fn fail(message: String) -> Result<(), TaskError> {
    Err(TaskError::new(message))
}

/// What a client gets to ask for the result with.
#[derive(JsonSchema, Serialize)]
pub(crate) struct Started {
    task_id: String,
}

/// `POST /compute?n=…`: computes later, and answers at once.
pub(crate) async fn start_computation(
    State(jobs): State<Jobs>,
    Query(terms): Query<Terms>,
) -> Result<Status<202, Json<Started>>, Problem> {
    let sent = jobs.heavy_computation.delay(terms.n).await?;
    Ok(accepted(sent.id()))
}

/// Any JSON, for the document.
fn any(_: &mut SchemaGenerator) -> Schema {
    Schema::default()
}

/// Any arguments by position.
fn any_list(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "array"})
}

/// Any arguments by name.
fn any_map(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "object"})
}

/// What `POST /tasks/{name}` takes.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Call {
    #[serde(default)]
    #[schemars(schema_with = "any_list")]
    args: Vec<RawJson>,
    #[serde(default)]
    #[schemars(schema_with = "any_map")]
    kwargs: BTreeMap<String, RawJson>,
    /// Seconds until it may start.
    #[schemars(range(min = 0, max = COUNTDOWN_MAX_S))]
    countdown: Option<f64>,
    /// Its queue, unless it is the task's own.
    queue: Option<String>,
}

/// `POST /tasks/{name}`: starts any task of this service, or one of another program where the broker is shared.
pub(crate) async fn start(
    State(jobs): State<Jobs>,
    Path(name): Path<String>,
    Json(call): Json<Call>,
) -> Result<Status<202, Json<Started>>, Problem> {
    if !jobs.all.names().contains(&name) && !jobs.broker_is_shared()? {
        let names = jobs.all.names().join(", ");
        return Err(Problem::new(StatusCode::NOT_FOUND)
            .with_detail(format!("there is no task {name:?}; there are {names}")));
    }
    let mut sending = jobs.all.send_task::<RawJson>(&name, call.args, call.kwargs);
    if let Some(seconds) = call.countdown {
        let countdown = within(seconds, COUNTDOWN_MAX_S).ok_or_else(|| {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY).with_detail(format!(
                "countdown is a number of seconds from 0 to {COUNTDOWN_MAX_S}"
            ))
        })?;
        sending = sending.countdown(countdown);
    }
    if let Some(queue) = call.queue {
        sending = sending.queue(queue);
    }
    Ok(accepted(sending.await?.id()))
}

fn accepted(id: &siding::tasks::TaskId) -> Status<202, Json<Started>> {
    let task_id = id.to_string();
    Status(Json(Started { task_id }))
}

/// A number of seconds from 0 to `max`.
fn within(seconds: f64, max: f64) -> Option<Duration> {
    let fits = (0.0..=max).contains(&seconds);
    fits.then(|| Duration::from_secs_f64(seconds))
}

/// What is known of a task that has not failed.
#[derive(JsonSchema, Serialize)]
#[serde(untagged)]
pub(crate) enum Answer {
    Processing {
        status: &'static str,
    },
    Done {
        #[schemars(schema_with = "any")]
        result: Option<RawJson>,
    },
}

const PROCESSING: Answer = Answer::Processing {
    status: "processing",
};

/// `GET /result/{task_id}`: what became of a task.
pub(crate) async fn result(
    State(jobs): State<Jobs>,
    Path(id): Path<String>,
) -> Result<Json<Answer>, Problem> {
    match jobs.all.result::<RawJson>(id).meta().await? {
        Some(meta) => answer(meta).map(Json),
        // Celery keeps nothing of a task until it has ended: one that waits and one that never was look the same.
        None if jobs.broker_is_shared()? => Ok(Json(PROCESSING)),
        None => Err(Problem::new(StatusCode::NOT_FOUND).with_detail(
            "no task has this id: it was never sent here, or its result is no longer kept",
        )),
    }
}

fn answer(meta: Meta) -> Result<Answer, Problem> {
    match meta.state {
        TaskState::Pending | TaskState::Started | TaskState::Retry => Ok(PROCESSING),
        TaskState::Success => Ok(Answer::Done {
            result: meta.result,
        }),
        TaskState::Revoked => {
            Err(Problem::new(StatusCode::GONE).with_detail("the task was revoked, or had expired"))
        }
        TaskState::Failure => Err(failure(meta.exception)),
    }
}

/// These tasks say in their errors what a caller may know; the errors of others are for the log.
fn failure(exception: Option<Exception>) -> Problem {
    let why = exception.map_or_else(
        || "the task failed".to_owned(),
        |exception| {
            format!(
                "the task failed: {}: {}",
                exception.exc_type, exception.message
            )
        },
    );
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR).with_detail(why)
}
