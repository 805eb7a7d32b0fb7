//! `GET /api/upstreams`.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};

use super::wire;
use crate::lifespan::Probes;

pub(super) fn router(probes: Probes) -> Router {
    Router::new()
        .route("/api/upstreams", get(upstreams))
        .with_state(probes)
}

async fn upstreams(State(probes): State<Probes>) -> Json<wire::Upstreams> {
    let clients = probes.upstreams();
    Json(wire::Upstreams::of(
        clients.iter().map(|client| client.snapshot()),
    ))
}
