//! The arguments of a request.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::message::RawJson;

/// The arguments of a request, by name. Those that nobody asks for do no harm.
#[derive(Debug)]
pub(in super::super) struct Arguments(BTreeMap<String, RawJson>);

impl Arguments {
    pub(in super::super) fn new(arguments: BTreeMap<String, RawJson>) -> Self {
        Self(arguments)
    }

    /// An argument, if it was given and is not `null`.
    ///
    /// # Errors
    /// When it is something else than what is wanted.
    pub(super) fn optional<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, String> {
        let Some(value) = self.0.get(name) else {
            return Ok(None);
        };
        let wrong = |error| format!("the argument {name:?} makes no sense here: {error}");
        value.read().map_err(wrong)
    }

    /// An argument.
    ///
    /// # Errors
    /// When it is missing, or something else than what is wanted.
    pub(super) fn required<T: DeserializeOwned>(&self, name: &str) -> Result<T, String> {
        let missing = || format!("the argument {name:?} is missing");
        self.optional(name)?.ok_or_else(missing)
    }

    /// Whether a flag is set, as Python sees it: who asks may say `1` for `true`.
    pub(super) fn flag(&self, name: &str) -> bool {
        match self.0.get(name).map(RawJson::read) {
            Some(Ok(Value::Bool(flag))) => flag,
            Some(Ok(Value::Number(number))) => number.as_f64() != Some(0.0),
            Some(Ok(Value::String(text))) => !text.is_empty(),
            Some(Ok(Value::Array(values))) => !values.is_empty(),
            Some(Ok(Value::Object(fields))) => !fields.is_empty(),
            Some(Ok(Value::Null) | Err(_)) | None => false,
        }
    }

    /// A text, or a list of texts.
    ///
    /// # Errors
    /// When it is missing, or something else.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>, String> {
        match self.required::<String>(name) {
            Ok(text) => Ok(vec![text]),
            Err(_) => self.required(name),
        }
    }
}
