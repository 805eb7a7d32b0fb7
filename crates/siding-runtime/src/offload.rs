//! Leaving the event loop from inside an `async fn`.

use crate::context::{RouteId, WorkContext};
use crate::handle::Handle;
use crate::lane::Job;

/// Runs a blocking closure on the thread lane and returns a future of its result.
///
/// # Errors
///
/// # Panics
/// Outside a Siding runtime.
pub fn offload<F, R>(f: F) -> Job<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    Handle::current().threads().run(context(), f)
}

/// Runs a computing closure on the compute lane and returns a future of its result.
///
/// # Panics
/// Outside a Siding runtime.
pub fn compute<F, R>(f: F) -> Job<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    Handle::current().compute().run(context(), f)
}

fn context() -> WorkContext {
    WorkContext::current().unwrap_or(WorkContext::new(RouteId::OFFLOAD))
}
