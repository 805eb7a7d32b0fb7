//! The process lane: a pool of child processes for named functions.
//!
//! # What runs here
//!
//! [`Functions`] that were registered by name before the runtime started: bytes in, bytes out, in between JSON or whatever
//! they choose. A child is this same program, which [`serve_child`] recognises as such. It runs one function at a time, on its
//! main thread, without an event loop; it stays for the next one, with its caches warm and its leaks.
//!
//! What a child prints goes to the log line by line, with the number of its job: standard output as information, standard
//! error as warnings, and lines there that begin with a level, as those of the child's own log do, at that level.
//!
//! # Bound
//!
//! `children` children, 4 unless set, each started when a job first needs it and then kept; at most as many jobs run
//! at once, and beside them `waiting_max` may wait. A child may have `memory_bytes_max` of memory and run
//! `jobs_per_child_max` jobs; then another takes its place. Arguments and results have `frame_bytes_max` bytes at
//! most. A tiny call takes 36 µs there and back, where a closure on a thread takes 11, and the first call of a child the time
//! that the program needs to start, 1.4 ms at least (`cargo bench --bench processes`, two cores). Children give way to the event loop as the threads of [`Compute`](super::Compute) do.
//!
//! # When full
//!
//! A job that finds every waiting place taken is refused at once, with a hint when to come back. When jobs have waited too
//! long for too long, the newest run first and the oldest are refused, until the children keep up again.
//!
//! # Cancellation
//!
//! This lane can really cancel. Dropping the [`Job`] or passing its deadline drops a job that still waits, and kills the child
//! of one that runs, with all that it has started, at whatever it does: SIGKILL, nothing is unwound. Another child takes its
//! place. A child that crashes, or that somebody else kills, fails only the job that it had
//! ([`JobError::Crashed`](super::JobError::Crashed)); it is not tried again, as nobody knows how far it came.
//!
//! # Shutdown
//!
//! Waiting jobs are answered [`JobError::ShutDown`](super::JobError::ShutDown), running ones have until the limit; then their
//! children are killed. None is left behind, also when the parent itself is killed: children see the end of their socket.
//!
//! # Not for
//!
//! Closures, and what must share memory: a child has copies. Work whose arguments and results are large compared to what it
//! does. Code that is trusted and merely computes: [`Compute`](super::Compute) does that without copying anything.
//!
//! # Protocol
//!
//! 1. The parent's [`Keeper`](keeper) makes a pair of sockets and starts the program with one of them as standard input, and
//!    the socket's inode in the environment: that makes it a child ([`program`]).
//! 2. Parent: `Welcome` with the limits. Child: sets them, `Hello` with a fingerprint of its file. A child that is another
//!    program is killed, and the jobs are told.
//! 3. Parent: `Call`. Child: `Returned`, `Failed` or `Panicked`. One at a time ([`wire`]).
//! 4. The parent closes the socket. The child ends.

mod bell;
mod call;
mod child;
mod core;
mod error;
mod fate;
mod functions;
mod inbox;
mod keeper;
mod line;
mod output;
mod process;
mod program;
mod signals;
mod wire;

use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use self::call::Call;
pub use self::child::{is_child, serve_child};
pub use self::error::{CallError, FunctionError, FunctionErrorKind, ProcessEnd};
pub use self::functions::Functions;

use self::core::{Answer, Core, Order};
use self::program::Program;
use super::{Job, LaneKind, LaneSnapshot, Passage};
use crate::config::ProcessesConfig;
use crate::context::WorkContext;
use crate::event::Observers;

/// The process lane. Clones are cheap and share its children.
#[derive(Clone)]
pub struct Processes {
    owned: Arc<Owned>,
}

impl Processes {
    pub(crate) fn new(
        config: ProcessesConfig,
        observers: Observers,
        functions: Functions,
        child_args: Option<Vec<OsString>>,
    ) -> Self {
        let core = Core::new(config, observers, functions, Program::new(child_args));
        Self {
            owned: Arc::new(Owned(Arc::new(core))),
        }
    }

    /// Runs the function `name` in a child and returns a future of its result. `arguments` and result travel as JSON.
    ///
    /// The call is on its way when this returns. Dropping the future cancels it; see [`serve_child`] for a whole program.
    ///
    /// # Errors
    /// With [`CallError::Function`] when there is no such function, its arguments or its result are not of the type that
    /// the other side expects, or are too long; with [`CallError::Job`] when the job was refused, was killed at its
    /// deadline, panicked, or its child crashed.
    pub fn run<A, R>(&self, context: WorkContext, name: &str, arguments: &A) -> Call<R>
    where
        A: Serialize + ?Sized,
        R: DeserializeOwned,
    {
        let job = match serde_json::to_vec(arguments) {
            Ok(arguments) => self.call(context, name, arguments),
            Err(error) => answered(
                name,
                FunctionErrorKind::Arguments(format!("they have no JSON form: {error}")),
            ),
        };
        Call::new(name, job)
    }

    /// As [`run`](Self::run), with arguments and result as the function itself takes and gives them.
    ///
    /// The job's error says that the function was not run to its end, the inner one that it did not take its arguments, or that
    /// its result could not be had.
    pub fn call(
        &self,
        context: WorkContext,
        name: &str,
        arguments: Vec<u8>,
    ) -> Job<Result<Vec<u8>, FunctionError>> {
        let core = &self.owned.0;
        let bytes_max = core.config.frame_bytes_max;
        if !core.functions.contains(name) {
            return answered(name, FunctionErrorKind::Unknown);
        }
        if arguments.len() > bytes_max {
            let bytes = arguments.len();
            return answered(
                name,
                FunctionErrorKind::ArgumentsTooLong { bytes, bytes_max },
            );
        }
        let order = Order {
            name: name.to_owned(),
            arguments,
            passage: Passage::begin(LaneKind::Processes),
        };
        let (job, calling) = Job::parcel(LaneKind::Processes, order);
        core.submit(calling, context);
        job
    }

    /// The functions that can be run.
    #[must_use]
    pub fn functions(&self) -> &Functions {
        &self.owned.0.functions
    }

    /// The figures now.
    #[must_use]
    pub fn snapshot(&self) -> LaneSnapshot {
        self.owned.0.snapshot()
    }

    /// Shuts the lane down and waits for its children to end; at `limit` they are killed.
    pub(crate) fn shut_down(&self, limit: Duration) {
        self.owned.0.stop();
        self.owned.0.join(limit);
    }
}

/// A job that is answered without a child.
fn answered(name: &str, kind: FunctionErrorKind) -> Job<Answer> {
    let (job, calling) = Job::parcel(LaneKind::Processes, ());
    calling.finish(Ok(Err(FunctionError::new(name, kind))));
    job
}

impl fmt::Debug for Processes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Processes").field(&self.snapshot()).finish()
    }
}

/// Sends the keepers away with the last handle: they hold the core, but not this.
struct Owned(Arc<Core>);

impl Drop for Owned {
    fn drop(&mut self) {
        self.0.stop();
    }
}
