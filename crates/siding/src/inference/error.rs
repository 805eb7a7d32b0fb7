//! Why there is no answer.

use std::sync::Arc;
use std::time::Duration;

/// A model gave no answer. [`kind`](Self::kind) tells what can be done about it; in a handler `?` does the right thing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{client}: {kind}")]
pub struct InferError {
    client: Arc<str>,
    kind: InferErrorKind,
}

/// What can be done about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InferErrorKind {
    /// This process has as many requests under way and waiting as it may. Nothing was sent. Answered 503.
    #[error("too many requests are under way")]
    Refused {
        /// When trying again is likely to succeed.
        retry_after: Duration,
    },
    /// No replica takes requests: it cannot be reached, is busy, or is left alone after failures. No model has seen it. Answered 503.
    #[error("no replica takes the request: {why}")]
    Unavailable {
        /// What was seen last. For the log, not for a client.
        why: String,
        /// When trying again is likely to succeed.
        retry_after: Duration,
    },
    /// There was no answer by the deadline; a model may have worked on it. Answered 504.
    #[error("no answer by the deadline, after {after:?}")]
    DeadlinePassed {
        /// How long it was waited for.
        after: Duration,
    },
    /// The service refused the question (a status from 400 to 499): the model is not there, or its inputs are others. Answered 502.
    #[error("refused with status {status}: {message}")]
    Rejected {
        /// The status.
        status: u16,
        /// What the service said. For the log, not for a client.
        message: String,
    },
    /// A model may have worked on it, and there is no answer that can be used. Answered 502.
    #[error("{0}")]
    Failed(String),
}

impl InferError {
    pub(super) fn new(client: &Arc<str>, kind: InferErrorKind) -> Self {
        Self {
            client: Arc::clone(client),
            kind,
        }
    }

    /// What can be done about it.
    #[must_use]
    pub fn kind(&self) -> &InferErrorKind {
        &self.kind
    }

    /// The name of the client.
    #[must_use]
    pub fn client(&self) -> &str {
        &self.client
    }
}
