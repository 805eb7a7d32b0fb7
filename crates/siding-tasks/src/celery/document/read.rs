//! Reading results.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Error as _};

use crate::celery::python::{self, inward};
use crate::message::{Exception, Meta, RawJson, State, TaskId, Timestamp};

/// The result that a document is, of this process or of Python. A state of the task's own making is taken as pending.
pub(crate) fn read(text: &[u8]) -> Result<Meta, serde_json::Error> {
    let text = std::str::from_utf8(text).map_err(serde_json::Error::custom)?;
    let mut members = Members(serde_json::from_str(&inward(text))?);
    let id: TaskId = members
        .get("task_id")
        .ok_or_else(|| serde_json::Error::missing_field("task_id"))?;
    let status: String = members
        .get("status")
        .ok_or_else(|| serde_json::Error::missing_field("status"))?;
    let state = State::parse(&status).unwrap_or(State::Pending);
    let value = members.0.remove("result");
    let name = members.get("name").unwrap_or_default();
    let mut meta = Meta {
        state,
        traceback: members.get("traceback"),
        children: members.children(),
        parent_id: members.get("parent_id"),
        group: members.get("group_id"),
        retries: members.get("retries").unwrap_or(0),
        worker: members.get("worker"),
        date_done: members
            .get("date_done")
            .and_then(|text: String| Timestamp::parse(&text)),
        ..Meta::pending(id, name)
    };
    match state {
        State::Pending => {}
        State::Started => {
            meta.worker = value
                .and_then(|value| value.read().ok())
                .map(|runner: Runner| runner.hostname)
        }
        State::Success => meta.result = Some(value.unwrap_or_else(RawJson::null)),
        State::Retry | State::Failure | State::Revoked => {
            meta.exception = value.and_then(|value| exception(&value))
        }
    }
    Ok(meta)
}

/// The members of a document that nobody has asked for yet.
struct Members(BTreeMap<String, RawJson>);

impl Members {
    /// `None` when it is missing, `null`, or no `T`: what only informs makes no result unreadable.
    fn get<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        self.0.remove(name)?.read().ok().flatten()
    }

    /// The tasks that it sent: `[[[id, parent], members of a group], …]`.
    fn children(&mut self) -> Vec<TaskId> {
        let mut ids = Vec::new();
        let mut lists: Vec<Option<Vec<RawJson>>> = vec![self.get("children")];
        while let Some(list) = lists.pop() {
            for child in list.unwrap_or_default() {
                match child.read::<((TaskId, RawJson), Option<Vec<RawJson>>)>() {
                    Ok((_, Some(group))) => lists.push(Some(group)),
                    Ok(((id, _), None)) => ids.push(id),
                    Err(_) => {}
                }
            }
        }
        ids
    }
}

/// Who runs it.
#[derive(Deserialize)]
struct Runner {
    hostname: String,
}

/// An exception as Python keeps it.
#[derive(Deserialize)]
struct Kept {
    exc_type: String,
    #[serde(default)]
    exc_module: Option<String>,
    #[serde(default)]
    exc_message: Option<RawJson>,
}

impl Kept {
    /// One that is kept as something else is shown as it is.
    fn of(value: &RawJson) -> Self {
        value.read().unwrap_or_else(|_| Self {
            exc_type: "Exception".to_owned(),
            exc_module: Some("builtins".to_owned()),
            exc_message: Some(value.clone()),
        })
    }

    fn arguments(&self) -> Vec<RawJson> {
        match &self.exc_message {
            None => Vec::new(),
            Some(list) => list.read().unwrap_or_else(|_| vec![list.clone()]),
        }
    }
}

fn exception(value: &RawJson) -> Option<Exception> {
    if value.get() == "null" {
        return None;
    }
    let kept = Kept::of(value);
    Some(Exception {
        message: message(&kept.arguments()),
        exc_type: kept.exc_type,
        exc_module: kept
            .exc_module
            .unwrap_or_else(|| "celery.exceptions".to_owned()),
    })
}

/// What an exception of these arguments says: the only text, or all of them as Python shows them.
fn message(arguments: &[RawJson]) -> String {
    match arguments {
        [only] => only.read().unwrap_or_else(|_| shown(arguments)),
        _ => shown(arguments),
    }
}

fn shown(arguments: &[RawJson]) -> String {
    let shown: Vec<_> = arguments
        .iter()
        .map(|argument| python::repr(argument.get()))
        .collect();
    shown.join(", ")
}

/// An exception that [`exception`](super::exception) wrote, or Python, as Python's `repr` has it: `ValueError('no')`.
pub(crate) fn exception_repr(exception: &RawJson) -> String {
    let kept = Kept::of(exception);
    format!("{}({})", kept.exc_type, shown(&kept.arguments()))
}
