//! Between AMQP's values and JSON.

use std::collections::BTreeMap;

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, LongString, ShortString};
use serde_json::{Map, Number, Value};

use crate::celery::parcel::{Parcel, Properties};
use crate::message::RawJson;

/// What RabbitMQ adds to a message on its way. It is no part of the message.
const SERVERS: [&str; 4] = ["x-death", "x-first-death-", "x-last-death-", "x-acquired-"];

/// How many times a quorum queue has delivered a message before.
const DELIVERY_COUNT: &str = "x-delivery-count";

/// The name as AMQP has names: `None` when it is too long.
pub(super) fn name(text: &str) -> Option<ShortString> {
    ShortString::try_new(text).ok()
}

/// A text as arguments and headers have it.
pub(super) fn text(text: &str) -> AMQPValue {
    AMQPValue::LongString(LongString::from(text))
}

/// A table of arguments.
pub(super) fn table<const N: usize>(entries: [(&str, AMQPValue); N]) -> FieldTable {
    let mut table = FieldTable::default();
    for (key, value) in entries {
        if let Some(key) = name(key) {
            table.insert(key, value);
        }
    }
    table
}

/// Headers as a table. One whose name is too long for AMQP is left out.
pub(super) fn headers(headers: &BTreeMap<String, RawJson>) -> FieldTable {
    let mut table = FieldTable::default();
    for (key, value) in headers {
        if let Some(key) = name(key) {
            // All of it is JSON by its type.
            table.insert(key, to_amqp(value.read().unwrap_or(Value::Null)));
        }
    }
    table
}

/// As py-amqp writes it.
fn to_amqp(value: Value) -> AMQPValue {
    match value {
        Value::Null => AMQPValue::Void,
        Value::Bool(value) => AMQPValue::Boolean(value),
        Value::Number(number) => number_to_amqp(&number),
        Value::String(value) => AMQPValue::LongString(value.into()),
        Value::Array(values) => {
            let values: Vec<_> = values.into_iter().map(to_amqp).collect();
            AMQPValue::FieldArray(values.into())
        }
        Value::Object(entries) => {
            let mut table = FieldTable::default();
            for (key, value) in entries {
                if let Some(key) = name(&key) {
                    table.insert(key, to_amqp(value));
                }
            }
            AMQPValue::FieldTable(table)
        }
    }
}

/// Numbers that AMQP has no room for become text.
fn number_to_amqp(number: &Number) -> AMQPValue {
    match number.as_i64() {
        Some(value) => match i32::try_from(value) {
            Ok(value) => AMQPValue::LongInt(value),
            Err(_) => AMQPValue::LongLongInt(value),
        },
        None if number.is_u64() => text(&number.to_string()),
        None => AMQPValue::Double(number.as_f64().unwrap_or(0.0)),
    }
}

/// From AMQP to JSON. Bytes that are no text are shown as well as they can be.
fn to_json(value: &AMQPValue) -> Value {
    match value {
        AMQPValue::Boolean(value) => Value::Bool(*value),
        AMQPValue::ShortShortInt(value) => Value::from(*value),
        AMQPValue::ShortShortUInt(value) => Value::from(*value),
        AMQPValue::ShortInt(value) => Value::from(*value),
        AMQPValue::ShortUInt(value) => Value::from(*value),
        AMQPValue::LongInt(value) => Value::from(*value),
        AMQPValue::LongUInt(value) => Value::from(*value),
        AMQPValue::LongLongInt(value) => Value::from(*value),
        AMQPValue::Float(value) => float_to_json(f64::from(*value)),
        AMQPValue::Double(value) => float_to_json(*value),
        AMQPValue::DecimalValue(decimal) => {
            let value = f64::from(decimal.value) / 10_f64.powi(i32::from(decimal.scale));
            float_to_json(value)
        }
        AMQPValue::ShortString(value) => Value::from(value.as_str()),
        AMQPValue::LongString(value) => Value::from(value.to_string()),
        AMQPValue::FieldArray(values) => values.as_slice().iter().map(to_json).collect(),
        AMQPValue::Timestamp(value) => Value::from(*value),
        AMQPValue::FieldTable(table) => table_to_json(table),
        AMQPValue::ByteArray(bytes) => Value::from(String::from_utf8_lossy(bytes.as_slice())),
        AMQPValue::Void => Value::Null,
    }
}

