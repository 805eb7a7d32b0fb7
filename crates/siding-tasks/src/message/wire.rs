//! A message as text: Celery's message protocol version 2, `{"headers", "properties", "body"}`.
//!
//! The body stands there as it is, `[args, kwargs, embed]`, not as text within text. A header that [`Message`] has no field
//! for is kept and written again. What is Siding's own is a header that starts with `siding_`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::body::{Body, BodyRef};
use super::headers::{HeaderError, Headers, Taken};
use super::{Message, Priority, RawJson, TaskId};

/// Why a text is not a message.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WireError {
    /// It is not JSON of that shape.
    #[error("not a message: {0}")]
    Shape(#[from] serde_json::Error),
    /// Its headers are not those of a message.
    #[error(transparent)]
    Headers(#[from] HeaderError),
}

/// The text of `message`.
pub(crate) fn write(message: &Message) -> Result<String, serde_json::Error> {
    serde_json::to_string(&WireRef {
        headers: Headers(message),
        properties: PropertiesRef {
            correlation_id: &message.id,
            delivery_mode: 2,
            priority: message.priority.get(),
            reply_to: message.reply_to.as_deref(),
            delivery_info: DeliveryInfoRef {
                exchange: "",
                routing_key: &message.queue,
            },
        },
        body: BodyRef::of(message),
    })
}

/// The message that `text` is.
pub(crate) fn read(text: &str) -> Result<Message, WireError> {
    let wire: Wire = serde_json::from_str(text)?;
    let mut message = Taken(wire.headers).message()?;
    wire.body.fill(&mut message);
    if let Some(info) = wire.properties.delivery_info {
        message.queue = info.routing_key;
    }
    message.priority =
        Priority::new(wire.properties.priority.unwrap_or(0)).unwrap_or(Priority::MAX);
    message.reply_to = wire.properties.reply_to;
    Ok(message)
}

#[derive(Serialize)]
struct WireRef<'a> {
    headers: Headers<'a>,
    properties: PropertiesRef<'a>,
    body: BodyRef<'a>,
}

#[derive(Serialize)]
struct PropertiesRef<'a> {
    correlation_id: &'a TaskId,
    delivery_mode: u8,
    priority: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<&'a str>,
    delivery_info: DeliveryInfoRef<'a>,
}

#[derive(Serialize)]
struct DeliveryInfoRef<'a> {
    exchange: &'a str,
    routing_key: &'a str,
}

#[derive(Deserialize)]
struct Wire {
    headers: BTreeMap<String, RawJson>,
    #[serde(default)]
    properties: Properties,
    body: Body,
}

#[derive(Default, Deserialize)]
struct Properties {
    priority: Option<u8>,
    reply_to: Option<String>,
    delivery_info: Option<DeliveryInfo>,
}

#[derive(Deserialize)]
struct DeliveryInfo {
    routing_key: String,
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
