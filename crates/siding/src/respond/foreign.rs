//! Rejections in axum's own routes. There axum makes the response, so its text is all that is left of them.

use std::borrow::Cow;

use axum::body::{Body, HttpBody, to_bytes};
use axum::response::{IntoResponse, Response};

use super::invalid::{Fault, Invalid};
use super::rejection::{REJECTION_BYTES_MAX, current_pattern, in_body, in_query, parameter};
use super::{fill, fill_with, is_plain_text};
use crate::Problem;

/// Reads what comes after the beginning of a rejection.
type Reader = fn(&str) -> Option<Fault>;

/// What axum's rejections begin with that say where the request is wrong, and who reads the rest.
const LOCATED: [(&str, Reader); 5] = [
    (
        "Failed to deserialize the JSON body into the target type: ",
        |rest| Some(tracked(rest, in_body)),
    ),
    ("Failed to deserialize form body: ", |rest| {
        Some(tracked(rest, in_body))
    }),
    ("Failed to deserialize form: ", |rest| {
        Some(tracked(rest, in_query))
    }),
    ("Failed to deserialize query string: ", |rest| {
        Some(tracked(rest, in_query))
    }),
    ("Invalid URL: ", in_path),
];

/// What those begin with that do not.
const PLAIN: [&str; 4] = [
    "Failed to parse the request body as JSON",
    "Failed to buffer the request body",
    "Expected request with `Content-Type: ",
    "Form requests must have `Content-Type: ",
];

/// Makes of a rejection what it would be in a route of Siding's. Every other response stays as it is.
pub(crate) async fn foreign(response: Response) -> Response {
    if !may_be_rejection(&response) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let bytes = match to_bytes(body, REJECTION_BYTES_MAX).await {
        Ok(bytes) => bytes,
        Err(error) => return Problem::internal(&error).into_response(),
    };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let response = Response::from_parts(parts, Body::from(bytes));
    if let Some(fault) = located(&text) {
        return fill_with(response, Invalid::from(fault).into_response());
    }
    match PLAIN.iter().any(|before| text.starts_with(before)) {
        true => fill(response, Some(text)),
        false => response,
    }
}

/// The fault that the text of a rejection of axum's tells.
pub(super) fn located(text: &str) -> Option<Fault> {
    LOCATED
        .iter()
        .find_map(|(before, read)| read(text.strip_prefix(before)?))
}

fn may_be_rejection(response: &Response) -> bool {
    let bytes = response.body().size_hint().exact();
    response.status().is_client_error()
        && is_plain_text(response)
        && bytes.is_some_and(|bytes| (1..=REJECTION_BYTES_MAX as u64).contains(&bytes))
}

/// The fault in `path: message`, or in a message without a path.
fn tracked(text: &str, place: fn(&[&str], &str) -> Fault) -> Fault {
    let (path, message) = match text.split_once(": ") {
        Some((path, message)) if is_path(path) => (path, message),
        _ => ("", text),
    };
    let names: Vec<&str> = path
        .split(['.', '[', ']'])
        .filter(|name| !name.is_empty())
        .collect();
    place(&names, message)
}

/// Whether this is the way to a value: `items[0].name`. What serde says of the whole value has spaces before its colon.
fn is_path(text: &str) -> bool {
    !text.contains(|c: char| c.is_whitespace() || c == '`' || c == '"')
}

/// The fault in what axum says of a parameter of the path. What it says quotes the value, which is left out.
fn in_path(text: &str) -> Option<Fault> {
    let name = |index| parameter(&current_pattern().unwrap_or_default(), index);
    if let Some(key) = text.strip_prefix("Invalid UTF-8 in `") {
        let key = key.strip_suffix('`')?;
        return Some(Fault::path(key.to_owned(), "is not UTF-8"));
    }
    if let Some(rest) = text.strip_prefix("Cannot parse value at index ") {
        let index = rest.split(' ').next()?.parse().ok()?;
        return Some(Fault::path(name(Some(index)), expected(text)));
    }
    let rest = text.strip_prefix("Cannot parse `")?;
    let key = rest.split_once("` with value `");
    let name = key.map_or_else(|| name(None), |(key, _)| key.to_owned());
    Some(Fault::path(name, expected(text)))
}

/// The type that axum names last: one of Rust's own, so that nothing in the value is taken for it.
fn expected(text: &str) -> Cow<'static, str> {
    let named = text
        .rsplit_once(" to a `")
        .and_then(|(_, rest)| rest.strip_suffix('`'));
    match named.filter(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
        Some(name) => format!("expected {name}").into(),
        None => "does not fit".into(),
    }
}
