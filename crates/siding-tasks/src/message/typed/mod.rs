//! Reads JSON in which Python has marked values with their type: `{"__type__": "datetime", "__value__": "2026-…"}`.
//!
//! A mark becomes what a Rust type asks for: text for moments, dates, times, decimals and UUIDs, bytes for bytes, a number
//! for a float that JSON has no form for. Who asks for anything at all, as `serde_json::Value` does, gets text for the first
//! five, and the object as it is for the others. So do those who ask for a map, a struct or raw JSON.
//!
//! Source: kombu 5.7, `kombu/utils/json.py`.

mod access;
mod mark;
mod visitor;

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Visitor};

use visitor::{Through, Wanted};

/// The `T` that `text` is.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    if !mark::may_be_in(text) {
        return serde_json::from_str(text);
    }
    let mut json = serde_json::Deserializer::from_str(text);
    let value = T::deserialize(Typed::new(&mut json, Levels::ALL))?;
    json.end()?;
    Ok(value)
}

/// How many levels of arrays and objects may follow. Marks are read ahead, and what they turn out to hold is read anew by a
/// reader that counts from its own beginning, so this counts the whole.
#[derive(Clone, Copy, Debug)]
struct Levels(u8);

impl Levels {
    /// As many as serde_json allows.
    const ALL: Self = Self(127);

    fn next<E: serde::de::Error>(self) -> Result<Self, E> {
        match self.0.checked_sub(1) {
            Some(left) => Ok(Self(left)),
            None => Err(E::custom("recursion limit exceeded")),
        }
    }
}

/// A deserializer of JSON, or what gives one, that understands marks.
#[derive(Debug)]
struct Typed<T> {
    inner: T,
    levels: Levels,
}

impl<T> Typed<T> {
    const fn new(inner: T, levels: Levels) -> Self {
        Self { inner, levels }
    }

    fn through<V>(&self, visitor: V) -> Through<V> {
        Through {
            visitor,
            wanted: Wanted::AsItIs,
            levels: self.levels,
        }
    }

    fn any<'de, V>(self, visitor: V, wanted: Wanted) -> Result<V::Value, T::Error>
    where
        T: Deserializer<'de>,
        V: Visitor<'de>,
    {
        self.inner.deserialize_any(Through {
            visitor,
            wanted,
            levels: self.levels,
        })
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Typed<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.inner
            .deserialize(Typed::new(deserializer, self.levels))
    }
}

/// What no mark stands for.
macro_rules! plain {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.inner.$method(visitor)
        }
    )*};
}

/// What a mark may stand for.
macro_rules! marked {
    ($($method:ident => $wanted:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.any(visitor, Wanted::$wanted)
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Typed<D> {
    type Error = D::Error;

    plain! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_unit deserialize_identifier deserialize_ignored_any
    }

    marked! {
        deserialize_any => Anything
        deserialize_f32 => Float deserialize_f64 => Float
        deserialize_char => Text deserialize_str => Text deserialize_string => Text
        deserialize_bytes => Bytes deserialize_byte_buf => Bytes
        deserialize_seq => Sequence
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.any(visitor, Wanted::Sequence)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.any(visitor, Wanted::Sequence)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let visitor = self.through(visitor);
        self.inner.deserialize_option(visitor)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_unit_struct(name, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        /// The name under which serde_json asks for text as it is.
        const RAW: &str = "$serde_json::private::RawValue";
        match name {
            RAW => self.inner.deserialize_newtype_struct(name, visitor),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let visitor = self.through(visitor);
        self.inner.deserialize_map(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = self.through(visitor);
        self.inner.deserialize_struct(name, fields, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = self.through(visitor);
        self.inner.deserialize_enum(name, variants, visitor)
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
