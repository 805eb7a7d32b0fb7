//! The name of a value in the cache.

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{Deserializer, Error, Unexpected};

use crate::resources::cache::KEY_BYTES_MAX;

/// A key of the cache, of at most 200 bytes.
#[derive(JsonSchema)]
pub(crate) struct Key(#[schemars(length(min = 1, max = KEY_BYTES_MAX))] String);

impl Key {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.len() > KEY_BYTES_MAX {
            let expected = format!("a key of at most {KEY_BYTES_MAX} bytes");
            return Err(D::Error::invalid_value(
                Unexpected::Other("a longer one"),
                &expected.as_str(),
            ));
        }
        Ok(Self(text))
    }
}
