//! Rust's types as values of tensors.

use bytes::{BufMut, BytesMut};

use super::DataType;

/// A type of Rust's that a tensor's values may have: the numbers of 8 to 64 bits, and `bool`.
pub trait Element: sealed::Sealed + Copy {
    /// Its name in the protocol.
    const DATATYPE: DataType;

    #[doc(hidden)]
    fn put(self, data: &mut BytesMut);

    /// `bytes` are as many as the type takes.
    #[doc(hidden)]
    fn get(bytes: &[u8]) -> Self;
}

macro_rules! numbers {
    ($($number:ty: $datatype:ident),*) => {$(
        impl sealed::Sealed for $number {}

        impl Element for $number {
            const DATATYPE: DataType = DataType::$datatype;

            fn put(self, data: &mut BytesMut) {
                data.put_slice(&self.to_le_bytes());
            }

            fn get(bytes: &[u8]) -> Self {
                bytes.try_into().map_or_else(|_| Self::default(), Self::from_le_bytes)
            }
        }
    )*};
}

numbers! {
    u8: Uint8, u16: Uint16, u32: Uint32, u64: Uint64,
    i8: Int8, i16: Int16, i32: Int32, i64: Int64,
    f32: Fp32, f64: Fp64
}

impl sealed::Sealed for bool {}

impl Element for bool {
    const DATATYPE: DataType = DataType::Bool;

    fn put(self, data: &mut BytesMut) {
        data.put_u8(self.into());
    }

    fn get(bytes: &[u8]) -> Self {
        bytes.iter().any(|byte| *byte != 0)
    }
}

mod sealed {
    /// What is not here has no name in the protocol.
    pub trait Sealed {}
}
