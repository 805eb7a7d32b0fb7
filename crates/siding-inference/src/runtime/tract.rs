//! The runtime in pure Rust, on the CPU: [tract](https://docs.rs/tract-onnx).

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use tract_onnx::prelude::{
    DatumType, Framework, InferenceFact, InferenceModel, InferenceModelExt, IntoRunnable,
    IntoTValue, TValue, TVec, Tensor as Value, ToDim, TractResult, TypedModel, TypedRunnableModel,
};

use super::{LoadError, Model, RunError, Runtime};
use crate::protocol::{Datatype, Shape, Tensor, TensorMetadata};

/// Runs models with tract: on the CPU, one thread a run, without a library of the system.
#[derive(Clone, Copy, Debug)]
pub struct Tract;

impl Runtime for Tract {
    fn name(&self) -> &'static str {
        "tract"
    }

    fn load(&self, file: &Path) -> Result<Arc<dyn Model>, LoadError> {
        let parsed = tract_onnx::onnx().model_for_path(file).map_err(told)?;
        // Some models compute shapes from their rows in ways that tract follows only when it knows how many there are.
        let typed = match parsed.clone().into_typed() {
            Ok(typed) => typed,
            Err(error) => of_one_row(parsed)
                .and_then(InferenceModelExt::into_typed)
                .map_err(|_| told(error))?,
        };
        // Read before the optimisation, which renames what it fuses.
        let (inputs, outputs) = interface(&typed)?;
        let plan = typed.into_optimized().and_then(IntoRunnable::into_runnable);
        Ok(Arc::new(Loaded {
            plan: plan.map_err(told)?,
            inputs,
            outputs,
        }))
    }
}

/// tract tells from the outside in; the operator and the shape at fault are in the inner sentences.
/// The model for exactly one row a run.
fn of_one_row(mut model: InferenceModel) -> TractResult<InferenceModel> {
    for input in 0..model.inputs.len() {
        let mut fact = model.input_fact(input)?.clone();
        fact.shape.set_dim(0, 1.to_dim());
        model = model.with_input_fact(input, fact)?;
    }
    for output in 0..model.outputs.len() {
        model.set_output_fact(output, InferenceFact::default())?;
    }
    Ok(model)
}

fn told<E: fmt::Display>(error: E) -> LoadError {
    LoadError(format!("{error:#}"))
}

fn interface(model: &TypedModel) -> Result<(Vec<TensorMetadata>, Vec<TensorMetadata>), LoadError> {
    let tensors = |outlets: &[tract_onnx::prelude::OutletId]| {
        let tensors = outlets.iter().map(|outlet| {
            let fact = model.outlet_fact(*outlet).map_err(told)?;
            let label = model.outlet_label(*outlet);
            let name = label.unwrap_or(&model.node(outlet.node).name).to_owned();
            let datatype = datatype(fact.datum_type).ok_or_else(|| {
                LoadError(format!(
                    "`{name}` is of type {:?}, which the protocol has no form for",
                    fact.datum_type
                ))
            })?;
            let shape = fact
                .shape
                .iter()
                .map(|dim| dim.to_i64().unwrap_or(-1))
                .collect();
            Ok(TensorMetadata {
                name,
                datatype,
                shape,
            })
        });
        tensors.collect::<Result<Vec<_>, _>>()
    };
    let inputs = tensors(model.input_outlets().map_err(told)?)?;
    let outputs = tensors(model.output_outlets().map_err(told)?)?;
    Ok((inputs, outputs))
}

struct Loaded {
    plan: Arc<TypedRunnableModel>,
    inputs: Vec<TensorMetadata>,
    outputs: Vec<TensorMetadata>,
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded")
            .field("inputs", &self.inputs)
            .field("outputs", &self.outputs)
            .finish_non_exhaustive()
    }
}

impl Model for Loaded {
    fn inputs(&self) -> &[TensorMetadata] {
        &self.inputs
    }

    fn outputs(&self) -> &[TensorMetadata] {
        &self.outputs
    }

    fn run(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>, RunError> {
        let values = inputs.iter().map(value).collect::<Result<TVec<_>, _>>()?;
        let outputs = self
            .plan
            .run(values)
            .map_err(|error| RunError(format!("{error:#}")))?;
        let named = self.outputs.iter().zip(&outputs);
        named
            .map(|(metadata, value)| tensor(metadata, value))
            .collect()
    }
}

fn value(tensor: &Tensor) -> Result<TValue, RunError> {
    let dims = tensor.shape().dims();
    if tensor.datatype() == Datatype::Bytes {
        let strings = tensor
            .strings()
            .map(|string| std::str::from_utf8(string).map(str::to_owned));
        let strings = strings.collect::<Result<Vec<_>, _>>().map_err(|_| {
            RunError(format!(
                "input `{}` has a string that is not UTF-8",
                tensor.name()
            ))
        })?;
        let array = tract_onnx::prelude::tract_ndarray::ArrayD::from_shape_vec(dims, strings);
        let array = array.map_err(|error| RunError(error.to_string()))?;
        return Ok(Value::from(array).into_tvalue());
    }
    let datum = datum(tensor.datatype())
        .ok_or_else(|| RunError(format!("tract does not run {}", tensor.datatype())))?;
    let mut value = Value::zero_dt(datum, dims).map_err(|error| RunError(error.to_string()))?;
    if tensor.datatype() == Datatype::Bool {
        let bytes = value.as_bytes_mut().iter_mut().zip(tensor.data());
        bytes.for_each(|(to, from)| *to = u8::from(*from != 0));
    } else {
        value.as_bytes_mut().copy_from_slice(tensor.data());
    }
    Ok(value.into_tvalue())
}

fn tensor(metadata: &TensorMetadata, value: &Value) -> Result<Tensor, RunError> {
    let shape = Shape::from(value.shape().to_vec());
    let data = if metadata.datatype == Datatype::Bytes {
        let view = value.to_plain_array_view::<String>();
        let mut data = Vec::new();
        for string in view.map_err(|error| RunError(error.to_string()))? {
            let length =
                u32::try_from(string.len()).map_err(|error| RunError(error.to_string()))?;
            data.extend(length.to_le_bytes());
            data.extend(string.as_bytes());
        }
        data
    } else {
        value.as_bytes().to_vec()
    };
    let tensor = Tensor::new(&*metadata.name, metadata.datatype, shape, data.into());
    tensor.map_err(|error| RunError(format!("output `{}` {error}", metadata.name)))
}

const DATUMS: [(Datatype, DatumType); 12] = [
    (Datatype::Bool, DatumType::Bool),
    (Datatype::Uint8, DatumType::U8),
    (Datatype::Uint16, DatumType::U16),
    (Datatype::Uint32, DatumType::U32),
    (Datatype::Uint64, DatumType::U64),
    (Datatype::Int8, DatumType::I8),
    (Datatype::Int16, DatumType::I16),
    (Datatype::Int32, DatumType::I32),
    (Datatype::Int64, DatumType::I64),
    (Datatype::Fp16, DatumType::F16),
    (Datatype::Fp32, DatumType::F32),
    (Datatype::Fp64, DatumType::F64),
];

fn datum(datatype: Datatype) -> Option<DatumType> {
    let found = DATUMS.iter().find(|(known, _)| *known == datatype);
    found.map(|(_, datum)| *datum)
}

fn datatype(datum: DatumType) -> Option<Datatype> {
    if datum == DatumType::String {
        return Some(Datatype::Bytes);
    }
    let found = DATUMS.iter().find(|(_, known)| *known == datum);
    found.map(|(datatype, _)| *datatype)
}
