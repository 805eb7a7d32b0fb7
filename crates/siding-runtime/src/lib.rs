//! Siding's runtime: lanes, guard, placement, events. No HTTP, no disk.

mod config;
mod context;
mod event;
mod guard;
mod histogram;
mod lane;
mod offload;
mod placement;
mod runtime;

pub use config::{ComputeConfig, Config, PlacementConfig, ThreadsConfig};
pub use context::{RouteId, WorkContext};
pub use event::{Event, Observer, Observers};
pub use histogram::Percentiles;
pub use lane::{
    CancelToken, Compute, Job, JobError, JobSource, LaneKind, LaneSnapshot, Refusal, RefusalReason,
    Threads, cancel_token, cancelled,
};
pub use offload::{compute, offload};
pub use placement::{Kind, MoveReason, Placed, Route, RouteSnapshot, RouteSpec, Routes};
pub use runtime::{Builder, EnterGuard, Handle, Runtime};

/// Spawns a guarded task on the current runtime; see [`Handle::spawn`].
///
/// # Panics
/// Outside a Siding runtime.
pub fn spawn<F>(future: F) -> tokio::task::JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    Handle::current().spawn(future)
}
