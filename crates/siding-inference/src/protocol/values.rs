//! The `data` of a tensor in JSON, to bytes and back.
//!
//! Read without a tree of values in between: nesting is flattened as it comes, and reading stops at the first element that
//! the shape has no place for.

use std::fmt;

use serde::Serializer;
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde::ser::{Error as _, SerializeSeq};
use serde_json::value::RawValue;

use super::{Datatype, ProtocolError, Tensor};

/// The bytes of a tensor's `data`.
pub(super) fn read(
    data: &RawValue,
    datatype: Datatype,
    elements: usize,
) -> Result<Vec<u8>, ProtocolError> {
    if matches!(datatype, Datatype::Fp16 | Datatype::Bf16) {
        let text = format!("is {datatype}, which JSON has no form for; send it as binary data");
        return Err(ProtocolError::new(text));
    }
    let mut out = Out {
        datatype,
        left: elements,
        bytes: Vec::new(),
    };
    let mut deserializer = serde_json::Deserializer::from_str(data.get());
    Elements(&mut out)
        .deserialize(&mut deserializer)
        .map_err(|error| ProtocolError::new(format!("has data that does not fit: {error}")))?;
    if out.left > 0 {
        let found = elements - out.left;
        let text = format!("has {found} elements of data, but {elements} by its shape");
        return Err(ProtocolError::new(text));
    }
    Ok(out.bytes)
}

struct Out {
    datatype: Datatype,
    left: usize,
    bytes: Vec<u8>,
}

impl Out {
    fn take_place(&mut self) -> Result<(), &'static str> {
        self.left = self
            .left
            .checked_sub(1)
            .ok_or("more elements than the shape has")?;
        Ok(())
    }

    fn integer(&mut self, value: i128) -> Result<(), &'static str> {
        const RANGE: &str = "a number beyond the datatype's range";
        self.take_place()?;
        macro_rules! put {
            ($type:ty) => {
                self.bytes
                    .extend(<$type>::try_from(value).map_err(|_| RANGE)?.to_le_bytes())
            };
        }
        match self.datatype {
            Datatype::Uint8 => put!(u8),
            Datatype::Uint16 => put!(u16),
            Datatype::Uint32 => put!(u32),
            Datatype::Uint64 => put!(u64),
            Datatype::Int8 => put!(i8),
            Datatype::Int16 => put!(i16),
            Datatype::Int32 => put!(i32),
            Datatype::Int64 => put!(i64),
            #[expect(
                clippy::cast_precision_loss,
                reason = "a float's nearest value is meant"
            )]
            Datatype::Fp32 => self.bytes.extend((value as f32).to_le_bytes()),
            #[expect(
                clippy::cast_precision_loss,
                reason = "a float's nearest value is meant"
            )]
            Datatype::Fp64 => self.bytes.extend((value as f64).to_le_bytes()),
            Datatype::Bool if value == 0 || value == 1 => self.bytes.push(u8::from(value == 1)),
            Datatype::Bool => return Err("a number for a BOOL"),
            Datatype::Fp16 | Datatype::Bf16 => return Err("a datatype without a form in JSON"),
            Datatype::Bytes => return Err("a number for BYTES; strings are right"),
        }
        Ok(())
    }

    fn float(&mut self, value: f64) -> Result<(), &'static str> {
        self.take_place()?;
        match self.datatype {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a float's nearest value is meant"
            )]
            Datatype::Fp32 => self.bytes.extend((value as f32).to_le_bytes()),
            Datatype::Fp64 => self.bytes.extend(value.to_le_bytes()),
            _ => return Err("a fraction for a datatype without"),
        }
        Ok(())
    }

    fn boolean(&mut self, value: bool) -> Result<(), &'static str> {
        self.take_place()?;
        if self.datatype != Datatype::Bool {
            return Err("a boolean for a datatype that is not BOOL");
        }
        self.bytes.push(u8::from(value));
        Ok(())
    }

    fn string(&mut self, value: &str) -> Result<(), &'static str> {
        self.take_place()?;
        if self.datatype != Datatype::Bytes {
            return Err("a string for a datatype that is not BYTES");
        }
        let length = u32::try_from(value.len()).map_err(|_| "a string of 4 GiB or more")?;
        self.bytes.extend(length.to_le_bytes());
        self.bytes.extend(value.as_bytes());
        Ok(())
    }
}

/// One element, or an array of whatever depth; serde_json bounds the depth.
struct Elements<'a>(&'a mut Out);

impl<'de> DeserializeSeed<'de> for Elements<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("numbers, booleans or strings, in arrays")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Elements(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        self.0.boolean(value).map_err(E::custom)
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        self.0.integer(value.into()).map_err(E::custom)
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        self.0.integer(value.into()).map_err(E::custom)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        self.0.float(value).map_err(E::custom)
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<(), E> {
        self.0.string(value).map_err(E::custom)
    }
}

/// Writes a tensor's elements as one flat array.
pub(super) fn write<S: Serializer>(tensor: &Tensor, serializer: S) -> Result<S::Ok, S::Error> {
    macro_rules! numbers {
        ($type:ty) => {{
            let elements = tensor.data().chunks_exact(size_of::<$type>());
            serializer.collect_seq(elements.map(|element| {
                let element = element.try_into().expect("chunks of its size");
                <$type>::from_le_bytes(element)
            }))
        }};
    }
    match tensor.datatype() {
        Datatype::Bool => serializer.collect_seq(tensor.data().iter().map(|byte| *byte != 0)),
        Datatype::Uint8 => numbers!(u8),
        Datatype::Uint16 => numbers!(u16),
        Datatype::Uint32 => numbers!(u32),
        Datatype::Uint64 => numbers!(u64),
        Datatype::Int8 => numbers!(i8),
        Datatype::Int16 => numbers!(i16),
        Datatype::Int32 => numbers!(i32),
        Datatype::Int64 => numbers!(i64),
        Datatype::Fp32 => numbers!(f32),
        Datatype::Fp64 => numbers!(f64),
        Datatype::Fp16 | Datatype::Bf16 => Err(S::Error::custom(
            "FP16 and BF16 have no form in JSON; ask for binary data",
        )),
        Datatype::Bytes => {
            let mut seq = serializer.serialize_seq(Some(tensor.shape().elements()))?;
            for string in tensor.strings() {
                let text = std::str::from_utf8(string)
                    .map_err(|_| S::Error::custom("a string is not UTF-8; ask for binary data"))?;
                seq.serialize_element(text)?;
            }
            seq.end()
        }
    }
}
