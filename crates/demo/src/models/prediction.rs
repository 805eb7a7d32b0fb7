//! What kind of file something is.

use schemars::JsonSchema;
use serde::Serialize;

/// The answer of `/predict`.
#[derive(JsonSchema, Serialize)]
pub(crate) struct Prediction {
    /// Magika's short name: `python`, say.
    pub(crate) label: String,
    pub(crate) mime: String,
    pub(crate) group: String,
    pub(crate) description: String,
    pub(crate) is_text: bool,
    /// How sure the model is, from 0 to 1.
    pub(crate) score: f64,
}
