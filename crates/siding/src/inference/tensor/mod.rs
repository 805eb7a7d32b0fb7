//! Tensors: names, shapes and values, as the Open Inference Protocol has them.

mod datatype;
mod element;

use bytes::{BufMut, Bytes, BytesMut};

pub use datatype::DataType;
pub use element::Element;

/// One input or output of a model: a name, a shape and the values, in row-major order.
///
/// ```
/// use siding::inference::{DataType, Tensor};
///
/// let tensor = Tensor::new("pixels", [1, 2, 2], &[0.0_f32, 0.5, 0.5, 1.0])?;
/// assert_eq!(tensor.datatype(), DataType::Fp32);
/// assert_eq!(tensor.values::<f32>()?[1], 0.5);
/// # Ok::<(), siding::inference::TensorError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    name: String,
    shape: Vec<u64>,
    datatype: DataType,
    /// Little-endian; of [`DataType::Bytes`], each value after its length.
    data: Bytes,
}

/// A tensor makes no sense, or is not what it was taken for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TensorError {
    /// Shape and values do not go together.
    #[error("tensor `{name}`: shape {shape:?} has {expected}, but there are {found} bytes")]
    Length {
        /// The tensor's name.
        name: String,
        /// Its shape.
        shape: Vec<u64>,
        /// What the shape takes, in words.
        expected: String,
        /// The bytes that there are.
        found: usize,
    },
    /// Values of another type were asked for.
    #[error("tensor `{name}` has values of type {found}, not {expected}")]
    Type {
        /// The tensor's name.
        name: String,
        /// The type that it has.
        found: DataType,
        /// The type that was asked for.
        expected: DataType,
    },
    /// A text of [`DataType::Bytes`] does not end where its length says.
    #[error("tensor `{name}`: value {index} is cut off")]
    CutOff {
        /// The tensor's name.
        name: String,
        /// Which value.
        index: u64,
    },
}

impl Tensor {
    /// A tensor of these values.
    ///
    /// # Errors
    /// When the shape takes more or fewer.
    pub fn new<T: Element>(
        name: impl Into<String>,
        shape: impl Into<Vec<u64>>,
        values: &[T],
    ) -> Result<Self, TensorError> {
        let size = T::DATATYPE.size().unwrap_or(1);
        let mut data = BytesMut::with_capacity(values.len() * size);
        for value in values {
            value.put(&mut data);
        }
        Self::from_bytes(name, shape, T::DATATYPE, data.freeze())
    }

    /// A tensor of byte strings: [`DataType::Bytes`].
    ///
    /// # Errors
    /// When the shape takes more or fewer.
    pub fn strings<V: AsRef<[u8]>>(
        name: impl Into<String>,
        shape: impl Into<Vec<u64>>,
        values: impl IntoIterator<Item = V>,
    ) -> Result<Self, TensorError> {
        let mut data = BytesMut::new();
        for value in values {
            let value = value.as_ref();
            // A value of 4 GiB fits in no request.
            data.put_u32_le(u32::try_from(value.len()).unwrap_or(u32::MAX));
            data.put_slice(value);
        }
        Self::from_bytes(name, shape, DataType::Bytes, data.freeze())
    }

    /// A tensor of values as they travel: little-endian, and for [`DataType::Bytes`] each after its length in four bytes. It is the way
    /// for types that Rust has not: [`DataType::Fp16`] and [`DataType::Bf16`].
    ///
    /// # Errors
    /// When the shape takes more or fewer.
    pub fn from_bytes(
        name: impl Into<String>,
        shape: impl Into<Vec<u64>>,
        datatype: DataType,
        data: impl Into<Bytes>,
    ) -> Result<Self, TensorError> {
        let tensor = Self {
            name: name.into(),
            shape: shape.into(),
            datatype,
            data: data.into(),
        };
        tensor.check()?;
        Ok(tensor)
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many values there are in each dimension.
    #[must_use]
    pub fn shape(&self) -> &[u64] {
        &self.shape
    }

    /// The type of its values.
    #[must_use]
    pub fn datatype(&self) -> DataType {
        self.datatype
    }

    /// The values as they travel, see [`from_bytes`](Self::from_bytes).
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.data
    }

    /// The values.
    ///
    /// # Errors
    /// When they are of another type.
    pub fn values<T: Element>(&self) -> Result<Vec<T>, TensorError> {
        self.expect(T::DATATYPE)?;
        let size = T::DATATYPE.size().unwrap_or(1);
        Ok(self.data.chunks_exact(size).map(T::get).collect())
    }

