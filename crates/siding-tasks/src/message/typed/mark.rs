//! What a mark says.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::value::RawValue;

pub(super) const TYPE: &str = "__type__";
pub(super) const VALUE: &str = "__value__";

/// Whether JSON text may have marks. Few texts have the key that all of them have.
pub(super) fn may_be_in(text: &str) -> bool {
    text.contains("\"__type__\"")
}

/// A value whose type Python has marked.
#[derive(Debug, PartialEq)]
pub(super) enum Mark {
    /// A moment, a date, a time, a decimal number or a UUID.
    Text(String),
    Bytes(Vec<u8>),
    /// One that JSON has no form for.
    Float(f64),
}

impl Mark {
    /// The mark of these two members of an object; `None` when kombu knows no such type, or the value is none of it.
    pub(super) fn of(kind: &RawValue, value: &RawValue) -> Option<Self> {
        let kind: String = serde_json::from_str(kind.get()).ok()?;
        let text = || serde_json::from_str::<String>(value.get()).ok();
        match kind.as_str() {
            "datetime" | "date" | "time" | "decimal" => text().map(Self::Text),
            "uuid" => uuid(value).map(Self::Text),
            "bytes" => text().map(String::into_bytes).map(Self::Bytes),
            "base64" => BASE64_STANDARD.decode(text()?).ok().map(Self::Bytes),
            "float" => match text()?.as_str() {
                "NaN" => Some(Self::Float(f64::NAN)),
                "Infinity" => Some(Self::Float(f64::INFINITY)),
                "-Infinity" => Some(Self::Float(f64::NEG_INFINITY)),
                _ => None,
            },
            _ => None,
        }
    }
}

/// The hyphenated text of `{"hex": "…"}`.
fn uuid(value: &RawValue) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Hex {
        hex: String,
    }
    let Hex { hex } = serde_json::from_str(value.get()).ok()?;
    let uuid = uuid::Uuid::parse_str(&hex).ok()?;
    Some(uuid.to_string())
}
