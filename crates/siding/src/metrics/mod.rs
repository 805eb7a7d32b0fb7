//! `GET /metrics` on the admin listener: what the application does, for Prometheus.
//!
//! What is counted here beside the runtime's own figures costs a request two additions to a cache line that its thread shares
//! with few others ([`requests`]). Everything else is read when somebody asks. The names are in [`catalogue`], and what they mean
//! in `docs/metrics.md`; a test compares the two.

pub(crate) mod catalogue;
mod guard;
mod page;
mod process;
mod requests;
mod series;
mod tasks;

use std::fmt;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::prometheus_text;
use prometheus_client::registry::Registry;
use siding_runtime::{Event, Handle};
use siding_tasks::Tasks;

use self::guard::GuardFigures;
use self::tasks::Overview;
#[cfg(feature = "inference")]
use crate::lifespan::Probes;
use crate::server::Occupancy;

#[cfg(feature = "otel")]
pub(crate) use self::page::{method, pattern};
pub(crate) use self::requests::{Outcome, Requests};

/// What is counted for `/metrics`, and where the rest is to be asked. Clones are cheap and share it.
#[derive(Clone, Default)]
pub(crate) struct Metrics(Arc<Shared>);

#[derive(Default)]
struct Shared {
    name: OnceLock<&'static str>,
    requests: Arc<Requests>,
    guard: Arc<GuardFigures>,
    sources: OnceLock<Sources>,
    server: OnceLock<Occupancy>,
    overview: Overview,
    /// The application's own.
    own: OnceLock<Vec<Registry>>,
    #[cfg(feature = "inference")]
    probes: OnceLock<Probes>,
}

/// Whom to ask.
#[derive(Clone)]
struct Sources {
    handle: Handle,
    tasks: Option<Tasks>,
}

impl Metrics {
    /// Of the application `name`, whose runtime has started.
    pub(crate) fn attach(&self, name: &'static str, handle: &Handle, tasks: Option<&Tasks>) {
        self.0.name.get_or_init(|| name);
        self.0.sources.get_or_init(|| Sources {
            handle: handle.clone(),
            tasks: tasks.cloned(),
        });
    }

    /// The application's own metrics.
    pub(crate) fn attach_own(&self, registries: Vec<Registry>) {
        self.0.own.get_or_init(|| registries);
    }

    /// Who knows the clients of inference services.
    #[cfg(feature = "inference")]
    pub(crate) fn attach_probes(&self, probes: &Probes) {
        self.0.probes.get_or_init(|| probes.clone());
    }

    /// The server that answers the application's requests.
    pub(crate) fn attach_server(&self, server: Occupancy) {
        self.0.server.get_or_init(|| server);
    }

    /// Where that server counts them.
    pub(crate) fn requests(&self) -> &Arc<Requests> {
        &self.0.requests
    }

    /// Takes the runtime's events. It holds nothing that would hold the runtime, which holds it.
    pub(crate) fn observer(&self) -> impl Fn(&Event) + Send + Sync + use<> {
        let guard = Arc::clone(&self.0.guard);
        move |event| guard.observe(event)
    }

    /// All of it in Prometheus' text format.
    async fn text(&self) -> String {
        let mut text = String::new();
        let Some(sources) = self.0.sources.get() else {
            return text;
        };
        let queues = match &sources.tasks {
            Some(tasks) => self.0.overview.ask(tasks).await,
            None => None,
        };
        let page = page::Page {
            metrics: self.clone(),
            sources: sources.clone(),
            queues,
        };
        let mut registry = Registry::default();
        registry.register_collector(Box::new(page));
        let own = self.0.own.get().into_iter().flatten();
        for registry in std::iter::once(&registry).chain(own) {
            let before = text.len();
            if let Err(fmt::Error) = prometheus_text::encode(&mut text, registry) {
                // A string takes whatever is written to it: a collector of the application's own has failed.
                tracing::warn!("metrics of the application's own could not be read");
                text.truncate(before);
            }
        }
        text
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// The endpoint.
pub(crate) fn router(metrics: Metrics) -> Router {
    Router::new()
        .route("/metrics", get(answer))
        .with_state(metrics)
}

async fn answer(State(metrics): State<Metrics>) -> Response {
    let content_type = [(CONTENT_TYPE, prometheus_text::CONTENT_TYPE)];
    (content_type, metrics.text().await).into_response()
}
