//! What was seen of a stall, for people.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use super::verdict::Verdict;
use crate::context::RouteId;
use crate::inspect::Stack;
use crate::lane::LaneKind;

/// A stack that arrives later than the rest of the evidence: symbols are resolved on a thread of their own.
/// Clones share it.
#[derive(Clone, Debug, Default)]
pub struct PendingStack(Arc<OnceLock<Result<Stack, String>>>);

impl PendingStack {
    /// The stack, or why there is none; `None` while the stall lasts, and while it is being resolved.
    #[must_use]
    pub fn get(&self) -> Option<&Result<Stack, String>> {
        self.0.get()
    }

    /// Only the first call counts.
    pub(crate) fn set(&self, stack: Result<Stack, String>) {
        // A second stack for the same evidence is not better than the first.
        let _ = self.0.set(stack);
    }
}

/// One poll that held its thread too long.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// Whose poll it was.
    pub route: RouteId,
    /// The lane that it was on.
    pub lane: LaneKind,
    /// When it began.
    pub at: SystemTime,
    /// How long it had held its thread when last seen; exact to one tick of the monitor.
    pub lasted: Duration,
    /// What it was doing.
    pub verdict: Verdict,
    /// The stack of its thread, taken while it lasted.
    pub stack: PendingStack,
}

impl Evidence {
    /// Whether both tell of one poll: its stack is shared by everything that is known of it.
    pub(crate) fn is_of_the_same_poll(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.stack.0, &other.stack.0)
    }
}
