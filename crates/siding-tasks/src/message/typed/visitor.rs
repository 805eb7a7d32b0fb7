//! Hands a visitor what a deserializer of JSON has found, marks understood.

use std::fmt;

use serde::de::value::SeqDeserializer;
use serde::de::{Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::access::Ahead;
use super::mark::{Mark, TYPE, VALUE};
use super::{Levels, Typed};

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Anything,
    Text,
    Float,
    Bytes,
    Sequence,
    /// What no mark stands for.
    AsItIs,
}

/// Passes on what it is given, the way to deeper values included.
#[derive(Debug)]
pub(super) struct Through<V> {
    pub(super) visitor: V,
    pub(super) wanted: Wanted,
    pub(super) levels: Levels,
}

macro_rules! pass_on {
    ($($method:ident($ty:ty))*) => {$(
        fn $method<E: Error>(self, value: $ty) -> Result<V::Value, E> {
            self.visitor.$method(value)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Through<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    pass_on! {
        visit_bool(bool) visit_i64(i64) visit_i128(i128) visit_u64(u64) visit_u128(u128) visit_f64(f64)
        visit_str(&str) visit_borrowed_str(&'de str) visit_string(String)
        visit_bytes(&[u8]) visit_borrowed_bytes(&'de [u8]) visit_byte_buf(Vec<u8>)
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_unit()
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.visitor
            .visit_some(Typed::new(deserializer, self.levels))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<V::Value, D::Error> {
        self.visitor
            .visit_newtype_struct(Typed::new(deserializer, self.levels))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.visitor
            .visit_seq(Typed::new(access, self.levels.next()?))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<V::Value, A::Error> {
        let levels = self.levels.next()?;
        if self.wanted == Wanted::AsItIs {
            return self.visitor.visit_map(Ahead::none(access, levels));
        }
        let mut read = Vec::new();
        let next = loop {
            match access.next_key::<String>()? {
                Some(key) if read.len() < 2 && (key == TYPE || key == VALUE) => {
                    read.push((key, access.next_value::<&RawValue>()?));
                }
                next => break next,
            }
        };
        match mark(&read, next.as_deref()) {
            Some(Mark::Text(text)) => self.visitor.visit_string(text),
            Some(Mark::Float(number)) if self.wanted == Wanted::Float => {
                self.visitor.visit_f64(number)
            }
            Some(Mark::Bytes(bytes)) if self.wanted == Wanted::Sequence => self
                .visitor
                .visit_seq(SeqDeserializer::new(bytes.into_iter())),
            Some(Mark::Bytes(bytes)) if matches!(self.wanted, Wanted::Bytes | Wanted::Text) => {
                self.visitor.visit_byte_buf(bytes)
            }
            _ => self
                .visitor
                .visit_map(Ahead::of(read, next, access, levels)),
        }
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_enum(Typed::new(access, self.levels))
    }
}

/// The mark that an object of these members is, unless another one follows.
fn mark(members: &[(String, &RawValue)], next: Option<&str>) -> Option<Mark> {
    match (members, next) {
        ([(first, kind), (second, value)], None) if first == TYPE && second == VALUE => {
            Mark::of(kind, value)
        }
        ([(first, value), (second, kind)], None) if first == VALUE && second == TYPE => {
            Mark::of(kind, value)
        }
        _ => None,
    }
}
