//! Between Python's JSON and JSON.
//!
//! Python writes and reads `NaN`, `Infinity` and `-Infinity` outside of strings, which is no JSON. Inside of this process they
//! are marked, as kombu marks its types: `{"__type__":"float","__value__":"NaN"}`. All else stays as it is: integers of any
//! size, lone surrogates, keys that come twice.
//!
//! Source: kombu 5.7, `kombu/utils/json.py`.

use std::borrow::Cow;

use serde::ser::Error as _;

use super::tokens::{Kind, Token, Tokens, end_of_string};

/// The types that kombu knows.
const KNOWN: [&str; 7] = [
    "bytes", "base64", "datetime", "date", "time", "decimal", "uuid",
];

/// The floats that JSON has no form for.
const FLOATS: [&str; 3] = ["NaN", "Infinity", "-Infinity"];

/// What Python wrote, as JSON. Text that is neither stays what it is.
pub(crate) fn inward(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    if !bytes.iter().any(|byte| matches!(byte, b'N' | b'I')) {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    let (mut copied, mut at) = (0, 0);
    while let Some(byte) = bytes.get(at) {
        at = match byte {
            b'"' => end_of_string(bytes, at),
            b'N' | b'I' | b'-' => {
                let float = FLOATS
                    .into_iter()
                    .find(|float| bytes[at..].starts_with(float.as_bytes()));
                if let Some(float) = float {
                    out.push_str(&text[copied..at]);
                    out.push_str(r#"{"__type__":"float","__value__":""#);
                    out.push_str(float);
                    out.push_str(r#""}"#);
                    copied = at + float.len();
                }
                at + float.map_or(1, str::len)
            }
            _ => at + 1,
        };
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// JSON as Python writes it.
///
/// # Errors
/// When Python would refuse to read it: an object of the two keys that mark a type, with a type that kombu does not know.
pub(crate) fn outward(text: &str) -> Result<Cow<'_, str>, serde_json::Error> {
    if !text.contains("__type__") {
        return Ok(Cow::Borrowed(text));
    }
    let mut out = String::new();
    let mut copied = 0;
    let mut open: Vec<Container<'_>> = Vec::new();
    for token in Tokens::of(text) {
        match token.kind {
            Kind::Key => {
                if let Some(top) = open.last_mut() {
                    top.key(token);
                }
            }
            Kind::Text | Kind::Scalar => {
                if let Some(top) = open.last_mut() {
                    top.value(token);
                }
            }
            Kind::OpenObject | Kind::OpenArray => {
                if let Some(top) = open.last_mut() {
                    top.value(token);
                }
                open.push(Container::opened_by(token));
            }
            Kind::CloseObject | Kind::CloseArray => {
                let closed = open.pop();
                if let Some((start, float)) = closed.map(Container::close).transpose()?.flatten() {
                    out.push_str(&text[copied..start]);
                    out.push_str(float);
                    copied = token.start + 1;
                }
            }
        }
    }
    if copied == 0 {
        return Ok(Cow::Borrowed(text));
    }
    out.push_str(&text[copied..]);
    Ok(Cow::Owned(out))
}

/// An array or an object whose end has not been seen.
struct Container<'a> {
    start: usize,
    /// Whether it may be a mark: an object that has no other keys.
    may_be_mark: bool,
    /// Whether one of the keys came again.
    twice: bool,
    last_key: &'a str,
    kind: Option<Cow<'a, str>>,
    value: Option<Cow<'a, str>>,
}

impl<'a> Container<'a> {
    const fn opened_by(token: Token<'a>) -> Self {
        Self {
            start: token.start,
            may_be_mark: matches!(token.kind, Kind::OpenObject),
            twice: false,
            last_key: "",
            kind: None,
            value: None,
        }
    }

    fn key(&mut self, token: Token<'a>) {
        self.last_key = match &*content(token) {
            "__type__" => "__type__",
            "__value__" => "__value__",
            _ => "",
        };
    }

    fn value(&mut self, token: Token<'a>) {
        if !self.may_be_mark {
            return;
        }
        let place = match self.last_key {
            "__type__" => &mut self.kind,
            "__value__" => &mut self.value,
            _ => {
                self.may_be_mark = false;
                return;
            }
        };
        self.twice |= place.replace(content(token)).is_some();
    }

    /// Where it starts and what Python has in its place, if it stands for a float.
    fn close(self) -> Result<Option<(usize, &'static str)>, serde_json::Error> {
        let (true, Some(kind), Some(value)) = (self.may_be_mark, self.kind, self.value) else {
            return Ok(None);
        };
        if KNOWN.contains(&&*kind) {
            return Ok(None);
        }
        let float = FLOATS
            .into_iter()
            .find(|float| kind == "float" && value == *float && !self.twice);
        match float {
            Some(float) => Ok(Some((self.start, float))),
            None => Err(serde_json::Error::custom(format!(
                "Python refuses an object with the keys \"__type__\" and \"__value__\" and no other unless the type is one of \
                 {}; this one's is {kind:?}",
                KNOWN.join(", ")
            ))),
        }
    }
}

/// The text of a string, or that of another token as it is.
fn content(token: Token<'_>) -> Cow<'_, str> {
    let Some(inner) = token
        .text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
    else {
        return Cow::Borrowed(token.text);
    };
    match inner.contains('\\') {
        true => serde_json::from_str(token.text).map_or(Cow::Borrowed(inner), Cow::Owned),
        false => Cow::Borrowed(inner),
    }
}

#[cfg(test)]
#[path = "translate_tests.rs"]
mod tests;
