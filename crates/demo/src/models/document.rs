//! Documents: what clients send, what is kept, and what they get.

use mongodb::bson::oid::ObjectId;
use serde::de::{Deserializer, Error, Unexpected};
use serde::{Deserialize, Serialize};

/// The longest title.
const TITLE_BYTES_MAX: usize = 200;
/// The longest text.
const TEXT_BYTES_MAX: usize = 64 * 1024;

/// `{"title": "Points", "text": "Where tracks part."}`.
#[derive(Deserialize)]
pub(crate) struct NewDocument {
    #[serde(deserialize_with = "of_at_most::<TITLE_BYTES_MAX, _>")]
    title: String,
    #[serde(deserialize_with = "of_at_most::<TEXT_BYTES_MAX, _>")]
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
#[derive(Serialize)]
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

/// Text from 1 to `MAX` bytes, or an error that says so.
fn of_at_most<'de, const MAX: usize, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if (1..=MAX).contains(&text.len()) {
        return Ok(text);
    }
    let found = format!("{} bytes", text.len());
    let expected = format!("text of 1 to {MAX} bytes");
    Err(D::Error::invalid_value(
        Unexpected::Other(&found),
        &expected.as_str(),
    ))
}
