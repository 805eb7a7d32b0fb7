//! What an application answers to those who ask whether it lives and whether it is ready.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::Resources;
use super::opened::Health;

/// Answers `/live` and `/ready`. A cheap clone; it can be routed before the application starts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Probes(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    resources: OnceLock<Arc<Resources>>,
    draining: AtomicBool,
}

impl Probes {
    /// Whose health they tell.
    pub(crate) fn bind(&self, resources: &Arc<Resources>) {
        self.0.resources.get_or_init(|| Arc::clone(resources));
    }

    /// From now on the application is not ready.
    pub(crate) fn drain(&self) {
        // Nothing else is published by it.
        self.0.draining.store(true, Ordering::Relaxed);
    }

    /// The answer of `/live`: that there is one says it.
    pub(crate) fn live() -> Response {
        let live = Live { status: "live" };
        ([(CACHE_CONTROL, "no-store")], Json(live)).into_response()
    }

    /// The answer of `/ready`.
    pub(crate) async fn ready(&self) -> Response {
        let health = self.health().await;
        let failing = health.iter().any(|health| health.finding.is_err());
        let (code, status) = if self.0.draining.load(Ordering::Relaxed) {
            (StatusCode::SERVICE_UNAVAILABLE, "draining")
        } else if failing {
            (StatusCode::SERVICE_UNAVAILABLE, "not ready")
        } else {
            (StatusCode::OK, "ready")
        };
        let resources = health.into_iter().map(Resource::without_reason).collect();
        let ready = Ready { status, resources };
        (code, [(CACHE_CONTROL, "no-store")], Json(ready)).into_response()
    }

    /// How the resources are, and why some are not well: for the admin listener only.
    pub(crate) async fn resources(&self) -> impl IntoResponse + use<> {
        let health = self.health().await;
        let resources: Vec<_> = health.into_iter().map(Resource::of).collect();
        Json(resources)
    }

    /// The clients of services that were opened, oldest first.
    #[cfg(feature = "inference")]
    pub(crate) fn upstreams(&self) -> Vec<crate::inference::Client> {
        let resources = self.0.resources.get();
        resources.map_or_else(Vec::new, |resources| resources.upstreams())
    }

    async fn health(&self) -> Vec<Health> {
        match self.0.resources.get() {
            Some(resources) => resources.health().await,
            None => Vec::new(),
        }
    }
}

/// The answer of `/live`.
#[derive(Serialize)]
struct Live {
    status: &'static str,
}

/// The answer of `/ready`.
#[derive(Serialize)]
struct Ready {
    status: &'static str,
    resources: Vec<Resource>,
}

/// A resource in the answers.
#[derive(Serialize)]
struct Resource {
    name: String,
    status: &'static str,
    /// Errors of databases may tell of what is in them, so that only the admin listener has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Resource {
    fn of(health: Health) -> Self {
        let reason = health.finding.err();
        Self {
            name: health.name,
            status: if reason.is_none() { "ok" } else { "failing" },
            reason,
        }
    }

    fn without_reason(health: Health) -> Self {
        Self {
            reason: None,
            ..Self::of(health)
        }
    }
}
