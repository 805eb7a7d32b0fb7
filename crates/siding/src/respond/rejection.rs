//! Rejections of extractors as responses: where the request is wrong, if they know.

use std::any::Any;
use std::error::Error as StdError;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use axum::body::{Body, to_bytes};
use axum::extract::path::ErrorKind;
use axum::extract::rejection::{FormRejection, JsonRejection, PathRejection, QueryRejection};
use axum::response::{IntoResponse, Response};
use serde_path_to_error::Segment;
use siding_runtime::{Handle, WorkContext};

use super::error::with_sources;
use super::foreign::located;
use super::invalid::{Fault, Invalid, pointer};
use super::wording::{Said, said};
use super::{fill, fill_with, is_plain_text};
use crate::Problem;

/// The longest rejection that is read back to become a problem's detail.
pub(super) const REJECTION_BYTES_MAX: usize = 16 * 1024;

/// Answers for an extractor of a handler. `pattern` is the path as it was routed, which has the names of its parameters.
///
/// What axum's `Json`, `Query`, `Path` and `Form` say of a value that does not fit becomes [`Invalid`]; the text of every other
/// rejection becomes a problem with the same status and headers. A rejection that is not an error, or that has a media type of its
/// own, is its author's business and left alone.
pub(crate) fn rejection<R>(rejection: R, pattern: impl FnOnce() -> Option<String>) -> Response
where
    R: IntoResponse + 'static,
{
    match as_error(&rejection).and_then(|error| fault(error, pattern)) {
        Some(fault) => Invalid::from(fault).into_response(),
        None => plain(rejection.into_response()),
    }
}

/// The path that the handler whose future is polled on this thread is routed at.
pub(crate) fn current_pattern() -> Option<String> {
    let context = WorkContext::current()?;
    let route = Handle::try_current()?.routes().get(context.route)?;
    pattern_in(&route.spec().name)
}

/// The path in the name of a route: its methods come before it.
pub(crate) fn pattern_in(name: &str) -> Option<String> {
    name.split_once(' ').map(|(_, path)| path.to_owned())
}

