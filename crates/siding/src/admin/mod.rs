//! The admin listener: what the application does, for those who run it. The public listener never serves any of it.

mod tasks;
mod token;
#[cfg(feature = "inference")]
mod upstreams;
mod wire;

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use siding_runtime::Handle;
use siding_tasks::Tasks;

use crate::lifespan::Probes;
use crate::server::{Limits, Peer, Site};

/// What the admin listener serves. It allows few connections, so that it takes none from the application.
pub(crate) fn site(
    handle: Handle,
    tasks: Option<Tasks>,
    probes: Probes,
    token: Option<Arc<str>>,
) -> Site {
    Site {
        router: router(handle, tasks, probes.clone(), token).merge(for_probes(probes)),
        limits: Limits {
            max_connections: 64,
            max_body_bytes: 64 * 1024,
            ..Limits::default()
        },
        peer: Peer::Untold,
    }
}

/// Its endpoints. With a `token`, they want it as a bearer token.
fn router(handle: Handle, tasks: Option<Tasks>, probes: Probes, token: Option<Arc<str>>) -> Router {
    let router = Router::new()
        .route("/api/routes", get(routes))
        .route("/api/lanes", get(lanes))
        .route("/api/stalls", get(stalls))
        .with_state(handle)
        .merge(tasks::router(tasks))
        .route("/api/resources", get(resources).with_state(probes.clone()))
        .merge(for_upstreams(probes));
    match token {
        Some(token) => router.layer(axum::middleware::from_fn_with_state(token, token::check)),
        None => router,
    }
}

/// The clients of inference services, where there can be some.
#[cfg(feature = "inference")]
fn for_upstreams(probes: Probes) -> Router {
    upstreams::router(probes)
}

#[cfg(not(feature = "inference"))]
fn for_upstreams(_: Probes) -> Router {
    Router::new()
}

/// What orchestrators ask. They send no token, and are told nothing that would need one.
fn for_probes(probes: Probes) -> Router {
    Router::new()
        .route("/live", get(async || Probes::live()))
        .route("/ready", get(ready))
        .with_state(probes)
}

async fn ready(State(probes): State<Probes>) -> Response {
    probes.ready().await
}

async fn resources(State(probes): State<Probes>) -> impl IntoResponse {
    probes.resources().await
}

async fn routes(State(handle): State<Handle>) -> Json<wire::Routes> {
    Json(wire::Routes::of(&handle))
}

async fn lanes(State(handle): State<Handle>) -> Json<wire::Lanes> {
    Json(wire::Lanes::of(&handle))
}

async fn stalls(State(handle): State<Handle>) -> Json<wire::Stalls> {
    Json(wire::Stalls::of(&handle))
}
