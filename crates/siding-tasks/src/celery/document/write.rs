//! Writing results.

use std::collections::BTreeMap;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::builtins::is_builtin;
use crate::celery::python::outward;
use crate::message::{Exception, Message, Meta, RawJson, State, TaskId};

/// The module that errors of Rust tasks are in. Python has none of this name and makes up a class.
const MODULE: &str = "siding";

/// The document of `meta`. With `extended`, what `result_extended` adds is taken from the message.
pub(crate) fn write(meta: &Meta, extended: Option<&Message>) -> String {
    let text = serde_json::to_string(&Document { meta, extended })
        .expect("strings and JSON have a form in JSON");
    // A result that Python would refuse is left to those who read it in Rust; Python says why it cannot.
    match outward(&text) {
        Ok(translated) => translated.into_owned(),
        Err(_) => text,
    }
}

/// `{"exc_type", "exc_message", "exc_module"}`, as results and chord parts hold it.
pub(crate) fn exception(exception: &Exception) -> RawJson {
    RawJson::of(&Exc::of(exception)).expect("strings have a form in JSON")
}

struct Document<'a> {
    meta: &'a Meta,
    extended: Option<&'a Message>,
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let meta = self.meta;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("status", meta.state.as_str())?;
        match meta.state {
            State::Pending => map.serialize_entry("result", &())?,
            State::Started => map.serialize_entry("result", &Runner::of(meta))?,
            State::Success => map.serialize_entry("result", &meta.result)?,
            State::Retry | State::Failure | State::Revoked => {
                map.serialize_entry("result", &meta.exception.as_ref().map(Exc::of))?;
            }
        }
        map.serialize_entry("traceback", &meta.traceback)?;
        map.serialize_entry("children", &Children(&meta.children))?;
        let date_done = meta.date_done.filter(|_| meta.state.is_ready());
        map.serialize_entry("date_done", &date_done.map(|moment| moment.to_string()))?;
        if let Some(group) = &meta.group {
            map.serialize_entry("group_id", group)?;
        }
        if let Some(parent) = &meta.parent_id {
            map.serialize_entry("parent_id", parent)?;
        }
        if let Some(message) = self.extended {
            map.serialize_entry("name", &message.task)?;
            map.serialize_entry("args", &message.args)?;
            map.serialize_entry("kwargs", &message.kwargs)?;
            map.serialize_entry("worker", &meta.worker)?;
            map.serialize_entry("retries", &message.retries)?;
            map.serialize_entry("queue", &message.queue)?;
            stamps(&mut map, message)?;
        }
        map.serialize_entry("task_id", &meta.id)?;
        map.end()
    }
}

/// The stamps of a message, each under its own name.
fn stamps<M: serde::ser::SerializeMap>(map: &mut M, message: &Message) -> Result<(), M::Error> {
    let names = message.headers.get("stamped_headers");
    let stamps = message.headers.get("stamps");
    let (Some(names), Some(stamps)) = (names, stamps) else {
        return Ok(());
    };
    let (Ok(list), Ok(values)) = (
        names.read::<Vec<String>>(),
        stamps.read::<BTreeMap<String, RawJson>>(),
    ) else {
        return Ok(());
    };
    map.serialize_entry("stamped_headers", names)?;
    for (name, value) in values.iter().filter(|(name, _)| list.contains(name)) {
        map.serialize_entry(name, value)?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Exc<'a> {
    exc_type: &'a str,
    exc_message: [&'a str; 1],
    exc_module: &'a str,
}

impl<'a> Exc<'a> {
    fn of(exception: &'a Exception) -> Self {
        let in_python = exception.exc_module == MODULE && is_builtin(&exception.exc_type);
        Self {
            exc_type: &exception.exc_type,
            exc_message: [&exception.message],
            exc_module: if in_python {
                "builtins"
            } else {
                &exception.exc_module
            },
        }
    }
}

/// Who runs it.
#[derive(Serialize)]
struct Runner<'a> {
    pid: u32,
    hostname: Option<&'a str>,
}

impl<'a> Runner<'a> {
    fn of(meta: &'a Meta) -> Self {
        Self {
            pid: std::process::id(),
            hostname: meta.worker.as_deref(),
        }
    }
}

/// Each with its parent, and with its own children if it is a group: neither is kept here.
struct Children<'a>(&'a [TaskId]);

impl Serialize for Children<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|id| ((id, ()), ())))
    }
}
