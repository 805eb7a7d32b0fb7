//! Requests for one model, gathered into batches.
//!
//! # Bound
//! [`BatchLimits::waiting_max`] requests wait, whatever their number of rows; each holds its tensors.
//!
//! # When full
//! A request is refused at once, with a hint when to come back: what waits, by the time that a batch takes.
//!
//! # Cancellation
//! A request whose caller has left, or whose deadline has passed, is dropped unrun.
//!
//! # Shutdown
//! A closed queue takes no more requests. Those that wait still run.
//!
//! # Order
//! First in, first out. A batch is made of the oldest request and those behind it, as far as they fit together: an incompatible one ends
//! it, so that nobody is overtaken. Whoever runs batches takes the next when it is free; when one is free at once, a batch that is
//! not full waits for others until [`BatchLimits::delay_max`] has passed for its oldest request, or one of its requests would
//! otherwise miss its deadline.

mod assemble;
mod queue;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub(crate) use assemble::{join, split};
pub use queue::{Queue, Refused, Waited};

use crate::protocol::Tensor;

/// What a batch may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    /// The most rows. 1 where a model takes no batches.
    pub rows_max: usize,
    /// How long a request waits for others to share its batch while the model is free.
    pub delay_max: Duration,
    /// Requests that may wait at the same time. Choose what the model can do within a request's deadline.
    pub waiting_max: usize,
}

/// What came of a request.
pub type Outcome = Result<Vec<Tensor>, InferError>;

/// Why a request has no outputs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InferError {
    /// Too many wait.
    #[error("too many requests wait for the model")]
    Overloaded {
        /// When trying again is likely to succeed.
        retry_after: Duration,
    },
    /// The deadline passed before it had run.
    #[error("the deadline passed after the request had waited {waited:?} for the model")]
    DeadlinePassed {
        /// How long it had waited.
        waited: Duration,
    },
    /// The model did not run on it.
    #[error("the model failed: {0}")]
    Failed(String),
    /// The model, or what runs it, panicked. What it said is in the log.
    #[error("the model failed unexpectedly; the server's log says more")]
    Panicked,
    /// The model was unloaded meanwhile.
    #[error("the model was unloaded")]
    Unloaded,
}