    /// The byte strings of a tensor of [`DataType::Bytes`]. They share the tensor's memory.
    ///
    /// # Errors
    /// When its values are of another type.
    pub fn byte_strings(&self) -> Result<Vec<Bytes>, TensorError> {
        self.expect(DataType::Bytes)?;
        let mut strings = Vec::new();
        let mut rest = self.data.clone();
        while let Some(string) = next_string(&mut rest) {
            strings.push(string);
        }
        Ok(strings)
    }

    fn expect(&self, expected: DataType) -> Result<(), TensorError> {
        match self.datatype == expected {
            true => Ok(()),
            false => Err(TensorError::Type {
                name: self.name.clone(),
                found: self.datatype,
                expected,
            }),
        }
    }

    /// Whether the data is what the shape says.
    fn check(&self) -> Result<(), TensorError> {
        let count = self.shape.iter().try_fold(1_u64, |n, d| n.checked_mul(*d));
        let Some(size) = self.datatype.size() else {
            return self.check_strings(count);
        };
        let length = count.and_then(|count| count.checked_mul(size as u64));
        match length == Some(self.data.len() as u64) {
            true => Ok(()),
            false => Err(self.length(match length {
                Some(length) => format!("{length} bytes of {}", self.datatype),
                None => TOO_MANY.to_owned(),
            })),
        }
    }

    fn check_strings(&self, count: Option<u64>) -> Result<(), TensorError> {
        let count = count.ok_or_else(|| self.length(TOO_MANY.to_owned()))?;
        let mut rest = self.data.clone();
        for index in 0..count {
            if next_string(&mut rest).is_none() {
                let name = self.name.clone();
                return Err(TensorError::CutOff { name, index });
            }
        }
        match rest.is_empty() {
            true => Ok(()),
            false => Err(self.length(format!("{count} strings, which end sooner"))),
        }
    }

    fn length(&self, expected: String) -> TensorError {
        TensorError::Length {
            name: self.name.clone(),
            shape: self.shape.clone(),
            expected,
            found: self.data.len(),
        }
    }
}

const TOO_MANY: &str = "more values than can be counted";

/// Takes a string off the front; `None` where there is none, or less than its length says.
fn next_string(rest: &mut Bytes) -> Option<Bytes> {
    let length = rest.first_chunk::<4>().copied().map(u32::from_le_bytes)?;
    let end = usize::try_from(length).ok()?.checked_add(4)?;
    if end > rest.len() {
        return None;
    }
    let mut string = rest.split_to(end);
    Some(string.split_off(4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_as_they_were() {
        let floats = [1.5_f32, -0.0, f32::INFINITY];
        let tensor = Tensor::new("x", [3], &floats).expect("fits");
        assert_eq!(tensor.values::<f32>(), Ok(floats.to_vec()));
        let longs = [i64::MIN, -1, i64::MAX];
        let tensor = Tensor::new("x", [1, 3], &longs).expect("fits");
        assert_eq!(tensor.values::<i64>(), Ok(longs.to_vec()));
        let bits = [true, false];
        let tensor = Tensor::new("x", [2], &bits).expect("fits");
        assert_eq!(tensor.values::<bool>(), Ok(bits.to_vec()));
        assert_eq!(
            tensor.values::<u8>().map_err(|e| e.to_string()),
            Err("tensor `x` has values of type BOOL, not UINT8".to_owned())
        );
    }

    #[test]
    fn strings_come_back_as_they_were() {
        let tensor = Tensor::strings("x", [2], ["", "a\0b"]).expect("fits");
        let strings = tensor.byte_strings().expect("strings");
        assert_eq!(strings, [&b""[..], b"a\0b"]);
        let scalar = Tensor::strings("x", [], ["a"]).expect("fits");
        assert_eq!(scalar.byte_strings().expect("strings"), ["a"]);
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        assert!(Tensor::new("x", [2], &[1_u8]).is_err());
        assert!(Tensor::new("x", [u64::MAX, 2], &[1_u8]).is_err());
        assert!(Tensor::new::<f64>("x", [u64::MAX], &[]).is_err());
        assert!(Tensor::new::<f64>("x", [0, 7], &[]).is_ok());
        let cut = Tensor::from_bytes("x", [1], DataType::Bytes, &b"\x05\0\0\0abc"[..]);
        assert!(matches!(cut, Err(TensorError::CutOff { index: 0, .. })));
        // As many as a hostile answer may claim cost no memory.
        let many = Tensor::from_bytes("x", [u64::MAX], DataType::Bytes, Bytes::new());
        assert!(matches!(many, Err(TensorError::CutOff { index: 0, .. })));
    }
}
