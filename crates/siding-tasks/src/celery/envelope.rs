//! The envelope that kombu's Redis transport puts around a message.
//!
//! Source: kombu 5.7, `kombu/transport/virtual/base.py`.

use std::collections::BTreeMap;

use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};

use super::parcel::{Parcel, Properties, Refusal};
use super::python::{inward, outward};
use super::unpack::Known;
use crate::message::RawJson;

/// What else the envelope says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// The exchange it was sent to; empty for the default one.
    pub(crate) exchange: String,
    pub(crate) routing_key: String,
    pub(crate) delivery_tag: String,
    /// Whether it was restored after another worker had it.
    pub(crate) redelivered: bool,
}

/// The text of a parcel in an envelope.
pub(crate) fn seal(parcel: &Parcel, address: &Address) -> String {
    let properties = &parcel.properties;
    let envelope = EnvelopeRef {
        body: BASE64_STANDARD.encode(&parcel.body),
        content_encoding: &parcel.content_encoding,
        content_type: &parcel.content_type,
        headers: InOrder(&parcel.headers),
        properties: PropertiesRef {
            correlation_id: properties.correlation_id.as_deref(),
            reply_to: properties.reply_to.as_deref(),
            delivery_mode: properties.delivery_mode,
            expiration: properties.expiration.as_deref(),
            delivery_info: DeliveryInfoRef {
                exchange: &address.exchange,
                routing_key: &address.routing_key,
                redelivered: address.redelivered.then_some(true),
            },
            priority: properties.priority,
            body_encoding: "base64",
            delivery_tag: &address.delivery_tag,
        },
    };
    let text =
        serde_json::to_string(&envelope).expect("maps of strings and JSON have a form in JSON");
    // What Python would refuse was refused when the parcel was packed; of a parcel that came from Python, it is its own.
    match outward(&text) {
        Ok(translated) => translated.into_owned(),
        Err(_) => text,
    }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct EnvelopeRef<'a> {
    body: String,
    content_encoding: &'a str,
    content_type: &'a str,
    headers: InOrder<'a>,
    properties: PropertiesRef<'a>,
}

#[derive(Serialize)]
struct PropertiesRef<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<&'a str>,
    delivery_mode: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration: Option<&'a str>,
    delivery_info: DeliveryInfoRef<'a>,
    priority: u8,
    body_encoding: &'a str,
    delivery_tag: &'a str,
}

#[derive(Serialize)]
struct DeliveryInfoRef<'a> {
    exchange: &'a str,
    routing_key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    redelivered: Option<bool>,
}

/// Headers in the order that Python writes them in, then the others.
struct InOrder<'a>(&'a BTreeMap<String, RawJson>);

/// As Python writes them.
const ORDER: [&str; 19] = [
    "lang",
    "task",
    "id",
    "shadow",
    "eta",
    "expires",
    "group",
    "group_index",
    "retries",
    "timelimit",
    "root_id",
    "parent_id",
    "argsrepr",
    "kwargsrepr",
    "origin",
    "ignore_result",
    "replaced_task_nesting",
    "stamped_headers",
    "stamps",
];

impl Serialize for InOrder<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for name in ORDER {
            if let Some(value) = self.0.get(name) {
                map.serialize_entry(name, value)?;
            }
        }
        for (name, value) in self.0 {
            if !ORDER.contains(&name.as_str()) {
                map.serialize_entry(name, value)?;
            }
        }
        map.end()
    }
}

/// What is in an envelope. A body whose encoding is not said is taken as it is.
pub(crate) fn open(text: &str) -> Result<(Parcel, Address), Refusal> {
    let text = inward(text);
    let nobody = Known::default();
    let mut envelope = Members::of(&text)
        .map_err(|error| nobody.refuse(format!("not an envelope of kombu: {error}")))?;
    let headers = envelope
        .members("headers")
        .map_err(|why| nobody.refuse(why))?;
    let headers = headers.map_or_else(BTreeMap::new, |members| members.0);
    let known = Known::of(&headers);
    opened(envelope, headers).map_err(|why| known.refuse(why))
}

fn opened(
    mut envelope: Members,
    headers: BTreeMap<String, RawJson>,
) -> Result<(Parcel, Address), String> {
    let mut properties = envelope
        .members("properties")?
        .ok_or("the envelope has no `properties`")?;
    let mut info = properties
        .members("delivery_info")?
        .ok_or("the envelope has no `properties.delivery_info`, without which workers in Python lose the message")?;
    let delivery_tag = properties.text("delivery_tag")?.ok_or(
        "the envelope has no `properties.delivery_tag`, by which a worker claims a message",
    )?;
    let address = Address {
        exchange: info.text("exchange")?.unwrap_or_default(),
        routing_key: info.text("routing_key")?.unwrap_or_default(),
        delivery_tag,
        redelivered: info.text("redelivered")?.is_some_and(|text| text == "true"),
    };
    let parcel = Parcel {
        headers,
        properties: Properties {
            correlation_id: properties.text("correlation_id")?,
            reply_to: properties.text("reply_to")?,
            delivery_mode: properties.small("delivery_mode")?.unwrap_or(2),
            priority: properties.small("priority")?.unwrap_or(0),
            expiration: properties.text("expiration")?,
        },
        content_type: envelope.text("content-type")?.unwrap_or_default(),
        content_encoding: envelope.text("content-encoding")?.unwrap_or_default(),
        body: body(
            envelope.text("body")?.unwrap_or_default(),
            properties.text("body_encoding")?.as_deref(),
        )?,
    };
    Ok((parcel, address))
}

fn body(body: String, encoding: Option<&str>) -> Result<Vec<u8>, String> {
    /// Python cares for no padding beyond what is needed.
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true),
    );
    match encoding {
        None | Some("" | "utf-8" | "UTF-8") => Ok(body.into_bytes()),
        Some("base64") => {
            let body: Vec<u8> = body
                .bytes()
                .filter(|byte| !byte.is_ascii_whitespace())
                .collect();
            LENIENT.decode(body).map_err(|error| {
                format!("the body is not base64, as `body_encoding` says: {error}")
            })
        }
        Some(other) => Err(format!(
            "the body encoding is {other:?}; only base64 and utf-8 are accepted"
        )),
    }
}

/// An object; of a key that comes twice, the last counts, as in Python.
#[derive(Deserialize)]
struct Members(BTreeMap<String, RawJson>);

impl Members {
    fn of(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The object of this name; nothing or `null` is none.
    fn members(&mut self, name: &str) -> Result<Option<Self>, String> {
        match self.0.remove(name) {
            Some(value) => serde_json::from_str(value.get())
                .map_err(|error| format!("`{name}` is not an object: {error}")),
            None => Ok(None),
        }
    }

    /// The string of this name, or the text of a number; nothing or `null` is none.
    fn text(&mut self, name: &str) -> Result<Option<String>, String> {
        let Some(value) = self.0.remove(name) else {
            return Ok(None);
        };
        match value.get().as_bytes().first() {
            Some(b'[' | b'{') => Err(format!("`{name}` is not a string")),
            Some(b'"') | Some(b'n') => serde_json::from_str(value.get())
                .map_err(|error| format!("`{name}` is not a string: {error}")),
            _ => Ok(Some(value.get().to_owned())),
        }
    }

    /// The number from 0 to 255 of this name, or of which the text is there.
    fn small(&mut self, name: &str) -> Result<Option<u8>, String> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        match text.trim().parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(format!("`{name}` is not a number from 0 to 255: {text}")),
        }
    }
}

#[cfg(test)]
#[path = "envelope_tests.rs"]
mod tests;
