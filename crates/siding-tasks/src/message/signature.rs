//! A call that is not sent yet: what follows a task's end.

use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

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

impl Signature {
    /// A call of `task` without arguments.
    #[must_use]
    pub fn new(task: impl Into<String>) -> Self {
        Self {
            task: task.into(),
            args: Vec::new(),
            kwargs: BTreeMap::new(),
            options: SignatureOptions::default(),
            subtask_type: None,
            immutable: false,
        }
    }
}

/// How a signature is sent. What Siding has no use for is kept and passed on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SignatureOptions {
    /// The id that it will have.
    pub task_id: Option<TaskId>,
    /// Every other option, in Celery's names: `queue`, `priority`, `countdown`, `link`, `link_error`, `chord`, …
    pub others: BTreeMap<String, RawJson>,
}

impl SignatureOptions {
    /// The option `name` as a `T`; `None` when it is missing or `null`.
    ///
    /// # Errors
    /// When it is something else.
    pub fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, serde_json::Error> {
        match self.others.get(name) {
            Some(value) => value.read(),
            None => Ok(None),
        }
    }
}

const TASK_ID: &str = "task_id";

/// One object of all options: a flattened map would not keep the text of its values.
impl Serialize for SignatureOptions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let id = self.task_id.as_ref().map(RawJson::of).transpose();
        let id = id.map_err(serde::ser::Error::custom)?;
        let id = id.as_ref().map(|id| (TASK_ID, id));
        let others = self.others.iter().map(|(name, value)| (&**name, value));
        serializer.collect_map(id.into_iter().chain(others))
    }
}

impl<'de> Deserialize<'de> for SignatureOptions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut others = BTreeMap::<String, RawJson>::deserialize(deserializer)?;
        let task_id = match others.remove(TASK_ID) {
            Some(id) => id.read().map_err(D::Error::custom)?,
            None => None,
        };
        Ok(Self { task_id, others })
    }
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