fn float_to_json(value: f64) -> Value {
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

fn table_to_json(table: &FieldTable) -> Value {
    let entries = table.inner().iter();
    let entries = entries.map(|(key, value)| (key.as_str().to_owned(), to_json(value)));
    Value::Object(entries.collect::<Map<_, _>>())
}

/// What a delivery carries, without what the server added.
pub(super) fn parcel(properties: &BasicProperties, body: Vec<u8>) -> Parcel {
    let mut headers = BTreeMap::new();
    for (key, value) in properties.headers().iter().flatten() {
        let key = key.as_str();
        if key != DELIVERY_COUNT
            && !SERVERS.iter().any(|server| key.starts_with(server))
            && let Ok(value) = RawJson::of(&to_json(value))
        {
            headers.insert(key.to_owned(), value);
        }
    }
    let owned = |text: &Option<ShortString>| text.as_ref().map(|text| text.as_str().to_owned());
    let or = |text, default: &str| owned(text).unwrap_or_else(|| default.to_owned());
    Parcel {
        headers,
        properties: Properties {
            correlation_id: owned(properties.correlation_id()),
            // Python sends an empty text when there is nowhere to send it.
            reply_to: owned(properties.reply_to()).filter(|queue| !queue.is_empty()),
            delivery_mode: properties.delivery_mode().unwrap_or(2),
            priority: properties.priority().unwrap_or(0),
            expiration: owned(properties.expiration()),
        },
        content_type: or(properties.content_type(), "application/json"),
        content_encoding: or(properties.content_encoding(), "utf-8"),
        body,
    }
}

/// How many times a message was delivered, with this one.
pub(super) fn deliveries(properties: &BasicProperties, redelivered: bool) -> u32 {
    let counted = properties
        .headers()
        .as_ref()
        .and_then(|headers| headers.inner().get(DELIVERY_COUNT))
        .and_then(|count| to_json(count).as_u64())
        .and_then(|count| u32::try_from(count).ok());
    match counted {
        Some(before) => before.saturating_add(1),
        None => 1 + u32::from(redelivered),
    }
}

/// The properties of a parcel. A text that is too long for AMQP is left out.
pub(super) fn properties(parcel: &Parcel) -> BasicProperties {
    let from = &parcel.properties;
    let mut properties = BasicProperties::default()
        .with_headers(headers(&parcel.headers))
        .with_delivery_mode(from.delivery_mode)
        .with_priority(from.priority);
    if let Some(content_type) = name(&parcel.content_type) {
        properties = properties.with_content_type(content_type);
    }
    if let Some(encoding) = name(&parcel.content_encoding) {
        properties = properties.with_content_encoding(encoding);
    }
    if let Some(id) = from.correlation_id.as_deref().and_then(name) {
        properties = properties.with_correlation_id(id);
    }
    if let Some(queue) = from.reply_to.as_deref().and_then(name) {
        properties = properties.with_reply_to(queue);
    }
    if let Some(expiration) = from.expiration.as_deref().and_then(name) {
        properties = properties.with_expiration(expiration);
    }
    properties
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn round(json: &str) -> String {
        let value = serde_json::from_str(json).unwrap();
        to_json(&to_amqp(value)).to_string()
    }

    #[test]
    fn json_survives_a_table() {
        let all = r#"{"a":[null,true,1,-2147483649,1.5,"ü",{}],"b":{"c":[]}}"#;
        assert_eq!(round(all), all);
        assert_eq!(round("18446744073709551615"), r#""18446744073709551615""#);
    }

    #[test]
    fn a_parcel_survives_its_properties() {
        let parcel = Parcel {
            headers: BTreeMap::from([
                ("task".to_owned(), RawJson::of("add").unwrap()),
                (
                    "timelimit".to_owned(),
                    RawJson::of(&[None::<u8>, None]).unwrap(),
                ),
            ]),
            properties: Properties {
                correlation_id: Some("id".to_owned()),
                reply_to: Some("here".to_owned()),
                delivery_mode: 2,
                priority: 7,
                expiration: Some("600000".to_owned()),
            },
            content_type: "application/json".to_owned(),
            content_encoding: "utf-8".to_owned(),
            body: b"[[], {}, {}]".to_vec(),
        };
        let properties = properties(&parcel);
        assert_eq!(super::parcel(&properties, parcel.body.clone()), parcel);
    }

    #[test]
    fn what_the_server_adds_is_no_part_of_the_message() {
        let added = table([
            ("task", text("add")),
            ("x-death", AMQPValue::FieldArray(vec![].into())),
            ("x-first-death-queue", text("celery_delayed_3")),
            ("x-delivery-count", AMQPValue::LongLongInt(2)),
        ]);
        let properties = BasicProperties::default().with_headers(added);
        let parcel = parcel(&properties, Vec::new());
        assert_eq!(parcel.headers.into_keys().collect::<Vec<_>>(), ["task"]);
        assert_eq!(deliveries(&properties, true), 3);
        assert_eq!(deliveries(&BasicProperties::default(), true), 2);
        assert_eq!(deliveries(&BasicProperties::default(), false), 1);
    }
}
