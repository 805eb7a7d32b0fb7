//! Work of this crate that nobody waits for.

use tokio::task::JoinHandle;

/// Spawns on the Siding runtime of this thread; without one, on tokio's.
///
/// # Panics
/// Outside both.
pub(crate) fn spawn(future: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    match siding_runtime::Handle::try_current() {
        Some(runtime) => runtime.spawn_as(siding_runtime::RouteId::BACKGROUND, future),
        None => tokio::runtime::Handle::current().spawn(future),
    }
}
