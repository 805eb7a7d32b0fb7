//! Tensors of the protocol as ONNX Runtime's, and back.

use std::fmt::Debug;

use half::{bf16, f16};
use ort::value::{DynValue, PrimitiveTensorElementType, TensorElementType, Value};

use super::failed;
use crate::protocol::{Datatype, Shape, Tensor, TensorMetadata};
use crate::runtime::{RunError, string_data, texts};

const TYPES: [(Datatype, TensorElementType); 14] = [
    (Datatype::Bool, TensorElementType::Bool),
    (Datatype::Uint8, TensorElementType::Uint8),
    (Datatype::Uint16, TensorElementType::Uint16),
    (Datatype::Uint32, TensorElementType::Uint32),
    (Datatype::Uint64, TensorElementType::Uint64),
    (Datatype::Int8, TensorElementType::Int8),
    (Datatype::Int16, TensorElementType::Int16),
    (Datatype::Int32, TensorElementType::Int32),
    (Datatype::Int64, TensorElementType::Int64),
    (Datatype::Fp16, TensorElementType::Float16),
    (Datatype::Fp32, TensorElementType::Float32),
    (Datatype::Fp64, TensorElementType::Float64),
    (Datatype::Bf16, TensorElementType::Bfloat16),
    (Datatype::Bytes, TensorElementType::String),
];

/// The protocol's datatype of an element type, if it has one.
pub(super) fn datatype(found: TensorElementType) -> Option<Datatype> {
    let known = TYPES.iter().find(|(_, known)| *known == found);
    known.map(|(datatype, _)| *datatype)
}

/// An input. Its elements are copied: the protocol's lie at addresses of any alignment.
///
/// # Errors
/// When it has a string that is not UTF-8 or has a zero in it, neither of which ONNX Runtime takes.
pub(super) fn value(tensor: &Tensor) -> Result<DynValue, RunError> {
    match tensor.datatype() {
        Datatype::Bool => elements(tensor, |[byte]: [u8; 1]| byte != 0),
        Datatype::Uint8 => elements(tensor, u8::from_le_bytes),
        Datatype::Uint16 => elements(tensor, u16::from_le_bytes),
        Datatype::Uint32 => elements(tensor, u32::from_le_bytes),
        Datatype::Uint64 => elements(tensor, u64::from_le_bytes),
        Datatype::Int8 => elements(tensor, i8::from_le_bytes),
        Datatype::Int16 => elements(tensor, i16::from_le_bytes),
        Datatype::Int32 => elements(tensor, i32::from_le_bytes),
        Datatype::Int64 => elements(tensor, i64::from_le_bytes),
        Datatype::Fp16 => elements(tensor, f16::from_le_bytes),
        Datatype::Fp32 => elements(tensor, f32::from_le_bytes),
        Datatype::Fp64 => elements(tensor, f64::from_le_bytes),
        Datatype::Bf16 => elements(tensor, bf16::from_le_bytes),
        Datatype::Bytes => {
            let texts = (tensor.shape().dims(), &*texts(tensor)?);
            let value = ort::value::Tensor::from_string_array(texts);
            value.map(Value::into_dyn).map_err(failed)
        }
    }
}

fn elements<T, const SIZE: usize>(
    tensor: &Tensor,
    read: impl Fn([u8; SIZE]) -> T,
) -> Result<DynValue, RunError>
where
    T: PrimitiveTensorElementType + Clone + Debug + 'static,
{
    let (bytes, _) = tensor.data().as_chunks::<SIZE>();
    let data: Vec<T> = bytes.iter().map(|bytes| read(*bytes)).collect();
    let value = ort::value::Tensor::from_array((tensor.shape().dims(), data));
    value.map(Value::into_dyn).map_err(failed)
}

/// An output.
///
/// # Errors
/// When it is not of the type that the model says.
pub(super) fn tensor(metadata: &TensorMetadata, value: &DynValue) -> Result<Tensor, RunError> {
    let data = match metadata.datatype {
        Datatype::Bool => bytes(value, |element: bool| [u8::from(element)]),
        Datatype::Uint8 => bytes(value, u8::to_le_bytes),
        Datatype::Uint16 => bytes(value, u16::to_le_bytes),
        Datatype::Uint32 => bytes(value, u32::to_le_bytes),
        Datatype::Uint64 => bytes(value, u64::to_le_bytes),
        Datatype::Int8 => bytes(value, i8::to_le_bytes),
        Datatype::Int16 => bytes(value, i16::to_le_bytes),
        Datatype::Int32 => bytes(value, i32::to_le_bytes),
        Datatype::Int64 => bytes(value, i64::to_le_bytes),
        Datatype::Fp16 => bytes(value, f16::to_le_bytes),
        Datatype::Fp32 => bytes(value, f32::to_le_bytes),
        Datatype::Fp64 => bytes(value, f64::to_le_bytes),
        Datatype::Bf16 => bytes(value, bf16::to_le_bytes),
        Datatype::Bytes => {
            let (_, strings) = value.try_extract_strings().map_err(failed)?;
            string_data(strings)
        }
    }?;
    let dims = value.dtype().tensor_shape().into_iter();
    let dims = dims.flat_map(|shape| shape.iter());
    let dims = dims
        .map(|dim| usize::try_from(*dim))
        .collect::<Result<Vec<_>, _>>();
    let shape = Shape::from(dims.map_err(failed)?);
    let tensor = Tensor::new(&*metadata.name, metadata.datatype, shape, data.into());
    tensor.map_err(|error| RunError(format!("output `{}` {error}", metadata.name)))
}

fn bytes<T: PrimitiveTensorElementType + Copy, const SIZE: usize>(
    value: &DynValue,
    write: impl Fn(T) -> [u8; SIZE],
) -> Result<Vec<u8>, RunError> {
    let (_, elements) = value.try_extract_tensor::<T>().map_err(failed)?;
    Ok(elements
        .iter()
        .flat_map(|element| write(*element))
        .collect())
}
