//! Addresses of electronic mail, as far as they can be checked without sending any.

use serde::Deserialize;
use serde::de::{Deserializer, Error, Unexpected};

/// As long as an address may be in an envelope (RFC 5321, section 4.5.3.1).
const BYTES_MAX: usize = 254;

/// Reads an address: something before an `@`, something after it, and nothing that cannot be seen.
pub(crate) fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if is_address(&text) {
        return Ok(text);
    }
    Err(D::Error::invalid_value(
        Unexpected::Str(&text),
        &"an address such as ann@example.com",
    ))
}

fn is_address(text: &str) -> bool {
    let visible = !text.contains(|c: char| c.is_whitespace() || c.is_control());
    let parts = text.rsplit_once('@');
    let complete = parts.is_some_and(|(user, host)| !user.is_empty() && !host.is_empty());
    visible && complete && text.len() <= BYTES_MAX
}
