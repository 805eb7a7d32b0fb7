//! From a message to what a transport carries.
//!
//! Source: Celery 5.7, `celery/app/amqp.py` (`as_task_v2`); kombu 5.7, `kombu/messaging.py`.

use std::collections::BTreeMap;

use serde::ser::Error as _;

use super::compression;
use super::parcel::{Parcel, Properties};
use super::python::{args_repr, kwargs_repr, outward};
use crate::message::body::BodyRef;
use crate::message::headers::{Headers, NEUTRAL};
use crate::message::{Message, RawJson, Timestamp};

/// `message` as Celery's protocol 2 has it, with every header that Python sends. The headers are JSON as this process has it;
/// who writes them as text translates them.
///
/// # Errors
/// When an argument or a header has a form that Python would refuse to read, or the body is to be compressed in a way that
/// is not known.
pub(crate) fn pack(message: &Message) -> Result<Parcel, serde_json::Error> {
    let text = serde_json::to_string(&BodyRef::of(message))?;
    let body = outward(&text)?.into_owned().into_bytes();
    let headers = headers(message)?;
    for value in headers.values() {
        outward(value.get())?;
    }
    Ok(Parcel {
        properties: Properties {
            correlation_id: Some(message.id.to_string()),
            reply_to: message.reply_to.clone(),
            delivery_mode: 2,
            priority: message.priority.get(),
            expiration: message.expires.map(|expires| {
                let left = expires.since(Timestamp::now());
                left.as_millis().to_string()
            }),
        },
        content_type: "application/json".to_owned(),
        content_encoding: "utf-8".to_owned(),
        body: compressed(body, &headers)?,
        headers,
    })
}

fn headers(message: &Message) -> Result<BTreeMap<String, RawJson>, serde_json::Error> {
    let mut headers: BTreeMap<String, RawJson> = RawJson::of(&Headers(message))?.read()?;
    for (name, neutral) in NEUTRAL {
        if !headers.contains_key(name) {
            headers.insert(name.to_owned(), RawJson::parse(neutral.to_owned())?);
        }
    }
    // A retry has the text that came with it: the arguments are the same.
    let mut text = |name: &str, text: &dyn Fn() -> String| {
        if !headers.contains_key(name) {
            headers.insert(name.to_owned(), RawJson::of(&text())?);
        }
        Ok::<(), serde_json::Error>(())
    };
    text("argsrepr", &|| args_repr(&message.args))?;
    text("kwargsrepr", &|| kwargs_repr(&message.kwargs))?;
    if message.root_id.is_none() {
        headers.insert("root_id".to_owned(), RawJson::of(&message.id)?);
    }
    if message.origin.is_none() {
        headers.insert("origin".to_owned(), RawJson::of(&crate::host::origin())?);
    }
    Ok(headers)
}

fn compressed(
    body: Vec<u8>,
    headers: &BTreeMap<String, RawJson>,
) -> Result<Vec<u8>, serde_json::Error> {
    let method: Option<String> = match headers.get(compression::HEADER) {
        Some(method) => method.read()?,
        None => None,
    };
    match method {
        None => Ok(body),
        Some(method) if compression::is_known(&method) => {
            compression::compress(&body).map_err(serde_json::Error::io)
        }
        Some(other) => Err(serde_json::Error::custom(format!(
            "the header `compression` is {other:?}; this process knows application/x-gzip"
        ))),
    }
}

#[cfg(test)]
#[path = "pack_tests.rs"]
mod tests;
