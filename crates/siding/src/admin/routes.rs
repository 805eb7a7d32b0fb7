//! `GET /api/routes` and `GET /api/routes/{id}`.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use siding_runtime::{Handle, RouteSnapshot};

use super::source::Sources;
use super::wire;
use crate::{Problem, StatusCode};

pub(super) fn router(handle: Handle) -> Router {
    let sources = Arc::new(Sources::default());
    Router::new()
        .route("/api/routes", get(all))
        .with_state(handle.clone())
        .merge(
            Router::new()
                .route("/api/routes/{id}", get(one))
                .with_state((handle, sources)),
        )
}

async fn all(State(handle): State<Handle>) -> Json<wire::Routes> {
    Json(wire::Routes::of(&handle))
}

async fn one(
    State((handle, sources)): State<(Handle, Arc<Sources>)>,
    id: Result<Path<u32>, PathRejection>,
) -> Result<Json<wire::OneRoute>, Problem> {
    let all = handle.routes().all();
    let found = id.ok().and_then(|Path(id)| {
        let mut routes = all.iter();
        routes.find(|route| route.id().get() == id)
    });
    let Some(route) = found else {
        return Err(Problem::new(StatusCode::NOT_FOUND)
            .with_detail("no route has this number; GET /api/routes lists them"));
    };
    let snapshot = route.snapshot();
    let excerpts = match stack(&snapshot) {
        Some(stack) => sources.read(stack.clone()).await,
        None => Vec::new(),
    };
    Ok(Json(wire::OneRoute::new(snapshot, excerpts)))
}

/// The stack of what convicted it.
fn stack(route: &RouteSnapshot) -> Option<&siding_runtime::Stack> {
    route.evidence.as_ref()?.stack.get()?.as_ref().ok()
}
