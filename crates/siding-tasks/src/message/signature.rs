//! A call that is not sent yet: what follows a task's end.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{RawJson, TaskId};

/// A call of a task that is not sent yet, as Celery writes it inside of messages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Signature {
    /// The name of the task.
    pub task: String,
    /// The positional arguments; unless it is immutable, the result of the task before comes first.
    #[serde(default)]
    pub args: Vec<RawJson>,
    /// The arguments by name.
    #[serde(default)]
    pub kwargs: BTreeMap<String, RawJson>,
    /// How to send it.
    #[serde(default)]
    pub options: SignatureOptions,
    /// `chain`, `group` or `chord` when it stands for several tasks, whose signatures are then in `kwargs`.
    #[serde(default)]
    pub subtask_type: Option<String>,
    /// Whether it ignores the result of the task before.
    #[serde(default)]
    pub immutable: bool,
}

/// How a signature is sent. What Siding has no use for is kept and passed on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SignatureOptions {
    /// The id that it will have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_id: Option<TaskId>,
    /// Every other option, in Celery's names: `queue`, `priority`, `countdown`, `link`, `link_error`, `chord`, …
    #[serde(flatten)]
    pub others: BTreeMap<String, RawJson>,
}

/// What follows a task's end: the third part of a message's body.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Embed {
    /// Sent with the result when the task has succeeded.
    pub callbacks: Vec<Signature>,
    /// Sent with the task's id when it has failed.
    pub errbacks: Vec<Signature>,
    /// The rest of the chain, the next one last.
    pub chain: Vec<Signature>,
    /// Sent with all results when every task of the group has succeeded.
    pub chord: Option<Signature>,
}
