//! Values of Python that JSON has no form for, such as moments and bytes.
//!
//! A Celery worker in Python gets them as what they are: a `datetime`, a `Decimal`, `bytes`. What Python sends as one of
//! them is read by these types, and by others that ask for the like: a moment by whatever reads text, bytes by a
//! `Vec<u8>`, a float that is not a number by an [`f64`].
//!
//! ```
//! use siding_tasks::python::{Bytes, DateTime, Decimal, Float};
//! use siding_tasks::{RawJson, Timestamp};
//!
//! let at = RawJson::of(&DateTime(Timestamp::from_millis(0)))?;
//! assert_eq!(at.get(), r#"{"__type__":"datetime","__value__":"1970-01-01T00:00:00.000000+00:00"}"#);
//! assert_eq!(at.read::<String>()?, "1970-01-01T00:00:00.000000+00:00");
//!
//! assert!(RawJson::of(&Float(f64::NAN))?.read::<f64>()?.is_nan());
//! assert_eq!(RawJson::of(&Bytes(vec![0, 255]))?.read::<Vec<u8>>()?, [0, 255]);
//! assert_eq!(RawJson::of(&Decimal("0.10".to_owned()))?.read::<Decimal>()?.0, "0.10");
//! # Ok::<(), serde_json::Error>(())
//! ```

use std::fmt;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde::de::{Error as _, SeqAccess, Visitor};
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::message::Timestamp;

/// A `float`, also one that is infinite or not a number; serde_json writes `null` for those.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Deserialize)]
#[serde(transparent)]
pub struct Float(pub f64);

/// A `datetime.datetime`, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime(pub Timestamp);

/// A `datetime.date`, such as `2026-01-02`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(transparent)]
pub struct Date(pub String);

/// A `datetime.time`, such as `01:02:00`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(transparent)]
pub struct Time(pub String);

/// A `decimal.Decimal`, such as `1.50`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(transparent)]
pub struct Decimal(pub String);

/// A `uuid.UUID`, with hyphens or without.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(transparent)]
pub struct Uuid(pub String);

/// `bytes`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(pub Vec<u8>);

/// Writes the object that kombu knows a value by.
fn mark<S: Serializer>(
    serializer: S,
    kind: &'static str,
    value: &(impl Serialize + ?Sized),
) -> Result<S::Ok, S::Error> {
    let mut object = serializer.serialize_struct("Mark", 2)?;
    object.serialize_field("__type__", kind)?;
    object.serialize_field("__value__", value)?;
    object.end()
}

impl Serialize for Float {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let name = match self.0 {
            number if number.is_nan() => "NaN",
            f64::INFINITY => "Infinity",
            f64::NEG_INFINITY => "-Infinity",
            number => return serializer.serialize_f64(number),
        };
        mark(serializer, "float", name)
    }
}

impl Serialize for DateTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        mark(serializer, "datetime", &self.0.to_string())
    }
}

impl<'de> Deserialize<'de> for DateTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let moment = Timestamp::parse(&text);
        let moment = moment.ok_or_else(|| {
            D::Error::custom(format!("not a date and time as ISO 8601 has it: {text}"))
        });
        moment.map(Self)
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        mark(serializer, "date", &self.0)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        mark(serializer, "time", &self.0)
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        mark(serializer, "decimal", &self.0)
    }
}

impl Serialize for Uuid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Hex {
            hex: String,
        }
        let hex = self.0.replace('-', "");
        mark(serializer, "uuid", &Hex { hex })
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => mark(serializer, "bytes", text),
            Err(_) => mark(serializer, "base64", &BASE64_STANDARD.encode(&self.0)),
        }
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_byte_buf(BytesVisitor)
    }
}

struct BytesVisitor;

impl<'de> Visitor<'de> for BytesVisitor {
    type Value = Bytes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
        Ok(Bytes(bytes.to_vec()))
    }

    fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
        Ok(Bytes(bytes))
    }

    fn visit_str<E>(self, text: &str) -> Result<Bytes, E> {
        Ok(Bytes(text.as_bytes().to_vec()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut numbers: A) -> Result<Bytes, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = numbers.next_element()? {
            bytes.push(byte);
        }
        Ok(Bytes(bytes))
    }
}
