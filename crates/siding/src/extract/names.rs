//! What a client calls the fields that garde calls by their names in Rust.
//!
//! serde tells nobody how it renames, except the deserializer of a type: that is given the names of a struct's fields. So a type
//! is deserialized from the way to one of its values, and from nothing else: at each struct on that way the field is looked up, and
//! its value is asked for in turn. It always ends in an error, at the end of the way or where it cannot be followed.

use std::cell::RefCell;
use std::fmt;

use serde::de::value::{Error, StrDeserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess,
    SeqAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::Value;

/// One step on the way to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// To a field, or to an entry of a map.
    Key(String),
    /// To an element.
    Index(usize),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(name) => f.write_str(name.strip_prefix("r#").unwrap_or(name)),
            Self::Index(index) => index.fmt(f),
        }
    }
}

/// The steps of a path of garde's. It shows them only to serde: as pairs of a kind and a text.
pub(super) fn steps(path: &garde::Path) -> Vec<Step> {
    let pairs = serde_json::to_value(path).unwrap_or_default();
    let step = |pair: &Value| {
        let text = pair.get(1)?.as_str()?;
        match pair.get(0)?.as_str()? {
            "key" => Some(Step::Key(text.to_owned())),
            "index" => text.parse().ok().map(Step::Index),
            _ => None,
        }
    };
    let pairs = pairs.as_array().map(Vec::as_slice).unwrap_or_default();
    pairs.iter().filter_map(step).collect()
}

/// What a client calls each step on the way to a value in a `T`.
pub(super) fn names_in<T: DeserializeOwned>(steps: &[Step]) -> Vec<String> {
    let found = RefCell::new(Vec::new());
    let probe = Probe {
        steps,
        found: &found,
    };
    // It never succeeds: there are no values.
    let _ = T::deserialize(probe);
    let mut names = found.into_inner();
    let rest = steps.iter().skip(names.len()).map(Step::to_string);
    names.extend(rest.collect::<Vec<_>>());
    names
}

/// A deserializer that has nothing but the way to a value.
#[derive(Clone, Copy)]
struct Probe<'a> {
    /// What is left of the way.
    steps: &'a [Step],
    /// The names of the steps so far.
    found: &'a RefCell<Vec<String>>,
}

impl<'a> Probe<'a> {
    /// Takes the first step, under this name.
    fn advance(self, name: &str) -> Self {
        self.found.borrow_mut().push(name.to_owned());
        Self {
            steps: self.steps.get(1..).unwrap_or_default(),
            ..self
        }
    }

    fn into_element<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.steps.first() {
            Some(Step::Index(index)) => {
                let value = self.advance(&index.to_string());
                visitor.visit_seq(One::new("", value))
            }
            _ => Err(stop()),
        }
    }
}

fn stop() -> Error {
    Error::custom("the way ends here")
}

/// The field that is called so in Rust: itself, or the one that differs only in case and separators.
fn field_of(fields: &'static [&'static str], name: &str) -> Option<&'static str> {
    let plain = |name: &str| -> String {
        let letters = name.chars().filter(|c| c.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect()
    };
    let (same, alike) = (
        |field: &&&str| **field == name,
        |field: &&&str| plain(field) == plain(name),
    );
    let field = fields.iter().find(same);
    field.or_else(|| fields.iter().find(alike)).copied()
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(stop())
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let step = self.steps.first().map(Step::to_string);
        let key = step.and_then(|name| field_of(fields, &name));
        let key = key.ok_or_else(stop)?;
        let value = self.advance(key);
        visitor.visit_map(One::new(key, value))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let key = self.steps.first().ok_or_else(stop)?.to_string();
        let value = self.advance(&key);
        visitor.visit_map(One::new(&key, value))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.into_element(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.into_first(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.into_first(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct enum identifier
        ignored_any
    }
}

impl Probe<'_> {
    /// Into a tuple. Each element has a type of its own, and there are no values for those before the one on the way.
    fn into_first<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.steps.first() {
            Some(Step::Index(0)) => self.into_element(visitor),
            _ => Err(stop()),
        }
    }
}

/// A map of one entry, or a sequence of one element. No more, even for a type that swallows the errors of its elements.
struct One<'a> {
    key: &'a str,
    value: Probe<'a>,
    taken: bool,
}

impl<'a> One<'a> {
    fn new(key: &'a str, value: Probe<'a>) -> Self {
        let taken = false;
        Self { key, value, taken }
    }

    fn take(&mut self) -> bool {
        !std::mem::replace(&mut self.taken, true)
    }
}

impl<'de> MapAccess<'de> for One<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        if !self.take() {
            return Ok(None);
        }
        let key: StrDeserializer<'_, Error> = self.key.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(self.value)
    }
}

impl<'de> SeqAccess<'de> for One<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        if !self.take() {
            return Ok(None);
        }
        seed.deserialize(self.value).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    #[expect(dead_code, reason = "only the names count")]
    struct Outer {
        first_name: String,
        by_place: HashMap<String, Vec<Option<Box<Inner>>>>,
        r#type: Wrapped,
        #[serde(rename = "mail")]
        address: String,
    }

    #[derive(Deserialize)]
    struct Wrapped(#[expect(dead_code, reason = "only the names count")] Inner);

    #[derive(Deserialize)]
    #[serde(rename_all = "SCREAMING-KEBAB-CASE")]
    #[expect(dead_code, reason = "only the names count")]
    struct Inner {
        unit_price: u32,
        pair: (Vec<u8>, String),
    }

    #[track_caller]
    fn check(steps: &[Step], names: &[&str]) {
        assert_eq!(names_in::<Outer>(steps), names);
    }

    fn key(name: &str) -> Step {
        Step::Key(name.to_owned())
    }

    #[test]
    fn fields_are_called_what_serde_calls_them() {
        check(&[key("first_name")], &["firstName"]);
        check(&[key("r#type"), key("unit_price")], &["type", "UNIT-PRICE"]);
        check(
            &[
                key("by_place"),
                key("a_b"),
                Step::Index(3),
                key("unit_price"),
            ],
            &["byPlace", "a_b", "3", "UNIT-PRICE"],
        );
        check(
            &[key("r#type"), key("pair"), Step::Index(0), Step::Index(7)],
            &["type", "PAIR", "0", "7"],
        );
    }

    #[test]
    fn where_serde_cannot_be_asked_they_keep_their_names() {
        check(&[key("address"), key("street")], &["address", "street"]);
        check(
            &[key("r#type"), key("pair"), Step::Index(1), key("a_b")],
            &["type", "PAIR", "1", "a_b"],
        );
        check(&[], &[]);
    }

    #[test]
    fn a_path_of_gardes_is_read() {
        let path = garde::Path::new("a.b")
            .join(3_usize)
            .join(garde::error::NoKey::default());
        assert_eq!(steps(&path), [key("a.b"), Step::Index(3)]);
    }
}
