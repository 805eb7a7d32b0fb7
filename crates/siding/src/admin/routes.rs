//! `GET /api/routes` and `GET /api/routes/{id}`.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use siding_runtime::Handle;

use super::wire;

pub(super) fn router(handle: Handle) -> Router {
    Router::new()
        .route("/api/routes", get(all))
        .with_state(handle)
}

async fn all(State(handle): State<Handle>) -> Json<wire::Routes> {
    Json(wire::Routes::of(&handle))
}
