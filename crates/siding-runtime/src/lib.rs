//! Siding's runtime: lanes, guard, placement, events. No HTTP, no disk.

mod background;
mod builder;
mod config;
mod context;
mod event;
mod guard;
mod handle;
mod histogram;
mod inspect;
mod lane;
mod offload;
mod placement;
mod priority;
mod relief;
mod runtime;
mod timings;

pub use background::{Background, BackgroundEntry};
pub use builder::Builder;
pub use config::{ComputeConfig, Config, PlacementConfig, ProcessesConfig, ThreadsConfig};
pub use context::{RouteId, WorkContext};
pub use event::{Event, Observer, Observers};
pub use guard::Stall;
pub use handle::{EnterGuard, Handle};
pub use histogram::{Counts, Percentiles};
pub use inspect::{BlockedOn, FileKind, Frame, Stack, Target, Unknown};
pub use lane::{
    Call, CallError, CancelToken, Compute, Entering, FunctionError, FunctionErrorKind, Functions,
    Gate, GateError, GateSnapshot, Job, JobError, JobSource, LANE_SPANS, LaneKind, LaneSnapshot,
    Permit, ProcessEnd, Processes, Refusal, RefusalReason, Threads, cancel_token, cancelled,
    is_child, serve_child,
};
pub use offload::{compute, offload};
pub use placement::{
    Evidence, Kind, Move, MoveReason, PendingStack, Placed, Pulse, Route, RouteSnapshot, RouteSpec,
    Routes, Verdict,
};
pub use relief::ReliefSnapshot;
pub use runtime::Runtime;
pub use timings::{Bounds, Timings};

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
