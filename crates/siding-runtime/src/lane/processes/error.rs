//! What goes wrong with a function, and how a child process ends.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use crate::lane::JobError;

/// A function that a child did not run to a result, although the child is whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("function `{name}`: {kind}")]
pub struct FunctionError {
    name: String,
    kind: FunctionErrorKind,
}

impl FunctionError {
    pub(super) fn new(name: &str, kind: FunctionErrorKind) -> Self {
        Self {
            name: name.to_owned(),
            kind,
        }
    }

    /// The name that was called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> &FunctionErrorKind {
        &self.kind
    }
}

/// What went wrong with a function.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FunctionErrorKind {
    /// There is none of this name.
    #[error(
        "no function has this name; one must be registered under it before the application runs"
    )]
    Unknown,
    /// The arguments do not encode, or are not of the type that the function takes.
    #[error("its arguments are not what it takes: {0}")]
    Arguments(String),
    /// The encoded arguments are too long.
    #[error(
        "its arguments have {bytes} bytes, and at most {bytes_max} are allowed (`frame_bytes_max`)"
    )]
    ArgumentsTooLong {
        /// Their length.
        bytes: usize,
        /// The longest that is allowed.
        bytes_max: usize,
    },
    /// The result does not encode, or is not of the type that the caller wants.
    #[error("its result is not what the caller wants: {0}")]
    Result(String),
    /// The encoded result is too long.
    #[error(
        "its result has {bytes} bytes, and at most {bytes_max} are allowed (`frame_bytes_max`)"
    )]
    ResultTooLong {
        /// Its length.
        bytes: usize,
        /// The longest that is allowed.
        bytes_max: usize,
    },
    /// A raw function says that it failed, and how.
    #[error("it failed: {0}")]
    Failed(String),
}

/// Why a call has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The job did not run to its end.
    #[error(transparent)]
    Job(#[from] JobError),
    /// The function did not take its arguments, or its result could not be had.
    #[error(transparent)]
    Function(#[from] FunctionError),
}

/// How a child process ended under its job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProcessEnd {
    /// A signal ended it.
    Signal(i32),
    /// It ended by itself with this code.
    Exit(i32),
    /// It sent what makes no sense, and was killed for it.
    Nonsense(String),
    /// Somebody else has asked the system for its status first.
    Unknown,
}

impl From<ExitStatus> for ProcessEnd {
    fn from(status: ExitStatus) -> Self {
        match (status.signal(), status.code()) {
            (Some(signal), _) => Self::Signal(signal),
            (None, Some(code)) => Self::Exit(code),
            (None, None) => Self::Unknown,
        }
    }
}

/// A fragment that follows its subject: `was ended by signal 9 (SIGKILL)`.
impl fmt::Display for ProcessEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signal(signal) => match signal_name(*signal) {
                Some(name) => write!(f, "was ended by signal {signal} ({name})"),
                None => write!(f, "was ended by signal {signal}"),
            },
            Self::Exit(code) => write!(f, "ended with exit code {code}"),
            Self::Nonsense(what) => write!(f, "was killed, because {what}"),
            Self::Unknown => write!(f, "ended, nobody knows how"),
        }
    }
}

/// The signals that end processes by themselves or by somebody's hand.
fn signal_name(signal: i32) -> Option<&'static str> {
    let name = match signal {
        libc::SIGILL => "SIGILL",
        libc::SIGTRAP => "SIGTRAP",
        libc::SIGABRT => "SIGABRT",
        libc::SIGBUS => "SIGBUS",
        libc::SIGFPE => "SIGFPE",
        libc::SIGKILL => "SIGKILL",
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGPIPE => "SIGPIPE",
        libc::SIGALRM => "SIGALRM",
        libc::SIGTERM => "SIGTERM",
        libc::SIGXCPU => "SIGXCPU",
        libc::SIGXFSZ => "SIGXFSZ",
        libc::SIGSYS => "SIGSYS",
        _ => return None,
    };
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_names_its_signal_or_code() {
        for (status, end, text) in [
            (9, ProcessEnd::Signal(9), "was ended by signal 9 (SIGKILL)"),
            (42, ProcessEnd::Signal(42), "was ended by signal 42"),
            (3 << 8, ProcessEnd::Exit(3), "ended with exit code 3"),
        ] {
            let seen = ProcessEnd::from(ExitStatus::from_raw(status));
            assert_eq!(seen, end);
            assert_eq!(seen.to_string(), text);
        }
    }
}
