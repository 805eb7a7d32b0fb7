//! The Open Inference Protocol, version 2, over HTTP: a JSON head and the tensors' values behind it, in binary.

mod answer;
mod question;

use http::HeaderName;

pub(super) use answer::{message_in, read};
pub(super) use question::{Question, write};

/// How many bytes of a body are JSON; the rest is binary.
const JSON_LENGTH: HeaderName = HeaderName::from_static("inference-header-content-length");
