//! Waiting, in every way that a handler can, and in the one that it must not.

use std::thread;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use siding::extract::Query;
use siding::{Json, Problem, offload};

use crate::models::query::Wait;

/// The answer of every endpoint that waits.
#[derive(JsonSchema, Serialize)]
pub(crate) struct Done {
    status: &'static str,
}

const DONE: Json<Done> = Json(Done { status: "done" });

/// `/async`: right. Awaits a timer, and the thread goes on with something else.
pub(crate) async fn on_a_timer(Query(wait): Query<Wait>) -> Json<Done> {
    tokio::time::sleep(wait.duration()).await;
    DONE
}

/// `/sync`: right. A plain function may block its thread.
pub(crate) fn on_a_thread(Query(wait): Query<Wait>) -> Json<Done> {
    block(wait.duration());
    DONE
}

/// `/bad` and `/bad-pinned`: wrong. An `async fn` that blocks its thread.
pub(crate) async fn on_the_event_loop(Query(wait): Query<Wait>) -> Json<Done> {
    block(wait.duration());
    DONE
}

/// `/workaround`: right. An `async fn` that leaves the event loop for what blocks.
pub(crate) async fn offloaded(Query(wait): Query<Wait>) -> Result<Json<Done>, Problem> {
    let duration = wait.duration();
    offload(move || block(duration)).await?;
    Ok(DONE)
}

#[expect(
    clippy::disallowed_methods,
    reason = "stands for a client that blocks its thread, which is what this service shows"
)]
pub(crate) fn block(duration: Duration) {
    thread::sleep(duration);
}
