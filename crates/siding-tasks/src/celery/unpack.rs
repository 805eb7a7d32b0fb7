//! From what a transport carries to a message.
//!
//! Source: Celery 5.7, `celery/worker/consumer/consumer.py` (`create_task_handler`), `celery/worker/strategy.py` and
//! `celery/worker/request.py`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::compression;
use super::parcel::{Parcel, Refusal};
use super::python::inward;
use crate::message::body::{Body, ReadEmbed};
use crate::message::headers::Taken;
use crate::message::{Message, Priority, RawJson, TaskId};

/// What a compressed body may have at most.
const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The message that came in `queue`: of protocol 2, or of protocol 1 when it has no headers.
pub(crate) fn unpack(parcel: &Parcel, queue: &str) -> Result<Message, Refusal> {
    let known = Known::of(&parcel.headers);
    let body = text(parcel).map_err(|why| known.refuse(why))?;
    let mut message = match known.task.is_some() && !body.trim_start().starts_with('{') {
        true => protocol_2(parcel, &body).map_err(|why| known.refuse(why))?,
        false => protocol_1(parcel, &body)?,
    };
    let properties = &parcel.properties;
    queue.clone_into(&mut message.queue);
    message.priority = Priority::new(properties.priority).unwrap_or(Priority::MAX);
    message.reply_to = properties
        .reply_to
        .clone()
        .filter(|queue| !queue.is_empty());
    // Python takes a limit of zero for none.
    let limits = &mut message.time_limits;
    limits.hard = limits.hard.filter(|limit| *limit > Duration::ZERO);
    limits.soft = limits.soft.filter(|limit| *limit > Duration::ZERO);
    Ok(message)
}

/// What is known of a message before it is read.
#[derive(Default)]
pub(super) struct Known {
    id: Option<TaskId>,
    task: Option<String>,
}

impl Known {
    pub(super) fn of(headers: &BTreeMap<String, RawJson>) -> Self {
        let text = |name| headers.get(name)?.read::<String>().ok();
        Self {
            id: text("id").map(TaskId::from),
            task: text("task"),
        }
    }

    pub(super) fn refuse(&self, why: impl Into<String>) -> Refusal {
        Refusal {
            id: self.id.clone(),
            task: self.task.clone(),
            why: why.into(),
        }
    }
}

/// The body as JSON.
fn text(parcel: &Parcel) -> Result<String, String> {
    let bytes = decompressed(parcel)?;
    if !matches!(parcel.content_type.as_str(), "" | "application/json") {
        return Err(format!(
            "the content type is {:?}; only application/json is accepted: set Celery's `task_serializer` to \"json\"",
            parcel.content_type
        ));
    }
    let encoding = parcel.content_encoding.to_ascii_lowercase();
    if !matches!(
        encoding.as_str(),
        "" | "utf-8" | "utf8" | "ascii" | "us-ascii"
    ) {
        return Err(format!(
            "the content encoding is {encoding:?}; only utf-8 is accepted"
        ));
    }
    let text =
        std::str::from_utf8(&bytes).map_err(|error| format!("the body is not UTF-8: {error}"))?;
    Ok(inward(text).into_owned())
}

fn decompressed(parcel: &Parcel) -> Result<Cow<'_, [u8]>, String> {
    let method = match parcel.headers.get(compression::HEADER) {
        Some(method) => method
            .read::<Option<String>>()
            .unwrap_or_else(|_| Some(method.get().to_owned())),
        None => None,
    };
    match method {
        Some(method) if compression::is_known(&method) => {
            let body = compression::decompress(&parcel.body, BODY_BYTES_MAX);
            let body = body
                .map_err(|error| format!("the body cannot be decompressed as {method}: {error}"))?;
            Ok(Cow::Owned(body))
        }
        Some(method) if !method.is_empty() => Err(format!(
            "the body is compressed as {method:?}; only application/x-gzip is accepted: set Celery's `task_compression` to \
             \"gzip\" or leave it out"
        )),
        _ => Ok(Cow::Borrowed(&parcel.body)),
    }
}

fn protocol_2(parcel: &Parcel, body: &str) -> Result<Message, String> {
    let body: Body = serde_json::from_str(body)
        .map_err(|error| format!("the body is not [args, kwargs, embed]: {error}"))?;
    let mut message = Taken(parcel.headers.clone())
        .message()
        .map_err(|error| error.to_string())?;
    body.fill(&mut message);
    Ok(message)
}

/// What Celery before 4 wrote, with everything in the body. Of what is in the headers too, these count.
fn protocol_1(parcel: &Parcel, body: &str) -> Result<Message, Refusal> {
    let known = Known::of(&parcel.headers);
    let mut members: BTreeMap<String, RawJson> = serde_json::from_str(body).map_err(|error| {
        let what = match known.task {
            Some(_) => "the body is neither [args, kwargs, embed] nor an object",
            None => {
                "it has no header `task`, and the body is no object, which protocol 1 would have"
            }
        };
        known.refuse(format!("{what}: {error}"))
    })?;
    if let Some(group) = members.remove("taskset") {
        members.insert("group".to_owned(), group);
    }
    let parts = Parts::taken_from(&mut members);
    members.retain(|name, _| HEADERS.contains(&name.as_str()));
    members.extend(parcel.headers.clone());
    let known = Known::of(&members);
    let parts = parts.map_err(|why| known.refuse(why))?;
    let mut message = Taken(members)
        .message()
        .map_err(|error| known.refuse(error.to_string()))?;
    Body(parts.args, parts.kwargs, Some(parts.embed)).fill(&mut message);
    Ok(message)
}

/// What of a body of protocol 1 is a header in protocol 2.
const HEADERS: [&str; 14] = [
    "task",
    "id",
    "root_id",
    "parent_id",
    "group",
    "group_index",
    "shadow",
    "eta",
    "expires",
    "retries",
    "timelimit",
    "argsrepr",
    "kwargsrepr",
    "origin",
];

/// What of a body of protocol 1 is none.
struct Parts {
    args: Option<Vec<RawJson>>,
    kwargs: Option<BTreeMap<String, RawJson>>,
    embed: ReadEmbed,
}

impl Parts {
    fn taken_from(members: &mut BTreeMap<String, RawJson>) -> Result<Self, String> {
        Ok(Self {
            args: take(members, "args", "a list")?,
            kwargs: take(members, "kwargs", "an object")?,
            embed: ReadEmbed {
                callbacks: take(members, "callbacks", "a list of signatures")?,
                errbacks: take(members, "errbacks", "a list of signatures")?,
                chain: None,
                chord: take(members, "chord", "a signature")?,
            },
        })
    }
}

fn take<T: for<'de> Deserialize<'de>>(
    members: &mut BTreeMap<String, RawJson>,
    name: &str,
    wanted: &str,
) -> Result<Option<T>, String> {
    let Some(value) = members.remove(name) else {
        return Ok(None);
    };
    value
        .read()
        .map_err(|error| format!("`{name}` is not {wanted}: {error}"))
}

#[cfg(test)]
#[path = "unpack_tests.rs"]
mod tests;
