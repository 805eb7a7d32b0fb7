//! How a plain function learns that nobody waits for it any more.

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Instant;

use crate::context::WorkContext;

/// A claim on the result of a running job.
pub(super) trait Claim: Send + Sync {
    /// Whether nobody wants the result any more.
    fn abandoned(&self) -> bool;
}

/// Tells whether the work that asked for it is still wanted. Clones are cheap and agree; it may be sent to other threads,
/// those of a `par_iter` for instance.
///
/// # Examples
///
/// ```
/// # fn work(_row: u32) {}
/// fn report(rows: Vec<u32>) {
///     let token = siding_runtime::cancel_token();
///     for row in rows {
///         if token.is_cancelled() {
///             return; // the client left, or its deadline passed
///         }
///         work(row);
///     }
/// }
/// # report(vec![1, 2]);
/// ```
#[derive(Clone, Default)]
pub struct CancelToken {
    claim: Option<Arc<dyn Claim>>,
    deadline: Option<Instant>,
}

impl CancelToken {
    /// Whether the job's future was dropped, or its deadline has passed.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.claim.as_ref().is_some_and(|claim| claim.abandoned())
            || self.deadline.is_some_and(|at| at <= Instant::now())
    }
}

impl fmt::Debug for CancelToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelToken")
            .field("cancelled", &self.is_cancelled())
            .field("deadline", &self.deadline)
            .finish()
    }
}

/// The token of the job that runs on this thread. Outside any job it is cancelled only by the deadline of the current
/// work, if there is one.
#[must_use]
pub fn cancel_token() -> CancelToken {
    CancelToken {
        claim: CURRENT.with_borrow(Clone::clone),
        deadline: WorkContext::current().and_then(|context| context.deadline),
    }
}

/// Whether nobody waits for the job that runs on this thread: its future was dropped, or its deadline has passed.
#[must_use]
pub fn cancelled() -> bool {
    cancel_token().is_cancelled()
}

thread_local! {
    static CURRENT: RefCell<Option<Arc<dyn Claim>>> = const { RefCell::new(None) };
}

/// Makes `claim` the one of the work that runs on this thread until the returned value is dropped. Nests: a thread of the
/// compute lane may run a job while it waits for another's parts.
pub(super) fn enter(claim: Option<Arc<dyn Claim>>) -> CancelScope {
    CancelScope {
        outer: CURRENT.replace(claim),
        not_send: PhantomData,
    }
}

/// The scope of one job; see [`enter`].
#[must_use]
pub(super) struct CancelScope {
    outer: Option<Arc<dyn Claim>>,
    /// The scope belongs to the thread that entered it.
    not_send: PhantomData<*const ()>,
}

impl Drop for CancelScope {
    fn drop(&mut self) {
        CURRENT.set(self.outer.take());
    }
}
