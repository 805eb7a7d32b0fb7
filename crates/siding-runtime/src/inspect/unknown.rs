//! [`Unknown`]: what could not be learnt, and why.

use std::borrow::Cow;
use std::io;

/// Something about a thread that could not be learnt on this platform or at this moment.
///
/// Looking into another thread is best effort: a hardened container hides `/proc`, a foreign signal handler
/// forbids stacks, a thread may end while it is looked at. Whoever asks gets this reason to show instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
#[non_exhaustive]
pub struct Unknown {
    reason: Cow<'static, str>,
}

impl Unknown {
    pub(crate) fn because(reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            reason: reason.into(),
        }
    }

    /// A failed system call. The text keeps the cause, because the value must stay cheap to clone and to log.
    pub(crate) fn failed(attempt: &str, error: &io::Error) -> Self {
        Self::because(format!("failed to {attempt}: {error}"))
    }

    /// Why it is unknown: a lower-case fragment to put after "unknown:".
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}
