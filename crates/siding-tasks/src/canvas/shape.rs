//! What a signature stands for.

use std::collections::BTreeMap;

use super::{CanvasError, Kind};
use crate::message::{RawJson, Signature, SignatureOptions, TaskId};

/// What a signature stands for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    /// One task.
    Task,
    /// Tasks after each other.
    Chain(Vec<Signature>),
    /// Tasks beside each other.
    Group(Vec<Signature>),
    /// Tasks beside each other, and one after all of them.
    Chord {
        header: Vec<Signature>,
        /// The id of the header's group.
        group: Option<TaskId>,
        body: Signature,
    },
}

impl Shape {
    /// What `signature` stands for.
    pub(crate) fn of(signature: &Signature) -> Result<Self, CanvasError> {
        match signature.subtask_type.as_deref() {
            None => Ok(Self::Task),
            Some("chain") => Ok(Self::Chain(part(signature, "tasks")?)),
            Some("group") => Ok(Self::Group(part(signature, "tasks")?)),
            Some("chord") => Self::chord(signature),
            Some(other) => {
                let kind = Kind::UnknownType(other.to_owned());
                Err(CanvasError::new(&signature.task, kind))
            }
        }
    }

    fn chord(signature: &Signature) -> Result<Self, CanvasError> {
        let body = part(signature, "body")?;
        // Celery writes a header as a list or as a group.
        let is_list = signature
            .kwargs
            .get("header")
            .is_some_and(|header| header.get().starts_with('['));
        let (header, group) = if is_list {
            (part(signature, "header")?, None)
        } else {
            let group: Signature = part(signature, "header")?;
            (part(&group, "tasks")?, group.options.task_id)
        };
        Ok(Self::Chord {
            header,
            group,
            body,
        })
    }

    /// The signature that stands for this, with `options`.
    pub(crate) fn sign(self, options: SignatureOptions) -> Signature {
        let (task, name, kwargs) = match self {
            Self::Task => unreachable!("a task has a name of its own"),
            Self::Chain(tasks) => ("celery.chain", "chain", vec![("tasks", json(&tasks))]),
            Self::Group(tasks) => ("celery.group", "group", vec![("tasks", json(&tasks))]),
            Self::Chord {
                header,
                group,
                body,
            } => {
                let header = Self::Group(header).sign(SignatureOptions {
                    task_id: group,
                    others: BTreeMap::new(),
                });
                let parts = vec![
                    ("kwargs", json(&BTreeMap::<String, RawJson>::new())),
                    ("header", json(&header)),
                    ("body", json(&body)),
                ];
                ("celery.chord", "chord", parts)
            }
        };
        Signature {
            kwargs: kwargs
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            options,
            subtask_type: Some(name.to_owned()),
            ..Signature::new(task)
        }
    }
}

fn part<T: serde::de::DeserializeOwned>(
    signature: &Signature,
    name: &'static str,
) -> Result<T, CanvasError> {
    let null = RawJson::null();
    signature
        .kwargs
        .get(name)
        .unwrap_or(&null)
        .read()
        .map_err(CanvasError::option(&signature.task, name))
}

/// Signatures and lists of them as JSON.
pub(super) fn json<T: serde::Serialize + ?Sized>(value: &T) -> RawJson {
    RawJson::of(value).expect("signatures are objects with names as keys")
}
