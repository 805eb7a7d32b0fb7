//! What an external API said.

use schemars::JsonSchema;
use serde::Serialize;

/// The answer of the external API, as it is passed on.
#[derive(JsonSchema, Serialize)]
pub(crate) struct Fetched {
    status: u16,
    body: String,
}

impl Fetched {
    /// Of an answer with this status and body.
    pub(crate) fn new(status: u16, body: &[u8]) -> Self {
        let body = String::from_utf8_lossy(body).into_owned();
        Self { status, body }
    }
}
