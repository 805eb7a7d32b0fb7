//! Whether the service is there.

use schemars::JsonSchema;
use serde::Serialize;
use siding::Json;

/// The answer of `/health`.
#[derive(JsonSchema, Serialize)]
pub(crate) struct Health {
    status: &'static str,
}

pub(crate) async fn health() -> Json<Health> {
    Json(Health { status: "ok" })
}
