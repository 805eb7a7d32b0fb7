//! Siding: a web layer on axum in which every handler runs where it belongs.
//!
//! An `async fn` runs on the event loop, a plain `fn` on a thread pool, and [`compute`] sends work to a pool for
//! computing. The signature says which; there is no macro and no annotation. What each handler really does is
//! measured: one that blocks the event loop holds up nobody, and is moved to where it belongs.
//!
//! ```no_run
//! use siding::{App, ExitCode, get};
//!
//! async fn hello() -> &'static str {
//!     "Hello" // on the event loop
//! }
//!
//! fn report() -> String {
//!     std::fs::read_to_string("report.txt").unwrap_or_default() // on the thread lane
//! }
//!
//! fn main() -> ExitCode {
//!     App::new("example")
//!         .route("/hello", get(hello))
//!         .route("/report", get(report))
//!         .run()
//! }
//! ```
//!
//! # Features
//! | feature | what it adds |
//! | --- | --- |
//! | `redis` | [tasks](App::with_tasks) over Redis, shared with Celery's workers and clients |
//! | `amqp` | the same over AMQP 0-9-1, RabbitMQ for one |
//! | `inference` | [`inference`]: a client of services that speak the Open Inference Protocol |
//! | `otel` | traces over OTLP, switched on by OpenTelemetry's variables or `Settings::traces` |
//! | `validate` | `extract::Valid`: arguments that are validated by the rules of [garde](https://docs.rs/garde) |
//! | `openapi` | `openapi`: an OpenAPI 3.1 document from the handlers' own types, and `/docs` |
//!
//! Without them tasks are kept in the embedded store.

mod admin;
mod app;
mod arrival;
pub mod background;
pub mod extract;
pub mod handler;
#[cfg(feature = "inference")]
pub mod inference;
pub mod lifespan;
mod metrics;
#[cfg(feature = "openapi")]
pub mod openapi;
mod processes;
mod respond;
pub mod routing;
mod server;
pub mod tasks;
mod traces;

pub use std::process::ExitCode;

pub use axum;
pub use axum::Json;
pub use axum::http::StatusCode;
pub use axum::response::{IntoResponse, Response};
pub use prometheus_client;
pub use siding_runtime::{
    CallError, CancelToken, Functions, JobError, cancel_token, cancelled, offload, spawn,
};

pub use app::{
    App, CelerySettings, IntoRoutes, Listed, LogFormat, Running, Settings, StartError,
    TaskSettings, exit,
};
pub use background::BackgroundTasks;
pub use handler::{compute, pinned, processes, threads};
pub use processes::Processes;
pub use respond::{Error, Fault, Invalid, Place, Problem, Status};
pub use routing::{
    MethodFilter, MethodRouter, any, delete, get, head, on, options, patch, post, put, trace,
};
pub use server::{Drained, Limits};
#[cfg(feature = "otel")]
pub use traces::Traces;

/// The runtime underneath: lanes, placement, events.
pub use siding_runtime as runtime;
