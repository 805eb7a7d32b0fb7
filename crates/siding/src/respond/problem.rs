//! What a client is told of an error.

use std::borrow::Cow;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};

/// The media type of a [`Problem`].
const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");
/// The members that RFC 9457 gives a meaning to.
const MEMBERS: [&str; 5] = ["type", "title", "status", "detail", "instance"];

/// What went wrong, as a client is told: RFC 9457's `application/problem+json`.
///
/// Handlers return it as the error of a `Result`; [`JobError`](crate::JobError) and [`CallError`](crate::CallError) convert into
/// it, so that `?` works on [`offload`](crate::offload), [`compute`](fn@crate::compute) and
/// [`Processes::run`](crate::Processes::run). With [`Error`](crate::Error) in its place, `?` works on every error.
///
/// ```
/// use siding::{Problem, StatusCode};
///
/// async fn teapot() -> Result<String, Problem> {
///     Err(Problem::new(StatusCode::IM_A_TEAPOT).with_detail("short and stout"))
/// }
///
/// fn out_of_credit(balance: u32) -> Problem {
///     Problem::new(StatusCode::FORBIDDEN)
///         .with_type("https://example.com/probs/out-of-credit", "You do not have enough credit.")
///         .with_member("balance", balance)
/// }
/// # let _ = (teapot, out_of_credit(30));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    detail: Option<Cow<'static, str>>,
    instance: Option<String>,
    retry_after: Option<Duration>,
    /// What few problems have. In a box, so that a `Result` with a problem stays small.
    more: Option<Box<More>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct More {
    /// The URI of its type, and the title that all of that type have.
    kind: Option<(Cow<'static, str>, Cow<'static, str>)>,
    members: Map<String, Value>,
    headers: HeaderMap,
}

impl Problem {
    /// A problem with the status's own title and no detail.
    #[must_use]
    pub const fn new(status: StatusCode) -> Self {
        Self {
            status,
            detail: None,
            instance: None,
            retry_after: None,
            more: None,
        }
    }

    /// An error of the server. What happened goes to the log under a correlation id, and the client gets only the id.
    #[must_use]
    pub fn internal(what: &dyn fmt::Display) -> Self {
        let id = correlation_id();
        tracing::error!(correlation_id = %id, "answered 500: {what}");
        Self {
            instance: Some(format!("urn:uuid:{id}")),
            ..Self::new(StatusCode::INTERNAL_SERVER_ERROR)
                .with_detail("the server failed; its log has the cause under this instance's id")
        }
    }

    /// The same problem, with a sentence that says what would be right.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The same problem, with the time after which trying again is likely to succeed.
    #[must_use]
    pub const fn with_retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// The same problem, with a URI that names its type, and the title that every problem of this type has. Unless set the type is
    /// `about:blank` and the title the status's: the status says it all.
    #[must_use]
    pub fn with_type(
        mut self,
        uri: impl Into<Cow<'static, str>>,
        title: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.more().kind = Some((uri.into(), title.into()));
        self
    }

    /// The same problem, with a member of its own in the JSON, in the place of one of this name.
    ///
    /// # Panics
    /// When the name is one that RFC 9457 gives a meaning to, or the value has no form in JSON.
    #[must_use]
    #[track_caller]
    pub fn with_member(mut self, name: &str, value: impl Serialize) -> Self {
        assert!(
            !MEMBERS.contains(&name),
            "`{name}` is a member that every problem has; the other methods set it"
        );
        let value = serde_json::to_value(value).expect("a member has a form in JSON");
        self.more().members.insert(name.to_owned(), value);
        self
    }

    /// The same problem, with a header of the response, in the place of one of this name: `WWW-Authenticate` with a 401, for one.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.more().headers.insert(name, value);
        self
    }

    /// The response's status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }

    /// Its JSON form.
    pub(crate) fn json(&self) -> Vec<u8> {
        let more = self.more.as_deref();
        let kind = more.and_then(|more| more.kind.as_ref());
        let wire = Wire {
            kind: kind.map_or("about:blank", |(uri, _)| uri),
            title: kind.map_or(title(self.status), |(_, title)| title),
            status: self.status.as_u16(),
            detail: self.detail.as_deref(),
            instance: self.instance.as_deref(),
            members: more.map(|more| &more.members),
        };
        serde_json::to_vec(&wire).expect("strings, numbers and JSON have a JSON form")
    }
}

/// The status's title as RFC 9110 has it; the `http` crate keeps two of its predecessor's.
fn title(status: StatusCode) -> &'static str {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => "Content Too Large",
        StatusCode::UNPROCESSABLE_ENTITY => "Unprocessable Content",
        _ => status.canonical_reason().unwrap_or("Error"),
    }
}

/// The JSON form of a [`Problem`].
#[derive(Serialize)]
struct Wire<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    title: &'a str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<&'a str>,
    #[serde(flatten)]
    members: Option<&'a Map<String, Value>>,
}

/// For logs, and where a problem is the cause of another error.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status.as_u16(), title(self.status))?;
        match &self.detail {
            Some(detail) => write!(f, ": {detail}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Problem {}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.json()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if let Some(more) = self.more {
            *headers = more.headers;
        }
        headers.insert(CONTENT_TYPE, PROBLEM_JSON);
        if let Some(after) = self.retry_after {
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response
    }
}

/// A random id in the form of a version 4 UUID. The standard library seeds its hash states from the operating
/// system's randomness: not fit for secrets, and fit for telling one failure from another.
pub(crate) fn correlation_id() -> String {
    let random = || RandomState::new().hash_one(std::time::SystemTime::now());
    let (high, low) = (random(), random());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0x0fff,
        (low >> 48) & 0x3fff | 0x8000,
        low & 0xffff_ffff_ffff,
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(problem: &Problem, json: &Value) {
        let wire: Value = serde_json::from_slice(&problem.json()).unwrap();
        assert_eq!(&wire, json);
    }

    #[test]
    fn the_status_says_it_all_unless_there_is_a_type() {
        let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY);
        let plain = json!({"type": "about:blank", "title": "Unprocessable Content", "status": 422});
        check(&problem, &plain);
        let typed = problem.with_type("/probs/odd", "This is odd.");
        let json = json!({"type": "/probs/odd", "title": "This is odd.", "status": 422});
        check(&typed, &json);
    }

    #[test]
    fn members_and_headers_are_its_own() {
        let problem = Problem::new(StatusCode::UNAUTHORIZED)
            .with_member("realm", "a")
            .with_member("realm", ["b"])
            .with_header(
                HeaderName::from_static("www-authenticate"),
                HeaderValue::from_static("Bearer"),
            );
        let json =
            json!({"type": "about:blank", "title": "Unauthorized", "status": 401, "realm": ["b"]});
        check(&problem, &json);
        let response = problem.into_response();
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
        assert_eq!(response.headers()[CONTENT_TYPE], PROBLEM_JSON);
    }

    #[test]
    #[should_panic(expected = "`status` is a member that every problem has")]
    fn a_member_that_has_a_meaning_is_refused() {
        let _ = Problem::new(StatusCode::CONFLICT).with_member("status", 200);
    }
}
