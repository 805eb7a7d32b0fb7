//! Tensors from messages and back.

use bytes::Bytes;

use crate::protocol::grpc::infer_parameter::ParameterChoice;
use crate::protocol::grpc::model_infer_request::InferInputTensor;
use crate::protocol::grpc::model_infer_response::InferOutputTensor;
use crate::protocol::grpc::{InferTensorContents, ModelInferRequest, ModelInferResponse};
use crate::protocol::{Datatype, ProtocolError, Shape, Tensor, push_string};
use crate::served::Served;

/// How long the client waits by the parameter `timeout`; 0 when it does not say.
pub(super) fn timeout_us(request: &ModelInferRequest) -> u64 {
    let parameter = request.parameters.get("timeout");
    match parameter.and_then(|parameter| parameter.parameter_choice.as_ref()) {
        Some(ParameterChoice::Int64Param(us)) => u64::try_from(*us).unwrap_or(0),
        Some(ParameterChoice::Uint64Param(us)) => *us,
        _ => 0,
    }
}

/// The names of the outputs that are wanted; all when there are none here.
pub(super) fn wanted(request: &ModelInferRequest) -> Vec<String> {
    request
        .outputs
        .iter()
        .map(|output| output.name.clone())
        .collect()
}

/// The request's tensors. Raw contents are not copied.
pub(super) fn inputs(request: ModelInferRequest) -> Result<Vec<Tensor>, ProtocolError> {
    let raw = request.raw_input_contents;
    if !raw.is_empty() && raw.len() != request.inputs.len() {
        let text = format!(
            "{} raw contents for {} inputs",
            raw.len(),
            request.inputs.len()
        );
        return Err(ProtocolError::new(text));
    }
    let mut raw = raw.into_iter();
    let inputs = request.inputs.into_iter().map(|input| {
        let name = input.name.clone();
        input_tensor(input, raw.next())
            .map_err(|error| ProtocolError::new(format!("input `{name}` {error}")))
    });
    inputs.collect()
}

fn input_tensor(input: InferInputTensor, raw: Option<Bytes>) -> Result<Tensor, ProtocolError> {
    if input.parameters.contains_key("shared_memory_region") {
        return Err(ProtocolError::new(
            "is in shared memory, an extension that is not there",
        ));
    }
    let datatype: Datatype = input.datatype.parse()?;
    let shape = Shape::declared(&input.shape)?;
    let data = match (raw, input.contents) {
        (Some(_), Some(_)) => return Err(ProtocolError::new("has both typed and raw contents")),
        (Some(raw), None) => raw,
        (None, contents) => typed(datatype, &contents.unwrap_or_default())?,
    };
    Tensor::new(input.name, datatype, shape, data)
}

fn typed(datatype: Datatype, contents: &InferTensorContents) -> Result<Bytes, ProtocolError> {
    macro_rules! numbers {
        ($field:ident as $type:ty) => {{
            let mut data = Vec::with_capacity(contents.$field.len() * size_of::<$type>());
            for element in &contents.$field {
                let element = <$type>::try_from(*element)
                    .map_err(|_| ProtocolError::new("has a number beyond the datatype's range"))?;
                data.extend(element.to_le_bytes());
            }
            data
        }};
    }
    let data = match datatype {
        Datatype::Bool => contents
            .bool_contents
            .iter()
            .map(|element| u8::from(*element))
            .collect(),
        Datatype::Uint8 => numbers!(uint_contents as u8),
        Datatype::Uint16 => numbers!(uint_contents as u16),
        Datatype::Uint32 => numbers!(uint_contents as u32),
        Datatype::Uint64 => numbers!(uint64_contents as u64),
        Datatype::Int8 => numbers!(int_contents as i8),
        Datatype::Int16 => numbers!(int_contents as i16),
        Datatype::Int32 => numbers!(int_contents as i32),
        Datatype::Int64 => numbers!(int64_contents as i64),
        Datatype::Fp32 => numbers!(fp32_contents as f32),
        Datatype::Fp64 => numbers!(fp64_contents as f64),
        Datatype::Fp16 | Datatype::Bf16 => {
            let text = format!("is {datatype}, which has no typed contents; send raw ones");
            return Err(ProtocolError::new(text));
        }
        Datatype::Bytes => {
            let mut data = Vec::new();
            for string in &contents.bytes_contents {
                push_string(&mut data, string)?;
            }
            data
        }
    };
    Ok(data.into())
}

/// The reply, always with raw contents, as clients expect.
pub(super) fn reply(
    served: &Served,
    id: String,
    outputs: Vec<Tensor>,
    wanted: &[String],
) -> Result<ModelInferResponse, ProtocolError> {
    let has = |name: &String| outputs.iter().any(|output| output.name() == name);
    if let Some(unknown) = wanted.iter().find(|name| !has(name)) {
        return Err(ProtocolError::new(format!(
            "the model has no output `{unknown}`"
        )));
    }
    let is_wanted =
        |output: &Tensor| wanted.is_empty() || wanted.iter().any(|name| name == output.name());
    let outputs = outputs.into_iter().filter(is_wanted).map(|output| {
        let dims = output.shape().dims().iter();
        let described = InferOutputTensor {
            name: output.name().to_owned(),
            datatype: output.datatype().to_string(),
            shape: dims
                .map(|dim| i64::try_from(*dim).unwrap_or(i64::MAX))
                .collect(),
            ..InferOutputTensor::default()
        };
        (described, output.data().clone())
    });
    let (outputs, raw_output_contents) = outputs.unzip();
    Ok(ModelInferResponse {
        model_name: served.name.clone(),
        model_version: served.version.to_string(),
        id,
        outputs,
        raw_output_contents,
        ..ModelInferResponse::default()
    })
}
