//! The admin listener: what the application does, for those who run it. The public listener never serves any of it.
//!
//! Its work runs on the event loop and takes no permit of a lane, so that it is there when the lanes are full.

mod access;
mod application;
mod assets;
mod live;
mod page;
mod routes;
mod source;
mod tasks;
#[cfg(feature = "inference")]
mod upstreams;
mod wire;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::extract::State;
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use siding_runtime::Handle;
use siding_tasks::Tasks;

use crate::app::{Settings, StartError};
use crate::lifespan::Probes;
use crate::metrics::{self, Metrics};
use crate::server::{Limits, Peer, Server, Site};
use access::Access;
use application::Application;
use live::Live;

/// Few, so that it takes none from the application.
const CONNECTIONS_MAX: usize = 64;

/// Whom the admin listener tells of.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    /// What the process does: `serve` or `worker`.
    pub(crate) role: &'static str,
    pub(crate) handle: Handle,
    pub(crate) tasks: Option<Tasks>,
    pub(crate) probes: Probes,
    pub(crate) metrics: Metrics,
}

/// The admin listener.
#[derive(Debug)]
pub(crate) struct Admin {
    server: Server,
    live: Live,
}

/// Refuses a listener at `address` that others could reach without a token.
pub(crate) fn check(address: Option<SocketAddr>, settings: &Settings) -> Result<(), StartError> {
    match address {
        Some(address) if !address.ip().is_loopback() && token(settings).is_none() => {
            Err(StartError::OpenAdmin { address })
        }
        _ => Ok(()),
    }
}

/// The token, if there is one: nothing at all is none.
fn token(settings: &Settings) -> Option<&str> {
    settings
        .admin_token
        .as_deref()
        .filter(|token| !token.is_empty())
}

impl Admin {
    /// Listens at `address`, if there is one.
    pub(crate) fn start(
        address: Option<SocketAddr>,
        settings: &Settings,
        subject: Subject,
    ) -> Result<Option<Self>, StartError> {
        check(address, settings)?;
        let Some(address) = address else {
            return Ok(None);
        };
        let handle = subject.handle.clone();
        let application = Arc::new(Application {
            name: subject.name,
            role: subject.role,
            started: SystemTime::now(),
            handle: subject.handle,
            tasks: subject.tasks,
            probes: subject.probes,
            access: Access::new(address, token(settings)),
        });
        let live = Live::new(Arc::clone(&application));
        let site = site(&application, &live, subject.metrics);
        let server = Server::start(address, site, &handle)
            .map_err(|source| StartError::Listen { address, source })?;
        Ok(Some(Self { server, live }))
    }

    /// The address it listens on, with the port that it was given.
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Ends all streams, answers what has been asked, and closes. It does not take long, whatever its clients do.
    pub(crate) async fn drain(self) {
        self.live.close();
        // What is cut off here nobody has to be told of.
        let _ = self.server.drain(std::future::pending()).await;
    }
}

fn site(application: &Arc<Application>, live: &Live, metrics: Metrics) -> Site {
    let router = assets::router()
        .merge(for_probes(application.probes.clone()))
        .merge(api(application, live, metrics))
        .layer(map_response(access::secure));
    Site {
        router,
        limits: Limits {
            max_connections: CONNECTIONS_MAX,
            max_body_bytes: 64 * 1024,
            drain_grace: Duration::from_millis(20),
            drain_limit: Duration::from_millis(500),
            ..Limits::default()
        },
        peer: Peer::Told,
        requests: None,
    }
}

/// What is not for everybody; see [`access`].
fn api(application: &Arc<Application>, live: &Live, metrics: Metrics) -> Router {
    let access = &application.access;
    let session = Router::new()
        .route(
            "/api/session",
            post(access::start_session).delete(access::end_session),
        )
        .with_state(access.clone());
    router(application, live)
        .merge(metrics::router(metrics))
        .route_layer(from_fn_with_state(access.clone(), access::admit))
        .merge(session)
        .route_layer(from_fn_with_state(
            access.clone(),
            access::keep_strangers_out,
        ))
}

/// The endpoints for those who know the token.
fn router(application: &Arc<Application>, live: &Live) -> Router {
    let handle = application.handle.clone();
    Router::new()
        .route("/api/overview", get(overview))
        .with_state(Arc::clone(application))
        .merge(
            Router::new()
                .route("/api/live", get(live::live))
                .with_state(live.clone()),
        )
        .merge(
            Router::new()
                .route("/api/lanes", get(lanes))
                .route("/api/stalls", get(stalls))
                .with_state(handle.clone()),
        )
        .merge(routes::router(handle))
        .merge(tasks::router(application.tasks.clone()))
        .merge(
            Router::new()
                .route("/api/resources", get(resources))
                .with_state(application.probes.clone()),
        )
        .merge(for_upstreams(application.probes.clone()))
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

async fn overview(State(application): State<Arc<Application>>) -> Json<wire::Overview> {
    Json(wire::Overview::of(&application))
}

async fn lanes(State(handle): State<Handle>) -> Json<wire::Lanes> {
    Json(wire::Lanes::of(&handle))
}

async fn stalls(State(handle): State<Handle>) -> Json<wire::Stalls> {
    Json(wire::Stalls::of(&handle))
}