/// What is answered to a rejection of axum's that has become an error by `?`.
pub(super) fn of_error(error: &(dyn StdError + 'static)) -> Option<Problem> {
    if let Some(fault) = fault(error, current_pattern) {
        return Some(Invalid::from(fault).into());
    }
    let (status, text) = if let Some(error) = error.downcast_ref::<JsonRejection>() {
        (error.status(), error.body_text())
    } else if let Some(error) = error.downcast_ref::<FormRejection>() {
        (error.status(), error.body_text())
    } else {
        return None;
    };
    Some(Problem::new(status).with_detail(text))
}

/// A rejection of those that may know where the request is wrong.
fn as_error(rejection: &dyn Any) -> Option<&(dyn StdError + 'static)> {
    if let Some(rejection) = rejection.downcast_ref::<JsonRejection>() {
        return Some(rejection);
    }
    if let Some(rejection) = rejection.downcast_ref::<QueryRejection>() {
        return Some(rejection);
    }
    if let Some(rejection) = rejection.downcast_ref::<PathRejection>() {
        return Some(rejection);
    }
    let rejection = rejection.downcast_ref::<FormRejection>()?;
    Some(rejection)
}

/// What is wrong with the request, and where, if this is one of axum's rejections that say so.
pub(crate) fn fault(
    error: &(dyn StdError + 'static),
    pattern: impl FnOnce() -> Option<String>,
) -> Option<Fault> {
    if let Some(JsonRejection::JsonDataError(error)) = error.downcast_ref() {
        return tracked::<serde_json::Error>(error, in_body);
    }
    if let Some(QueryRejection::FailedToDeserializeQueryString(error)) = error.downcast_ref() {
        return tracked::<serde::de::value::Error>(error, in_query);
    }
    match error.downcast_ref() {
        Some(FormRejection::FailedToDeserializeFormBody(error)) => {
            return tracked::<serde::de::value::Error>(error, in_body);
        }
        Some(FormRejection::FailedToDeserializeForm(error)) => {
            return tracked::<serde::de::value::Error>(error, in_query);
        }
        _ => {}
    }
    match error.downcast_ref() {
        Some(PathRejection::FailedToDeserializePathParams(error)) => in_path(error.kind(), pattern),
        _ => None,
    }
}

/// The fault of a value whose path was tracked while it was read.
fn tracked<E>(error: &(dyn StdError + 'static), place: fn(&[&str], &str) -> Fault) -> Option<Fault>
where
    E: StdError + 'static,
{
    let tracked = with_sources(error)
        .find_map(|error| error.downcast_ref::<serde_path_to_error::Error<E>>())?;
    let segments: Vec<String> = tracked.path().iter().map_while(name_of).collect();
    let names: Vec<&str> = segments.iter().map(String::as_str).collect();
    Some(place(&names, &tracked.inner().to_string()))
}

/// What a part of the way to a value is called in the request. Beyond a key that is no text it is not known.
fn name_of(segment: &Segment) -> Option<String> {
    match segment {
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Map { key: name } | Segment::Enum { variant: name } => Some(name.clone()),
        Segment::Unknown => None,
    }
}

/// A fault of a value in the body, of which serde says `message`.
pub(super) fn in_body(names: &[&str], message: &str) -> Fault {
    let Said { field, detail } = said(message);
    // A field that is not known is already in the path, one that is missing is not.
    let field = field.filter(|field| names.last() != Some(field));
    Fault::body(&pointer(names.iter().copied().chain(field)), detail)
}

/// A fault of a parameter of the query, of which serde says `message`.
pub(super) fn in_query(names: &[&str], message: &str) -> Fault {
    let Said { field, detail } = said(message);
    let name = names.first().copied().or(field).unwrap_or_default();
    Fault::query(name.to_owned(), detail)
}

/// A fault of a parameter of the path. `None` where the handler does not fit its route, which is no fault of the request.
fn in_path(kind: &ErrorKind, pattern: impl FnOnce() -> Option<String>) -> Option<Fault> {
    let of_type = |name: String, expected: &str| Fault::path(name, format!("expected {expected}"));
    let parameter = |index| parameter(&pattern().unwrap_or_default(), index);
    Some(match kind {
        ErrorKind::ParseErrorAtKey {
            key, expected_type, ..
        } => of_type(key.clone(), expected_type),
        ErrorKind::ParseErrorAtIndex {
            index,
            expected_type,
            ..
        } => of_type(parameter(Some(*index)), expected_type),
        ErrorKind::ParseError { expected_type, .. } => of_type(parameter(None), expected_type),
        ErrorKind::InvalidUtf8InPathParam { key } => Fault::path(key.clone(), "is not UTF-8"),
        ErrorKind::DeserializeError { key, message, .. } => {
            Fault::path(key.clone(), said(message).detail)
        }
        ErrorKind::Message(message) => {
            let Said { field, detail } = said(message);
            let name = field.map_or_else(|| parameter(None), str::to_owned);
            Fault::path(name, detail)
        }
        _ => return None,
    })
}

/// The name of a parameter by its place in the routed path; of the only one there is, without. Empty if it cannot be told.
pub(crate) fn parameter(pattern: &str, index: Option<usize>) -> String {
    let mut names = pattern
        .split('{')
        .filter_map(|part| part.split_once('}'))
        .map(|(name, _)| name.trim_start_matches('*').to_owned());
    let name = match index {
        Some(index) => names.nth(index),
        None => names.next().filter(|_| names.next().is_none()),
    };
    name.unwrap_or_default()
}

/// Turns the text of a rejection into a problem.
fn plain(response: Response) -> Response {
    let status = response.status();
    let error = status.is_client_error() || status.is_server_error();
    if !error || !is_plain_text(&response) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let detail = text_at_hand(body);
    let response = Response::from_parts(parts, Body::empty());
    // The extractors of other crates say it in axum's words.
    match detail.as_deref().and_then(located) {
        Some(fault) => fill_with(response, Invalid::from(fault).into_response()),
        None => fill(response, detail),
    }
}

/// The text of a body that is there already, as every rejection of axum's is.
fn text_at_hand(body: Body) -> Option<String> {
    let reading = pin!(to_bytes(body, REJECTION_BYTES_MAX));
    match reading.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(text)) => Some(String::from_utf8_lossy(&text).into_owned()),
        Poll::Ready(Err(_)) | Poll::Pending => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_named_by_their_route() {
        let name = |pattern, index| parameter(pattern, index);
        assert_eq!(name("/a/{b}/c/{*d}", Some(0)), "b");
        assert_eq!(name("/a/{b}/c/{*d}", Some(1)), "d");
        assert_eq!(name("/a/{b}/c", None), "b");
        assert_eq!(name("/a/{b}/c/{d}", None), "");
        assert_eq!(name("", None), "");
    }
}
