//! Calling functions from handlers.

use std::future::Future;
use std::sync::{Arc, OnceLock};

use serde::Serialize;
use serde::de::DeserializeOwned;
use siding_runtime::{CallError, JobError, RouteId, WorkContext};

/// Calls the functions of an [`App`](crate::App) in child processes. Clones are cheap and are the same handle; it may be part of a
/// state.
///
/// ```
/// use siding::extract::{Path, State};
/// use siding::{App, Problem, Processes, get};
///
/// fn count((from, to): (u64, u64)) -> usize {
///     (from..to).filter(|n| n % 7 == 0).count()
/// }
///
/// async fn sevens(
///     State(processes): State<Processes>,
///     Path(to): Path<u64>,
/// ) -> Result<String, Problem> {
///     let count: usize = processes.run("count", (0, to)).await?;
///     Ok(count.to_string())
/// }
///
/// let app = App::new("example").function("count", count);
/// let processes = app.processes();
/// let app: App = app.route("/sevens/{to}", get(sevens)).with_state(processes);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Processes {
    lane: Arc<OnceLock<siding_runtime::Processes>>,
}

impl Processes {
    /// Runs the function `name` in a child process; `arguments` and result travel as JSON.
    ///
    /// The call is on its way when this returns, within the deadline of the current request. Dropping the future
    /// cancels it, and kills the child if it runs there.
    ///
    /// # Errors
    /// When there is no such function, its arguments or its result are not of the type that the other side expects, the lane
    /// refused the job, the deadline passed, the function panicked, or the child crashed. Before the application runs, and in
    /// a child, every call ends with [`JobError::NotStarted`].
    pub fn run<A, R>(
        &self,
        name: &str,
        arguments: A,
    ) -> impl Future<Output = Result<R, CallError>> + Send + use<A, R>
    where
        A: Serialize,
        R: DeserializeOwned,
    {
        let context = WorkContext::current().unwrap_or(WorkContext::new(RouteId::OFFLOAD));
        let lane = self.lane.get();
        let call = lane.map(|lane| lane.run(context, name, &arguments));
        async move {
            match call {
                Some(call) => call.await,
                None => Err(not_running().into()),
            }
        }
    }

    /// From now on calls go to `lane`.
    pub(crate) fn bind(&self, lane: &siding_runtime::Processes) {
        self.lane.get_or_init(|| lane.clone());
    }
}

fn not_running() -> JobError {
    JobError::NotStarted {
        job: 0,
        reason: "functions can be called only while their application runs, and not from a child process"
            .to_owned(),
    }
}
