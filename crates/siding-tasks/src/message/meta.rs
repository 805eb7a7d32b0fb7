//! What became of a task.

use std::fmt;

use super::{RawJson, TaskId, Timestamp};

/// What a task is at, in Celery's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// It waits, or nobody knows it.
    Pending,
    /// A worker runs it.
    Started,
    /// It failed and waits to be tried again.
    Retry,
    /// It returned.
    Success,
    /// It failed for good.
    Failure,
    /// It was told not to run, or expired.
    Revoked,
}

impl State {
    /// Celery's name of it, such as `SUCCESS`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Started => "STARTED",
            Self::Retry => "RETRY",
            Self::Success => "SUCCESS",
            Self::Failure => "FAILURE",
            Self::Revoked => "REVOKED",
        }
    }

    /// The state of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        const ALL: [State; 6] = [
            State::Pending,
            State::Started,
            State::Retry,
            State::Success,
            State::Failure,
            State::Revoked,
        ];
        ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Whether nothing will change any more.
    #[must_use]
    pub const fn is_ready(self) -> bool {
        matches!(self, Self::Success | Self::Failure | Self::Revoked)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why a task failed, as Celery's results say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// The type's name, such as `ValueError`.
    pub exc_type: String,
    /// The module it is in, such as `builtins`.
    pub exc_module: String,
    /// What it says.
    pub message: String,
}

impl Exception {
    /// Celery's exception of a revoked task. `reason` is `revoked`, `terminated` or `expired`.
    pub(crate) fn revoked(reason: impl Into<String>) -> Self {
        Self {
            exc_type: "TaskRevokedError".to_owned(),
            exc_module: "celery.exceptions".to_owned(),
            message: reason.into(),
        }
    }
}

/// What became of a task: Celery's result document.
#[derive(Clone, Debug, PartialEq)]
pub struct Meta {
    /// The task.
    pub id: TaskId,
    /// Its name.
    pub task: String,
    /// What it is at.
    pub state: State,
    /// What it returned, when it succeeded.
    pub result: Option<RawJson>,
    /// Why it failed, is tried again, or was revoked.
    pub exception: Option<Exception>,
    /// Where it failed, as text.
    pub traceback: Option<String>,
    /// The tasks that it sent, successors included.
    pub children: Vec<TaskId>,
    /// The task that sent it.
    pub parent_id: Option<TaskId>,
    /// The group it is part of.
    pub group: Option<String>,
    /// How many times it was retried.
    pub retries: u32,
    /// The worker that settled it, or runs it.
    pub worker: Option<String>,
    /// When it reached its end.
    pub date_done: Option<Timestamp>,
}

impl Meta {
    /// Of a task of which nothing is known but its id and its name.
    #[must_use]
    pub fn pending(id: TaskId, task: String) -> Self {
        Self {
            id,
            task,
            state: State::Pending,
            result: None,
            exception: None,
            traceback: None,
            children: Vec::new(),
            parent_id: None,
            group: None,
            retries: 0,
            worker: None,
            date_done: None,
        }
    }
}
