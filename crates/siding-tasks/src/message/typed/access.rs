//! The ways to deeper values.

use serde::de::value::StringDeserializer;
use serde::de::{
    DeserializeSeed, EnumAccess, Error, IntoDeserializer as _, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};
use serde_json::value::RawValue;

use super::{Levels, Typed};

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Typed<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.inner.next_element_seed(Typed::new(seed, self.levels))
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for Typed<A> {
    type Error = A::Error;
    type Variant = Typed<A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), A::Error> {
        let (value, variant) = self.inner.variant_seed(seed)?;
        Ok((value, Typed::new(variant, self.levels)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Typed<A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        let levels = self.levels.next()?;
        self.inner.newtype_variant_seed(Typed::new(seed, levels))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        let visitor = self.through(visitor);
        self.inner.tuple_variant(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let visitor = self.through(visitor);
        self.inner.struct_variant(fields, visitor)
    }
}

/// An object of which the first members have been read, and perhaps the key of the next.
pub(super) struct Ahead<'de, A> {
    read: std::vec::IntoIter<(String, &'de RawValue)>,
    /// The value of the key that was given last, if that has been read.
    value: Option<&'de RawValue>,
    key: Option<String>,
    rest: A,
    levels: Levels,
}

impl<'de, A> Ahead<'de, A> {
    pub(super) fn of(
        read: Vec<(String, &'de RawValue)>,
        key: Option<String>,
        rest: A,
        levels: Levels,
    ) -> Self {
        Self {
            read: read.into_iter(),
            value: None,
            key,
            rest,
            levels,
        }
    }

    pub(super) fn none(rest: A, levels: Levels) -> Self {
        Self::of(Vec::new(), None, rest, levels)
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Ahead<'de, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        let key = match self.read.next() {
            Some((key, value)) => {
                self.value = Some(value);
                Some(key)
            }
            None => self.key.take(),
        };
        match key {
            Some(key) => {
                let key: StringDeserializer<A::Error> = key.into_deserializer();
                seed.deserialize(key).map(Some)
            }
            None => self.rest.next_key_seed(seed),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let seed = Typed::new(seed, self.levels);
        match self.value.take() {
            Some(value) => {
                let mut json = serde_json::Deserializer::from_str(value.get());
                seed.deserialize(&mut json).map_err(Error::custom)
            }
            None => self.rest.next_value_seed(seed),
        }
    }
}
