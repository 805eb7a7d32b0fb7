//! A tensor: name, datatype, shape, and its elements as bytes.

use bytes::Bytes;

use super::{Datatype, ProtocolError};

/// No tensor has more dimensions.
const RANK_MAX: usize = 32;

/// The size of each dimension.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shape(Vec<usize>);

impl Shape {
    /// A shape of these dimensions, as a message declares them.
    ///
    /// # Errors
    /// When there are too many, one is negative, or the number of elements is beyond what a machine can count.
    pub fn declared(dims: &[i64]) -> Result<Self, ProtocolError> {
        if dims.len() > RANK_MAX {
            let text = format!("has {} dimensions; {RANK_MAX} are the most", dims.len());
            return Err(ProtocolError::new(text));
        }
        let sizes: Option<Vec<usize>> = dims.iter().map(|dim| usize::try_from(*dim).ok()).collect();
        let sizes = sizes.ok_or_else(|| {
            ProtocolError::new(
                "has a negative dimension; a tensor's own shape says how large it is",
            )
        })?;
        // Zero times too many is zero, but no tensor can be cut along such a dimension.
        let countable = sizes.iter().filter(|size| **size > 0);
        countable
            .copied()
            .try_fold(1_usize, usize::checked_mul)
            .filter(|count| isize::try_from(*count).is_ok())
            .ok_or_else(|| ProtocolError::new("has more elements than can be counted"))?;
        Ok(Self(sizes))
    }

    /// The size of each dimension.
    #[must_use]
    pub fn dims(&self) -> &[usize] {
        &self.0
    }

    /// How many elements there are.
    #[must_use]
    pub fn elements(&self) -> usize {
        self.0.iter().product()
    }

    /// The size of the first dimension.
    #[must_use]
    pub fn rows(&self) -> Option<usize> {
        self.0.first().copied()
    }

    /// The same shape with another first dimension.
    #[must_use]
    pub fn with_rows(&self, rows: usize) -> Self {
        let mut dims = self.0.clone();
        if let Some(first) = dims.first_mut() {
            *first = rows;
        }
        Self(dims)
    }
}

impl From<Vec<usize>> for Shape {
    fn from(dims: Vec<usize>) -> Self {
        Self(dims)
    }
}

/// A tensor. Its elements are little-endian and in row-major order; those of `BYTES` each follow their length, which takes
/// four bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    name: String,
    datatype: Datatype,
    shape: Shape,
    data: Bytes,
}

impl Tensor {
    /// A tensor, if `data` is as long as datatype and shape say.
    ///
    /// # Errors
    /// A sentence that says how long it should be.
    pub fn new(
        name: impl Into<String>,
        datatype: Datatype,
        shape: Shape,
        data: Bytes,
    ) -> Result<Self, ProtocolError> {
        let elements = shape.elements();
        match datatype.size() {
            Some(size) => match elements.checked_mul(size) {
                Some(length) if length == data.len() => {}
                length => {
                    let right =
                        length.map_or_else(|| "more".to_owned(), |length| length.to_string());
                    return Err(ProtocolError::new(format!(
                        "has {} bytes of data, but {right} by its shape and datatype",
                        data.len()
                    )));
                }
            },
            None => check_strings(&data, elements)?,
        }
        Ok(Self {
            name: name.into(),
            datatype,
            shape,
            data,
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The datatype of its elements.
    #[must_use]
    pub const fn datatype(&self) -> Datatype {
        self.datatype
    }

    /// Its shape.
    #[must_use]
    pub const fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Its elements.
    #[must_use]
    pub const fn data(&self) -> &Bytes {
        &self.data
    }

    /// The elements of a `BYTES` tensor.
    pub fn strings(&self) -> impl Iterator<Item = &[u8]> {
        strings(&self.data)
    }
}

/// Adds an element of `BYTES` to data: its length, and then itself.
pub(crate) fn push_string(data: &mut Vec<u8>, string: &[u8]) -> Result<(), ProtocolError> {
    let length = u32::try_from(string.len())
        .map_err(|_| ProtocolError::new("has a string of 4 GiB or more"))?;
    data.extend(length.to_le_bytes());
    data.extend_from_slice(string);
    Ok(())
}

/// The strings of checked data.
fn strings(mut data: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (string, rest) = split_string(data)?;
        data = rest;
        Some(string)
    })
}

fn split_string(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = data.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    rest.split_at_checked(length)
}

fn check_strings(mut data: &[u8], elements: usize) -> Result<(), ProtocolError> {
    // Each takes four bytes at least: a shape of billions ends here.
    if elements > data.len() / 4 {
        let text = format!("has too little data for {elements} strings");
        return Err(ProtocolError::new(text));
    }
    for _ in 0..elements {
        let split = split_string(data);
        (_, data) = split.ok_or_else(|| {
            ProtocolError::new("has a string that is longer than what is left of the data")
        })?;
    }
    if data.is_empty() {
        Ok(())
    } else {
        let text = format!("has {} bytes of data behind its last string", data.len());
        Err(ProtocolError::new(text))
    }
}
