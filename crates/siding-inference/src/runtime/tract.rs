//! The runtime in pure Rust, on the CPU: [tract](https://docs.rs/tract-onnx).

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use tract_onnx::prelude::{
    DatumType, Framework, InferenceFact, InferenceModel, InferenceModelExt, IntoRunnable,
    IntoTValue, TValue, TVec, Tensor as Value, ToDim, TractResult, TypedModel, TypedRunnableModel,
};
use tract_onnx::tract_hir::infer::Factoid;

use super::{Device, LoadError, LoadOptions, Model, Rows, RunError, Runtime, string_data, texts};
use crate::protocol::{Datatype, Shape, Tensor, TensorMetadata};

/// Runs models with tract: on the CPU, one thread a run, without a library of the system.
#[derive(Clone, Copy, Debug)]
pub struct Tract;

impl Runtime for Tract {
    fn name(&self) -> &'static str {
        "tract"
    }

    fn load(&self, file: &Path, options: LoadOptions) -> Result<Arc<dyn Model>, LoadError> {
        refuse(options)?;
        let parsed = tract_onnx::onnx().model_for_path(file).map_err(told)?;
        // Some models compute shapes from their rows in ways that tract follows only when it knows how many there are.
        let (typed, rows) = match parsed.clone().into_typed() {
            Ok(typed) => (typed, Rows::Together),
            Err(error) => of_one_row(parsed).map_err(|_| told(error))?,
        };
        // Read before the optimisation, which renames what it fuses.
        let (mut inputs, mut outputs) = interface(&typed)?;
        if rows == Rows::OneByOne {
            let tensors = inputs.iter_mut().chain(&mut outputs);
            tensors.for_each(|tensor| tensor.shape[0] = -1);
        }
        let plan = typed.into_optimized().and_then(IntoRunnable::into_runnable);
        Ok(Arc::new(Loaded {
            plan: plan.map_err(told)?,
            inputs,
            outputs,
            rows,
        }))
    }
}

fn refuse(options: LoadOptions) -> Result<(), LoadError> {
    if options.device != Device::Cpu {
        return Err(LoadError(format!(
            "tract runs on the CPU, not on `{}`; `runtime = \"onnxruntime\"` does",
            options.device
        )));
    }
    if options.threads != 1 {
        return Err(LoadError(
            "tract runs on one thread: `threads` must be 1; `instances` run at the same time"
                .to_owned(),
        ));
    }
    Ok(())
}

/// The model for exactly one row a run, and what that means for requests of several.
///
/// Where the file leaves open how many there are, and two rows would come out as two, they may be run one by one. Anything else is
/// a model of one row.
fn of_one_row(parsed: InferenceModel) -> TractResult<(TypedModel, Rows)> {
    let open = rows_are_open(&parsed)?;
    let one = with_rows(parsed.clone(), 1)?.into_typed()?;
    if !open || !gives_rows(&one, 1)? {
        return Ok((one, Rows::Together));
    }
    let two = with_rows(parsed, 2).and_then(InferenceModelExt::into_typed);
    let of_rows = two.is_ok_and(|two| gives_rows(&two, 2).unwrap_or(false));
    Ok((
        one,
        if of_rows {
            Rows::OneByOne
        } else {
            Rows::Together
        },
    ))
}

fn rows_are_open(model: &InferenceModel) -> TractResult<bool> {
    for input in 0..model.inputs.len() {
        let Some(rows) = model.input_fact(input)?.shape.dim(0) else {
            return Ok(false);
        };
        if rows.concretize().is_some_and(|rows| rows.to_i64().is_ok()) {
            return Ok(false);
        }
    }
    Ok(!model.inputs.is_empty())
}

/// Whether all outputs have so many rows.
fn gives_rows(model: &TypedModel, rows: i64) -> TractResult<bool> {
    for output in model.output_outlets()? {
        let first = model.outlet_fact(*output)?.shape.iter().next();
        if first.is_none_or(|first| first.to_i64().ok() != Some(rows)) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn with_rows(mut model: InferenceModel, rows: i64) -> TractResult<InferenceModel> {
    for input in 0..model.inputs.len() {
        let mut fact = model.input_fact(input)?.clone();
        if fact.shape.dim(0).is_some() {
            fact.shape.set_dim(0, rows.to_dim());
        }
        model = model.with_input_fact(input, fact)?;
    }
    for output in 0..model.outputs.len() {
        model.set_output_fact(output, InferenceFact::default())?;
    }
    Ok(model)
}

/// tract tells from the outside in; the operator and the shape at fault are in the inner sentences.
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
    rows: Rows,
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

    fn rows(&self) -> Rows {
        self.rows
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
        let strings = texts(tensor)?;
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
        string_data(view.map_err(|error| RunError(error.to_string()))?)?
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
