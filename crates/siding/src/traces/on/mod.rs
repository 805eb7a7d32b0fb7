//! Spans by OpenTelemetry.
//!
//! The framework's own spans are `tracing`'s, of level `TRACE` under the targets of [`OWN_SPANS`], so that the log does not show
//! them and handlers' own spans have their place among them.

mod client;
mod export;
mod log;
mod origin;
mod propagation;
mod request;
mod settings;
mod start;
mod tasks;

pub(crate) use self::log::with_trace_ids;
pub(crate) use self::origin::Origin;
pub(crate) use self::request::RequestSpan;
pub use self::settings::Traces;
pub(crate) use self::start::{figures, finish, start};
pub(crate) use self::tasks::trace_tasks;

/// The targets of the framework's own spans all begin so.
const OWN_SPANS: [&str; 3] = [
    siding_runtime::LANE_SPANS,
    "siding::request",
    "siding::task",
];
