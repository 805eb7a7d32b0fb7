//! What is wrong with a request, fault by fault.

use std::borrow::Cow;
use std::fmt;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::Serialize;

use crate::{Error, Problem};

/// How many faults a problem's `detail` tells; `errors` has all of them.
const TOLD_MAX: usize = 3;
/// What may not stand in the fragment of a URI, and is therefore escaped in a pointer.
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// What is wrong with a request, fault by fault: an error that is answered 422, with the place of each fault in `errors`.
///
/// Extractors make it: axum's `Json`, `Query`, `Path` and `Form` of what does not fit their types, and `extract::Valid` of what
/// breaks a rule. A handler makes one for what only it can know.
///
/// ```
/// use siding::{Error, Fault, Invalid};
///
/// fn register(email: &str) -> Result<(), Error> {
///     if email == "ann@example.com" {
///         return Err(Invalid::from(Fault::body("/email", "is registered already")).into());
///     }
///     Ok(())
/// }
/// # assert!(register("ann@example.com").is_err());
/// ```
///
/// It is answered with
///
/// ```json
/// {"type": "about:blank", "title": "Unprocessable Content", "status": 422,
///  "detail": "body #/email: is registered already",
///  "errors": [{"in": "body", "pointer": "#/email", "detail": "is registered already"}]}
/// ```
///
/// and a parameter that is at fault with `{"in": "query", "name": "page", "detail": "…"}`. An application that wants another form
/// registers a handler: `App::on_error(|invalid: &Invalid| …)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid(Vec<Fault>);

/// One fault of a request: where it is, and what would be right. It does not repeat the value, which may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    #[serde(flatten)]
    place: Place,
    detail: Cow<'static, str>,
}

/// Where in a request a fault is.
///
/// For a body it is a JSON pointer as the fragment of a URI, as in RFC 9457's own example: `#/items/0/name`, and `#` for the whole.
/// A form counts as an object. For the rest it is the parameter's name, which is empty where it is not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "in", rename_all = "lowercase")]
#[non_exhaustive]
pub enum Place {
    /// In the body.
    Body {
        /// The pointer.
        pointer: String,
    },
    /// A parameter of the query.
    Query {
        /// Its name.
        #[serde(skip_serializing_if = "str::is_empty")]
        name: Cow<'static, str>,
    },
    /// A parameter of the path.
    Path {
        /// Its name, as it was routed.
        #[serde(skip_serializing_if = "str::is_empty")]
        name: Cow<'static, str>,
    },
    /// A header.
    Header {
        /// Its name.
        name: Cow<'static, str>,
    },
}

impl Fault {
    /// A fault of the body at a JSON pointer (RFC 6901): `/items/0/name`, or nothing for the whole.
    #[must_use]
    pub fn body(pointer: &str, detail: impl Into<Cow<'static, str>>) -> Self {
        let pointer = format!("#{}", utf8_percent_encode(pointer, ESCAPED));
        Self::new(Place::Body { pointer }, detail)
    }

    /// A fault of a parameter of the query.
    #[must_use]
    pub fn query(name: impl Into<Cow<'static, str>>, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Place::Query { name: name.into() }, detail)
    }

    /// A fault of a parameter of the path.
    #[must_use]
    pub fn path(name: impl Into<Cow<'static, str>>, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Place::Path { name: name.into() }, detail)
    }

    /// A fault of a header.
    #[must_use]
    pub fn header(
        name: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(Place::Header { name: name.into() }, detail)
    }

    fn new(place: Place, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            place,
            detail: detail.into(),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// What would be right.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

/// Names and indices as a JSON pointer.
pub(crate) fn pointer<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().fold(String::new(), |pointer, name| {
        pointer + "/" + &name.replace('~', "~0").replace('/', "~1")
    })
}

impl Invalid {
    /// The faults, in the order in which they were found.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.0
    }
}

impl From<Fault> for Invalid {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}

impl FromIterator<Fault> for Invalid {
    fn from_iter<I: IntoIterator<Item = Fault>>(faults: I) -> Self {
        Self(faults.into_iter().collect())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (place, at) = match &self.place {
            Place::Body { pointer } => ("body", pointer.as_str()),
            Place::Query { name } => ("query", &**name),
            Place::Path { name } => ("path", &**name),
            Place::Header { name } => ("header", &**name),
        };
        match at {
            "" => write!(f, "{place}: {}", self.detail),
            at => write!(f, "{place} {at}: {}", self.detail),
        }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().take(TOLD_MAX).enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{fault}")?;
        }
        match self.0.len().saturating_sub(TOLD_MAX) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

impl std::error::Error for Invalid {}

impl From<&Invalid> for Problem {
    fn from(invalid: &Invalid) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY)
            .with_detail(invalid.to_string())
            .with_member("errors", &invalid.0)
    }
}

impl From<Invalid> for Problem {
    fn from(invalid: Invalid) -> Self {
        Self::from(&invalid)
    }
}

impl IntoResponse for Invalid {
    fn into_response(self) -> Response {
        Error::from(self).into_response()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pointer_is_the_fragment_of_a_uri() {
        let pointer = pointer(["a/b", "m~n", "0", "c d"]);
        assert_eq!(pointer, "/a~1b/m~0n/0/c d");
        let json = json!({"in": "body", "pointer": "#/a~1b/m~0n/0/c%20d", "detail": "odd"});
        assert_eq!(
            json,
            serde_json::to_value(Fault::body(&pointer, "odd")).unwrap()
        );
    }

    #[test]
    fn parameters_are_told_by_their_names() {
        let faults = [
            Fault::query("page", "odd"),
            Fault::path("", "odd"),
            Fault::header("x-key", "odd"),
        ];
        let json = json!([
            {"in": "query", "name": "page", "detail": "odd"},
            {"in": "path", "detail": "odd"},
            {"in": "header", "name": "x-key", "detail": "odd"},
        ]);
        assert_eq!(json, serde_json::to_value(&faults).unwrap());
        let text = Invalid::from_iter(faults).to_string();
        assert_eq!(text, "query page: odd; path: odd; header x-key: odd");
    }

    #[test]
    fn of_many_faults_a_few_are_told() {
        let invalid: Invalid = (0..5).map(|_| Fault::query("a", "odd")).collect();
        assert_eq!(
            invalid.to_string(),
            "query a: odd; query a: odd; query a: odd; and 2 more"
        );
    }
}
