//! Documents: what clients send, what is kept, and what they get.

use garde::Validate;
use mongodb::bson::oid::ObjectId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The longest title.
const TITLE_BYTES_MAX: usize = 200;
/// The longest text.
const TEXT_BYTES_MAX: usize = 64 * 1024;

/// `{"title": "Points", "text": "Where tracks part."}`.
#[derive(Deserialize, JsonSchema, Validate)]
pub(crate) struct NewDocument {
    #[garde(custom(at_most::<TITLE_BYTES_MAX>))]
    #[schemars(length(min = 1, max = TITLE_BYTES_MAX))]
    title: String,
    #[garde(custom(at_most::<TEXT_BYTES_MAX>))]
    #[schemars(length(min = 1, max = TEXT_BYTES_MAX))]
    text: String,
}

/// A document as MongoDB has it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct StoredDocument {
    #[serde(rename = "_id")]
    id: ObjectId,
    title: String,
    text: String,
}

/// A document as clients get it.
#[derive(JsonSchema, Serialize)]
pub(crate) struct Document {
    id: String,
    title: String,
    text: String,
}

impl From<NewDocument> for StoredDocument {
    fn from(new: NewDocument) -> Self {
        Self {
            id: ObjectId::new(),
            title: new.title,
            text: new.text,
        }
    }
}

impl From<StoredDocument> for Document {
    fn from(stored: StoredDocument) -> Self {
        Self {
            id: stored.id.to_hex(),
            title: stored.title,
            text: stored.text,
        }
    }
}

/// The rule of a text: 1 to `MAX` bytes.
fn at_most<const MAX: usize>(text: &str, (): &()) -> garde::Result {
    match (1..=MAX).contains(&text.len()) {
        true => Ok(()),
        false => Err(garde::Error::new(format!("not a text of 1 to {MAX} bytes"))),
    }
}
