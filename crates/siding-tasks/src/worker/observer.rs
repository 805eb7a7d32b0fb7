//! Who hears what becomes of tasks in a worker.

use std::fmt;
use std::time::Duration;

use crate::broker::Settlement;
use crate::task::TaskContext;

/// What becomes of a task in a worker.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TaskEvent<'a> {
    /// It was delivered.
    Received(&'a TaskContext),
    /// It has its slot.
    Started(&'a TaskContext),
    /// It was settled, so long after it had its slot.
    Ended(&'a TaskContext, &'a Settlement, Duration),
    /// It was given back.
    Released(&'a TaskContext),
}

/// Hears what becomes of tasks in a worker. It is called in the task's way: it must neither wait nor compute.
pub(crate) trait Observer: fmt::Debug + Send + Sync {
    /// Hears of `event`.
    fn observe(&self, event: TaskEvent<'_>);
}
