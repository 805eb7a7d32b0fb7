//! The plain peer: the demo's asynchronous handlers on `axum::serve` and a default runtime.
//!
//! It is what a service is *without* Siding, so nothing here may use it. `siding bench` starts it
//! as `siding peer-axum --bind ADDRESS` and measures its throughput against the demo's; with
//! `--peer axum` it also shows what `/bad` does to its neighbours.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::Query;
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

/// The longest that a request may ask this server to wait.
const WAIT_MAX_MS: u32 = 60_000;

/// `?ms=`: how long a handler waits, in milliseconds.
#[derive(Debug, Deserialize)]
struct Wait {
    ms: Option<u32>,
}

impl Wait {
    fn duration(&self) -> Duration {
        Duration::from_millis(self.ms.unwrap_or(1000).min(WAIT_MAX_MS).into())
    }
}

/// The body of every answer.
#[derive(Debug, Serialize)]
struct Status {
    status: &'static str,
}

/// Why the peer does not serve.
#[derive(Debug, thiserror::Error)]
#[error("failed to serve on {address} (is the port in use?)")]
pub struct PeerError {
    address: SocketAddr,
    #[source]
    source: io::Error,
}

/// Serves on `address` until the process is ended.
///
/// # Errors
///
/// When there is no runtime or no listener.
pub fn serve(address: SocketAddr) -> Result<(), PeerError> {
    let run = || {
        let runtime = tokio::runtime::Runtime::new()?;
        runtime.block_on(async {
            let listener = TcpListener::bind(address).await?;
            axum::serve(listener, routes()).await
        })
    };
    run().map_err(|source| PeerError { address, source })
}

fn routes() -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/hello", get(hello))
        .route("/async", get(waits))
        .route("/bad", get(sleeps))
}

async fn health() -> Json<Status> {
    Json(Status { status: "ok" })
}

async fn hello() -> &'static str {
    "Hello, World!"
}

async fn waits(Query(wait): Query<Wait>) -> Json<Status> {
    tokio::time::sleep(wait.duration()).await;
    Json(Status { status: "done" })
}

#[expect(
    clippy::disallowed_methods,
    reason = "the mistake itself: this handler exists to show what it does to the others"
)]
async fn sleeps(Query(wait): Query<Wait>) -> Json<Status> {
    std::thread::sleep(wait.duration());
    Json(Status { status: "done" })
}
