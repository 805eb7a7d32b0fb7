//! An inference request and its reply, in JSON with or without binary data behind it.
//!
//! A body with binary data is JSON, as long as the header [`HEADER_LENGTH`] says, and then the data of each tensor whose
//! parameter `binary_data_size` gives its length, in the order of the tensors.

use bytes::{BufMut, Bytes, BytesMut};
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use super::{Datatype, ProtocolError, Shape, Tensor, values};

/// The header with the length of the JSON in a body that has binary data.
pub const HEADER_LENGTH: &str = "inference-header-content-length";

/// An inference request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InferRequest {
    /// The client's name for it, which the reply repeats.
    pub id: Option<String>,
    /// How long the client waits, in microseconds; 0 means that it did not say.
    pub timeout_us: u64,
    /// The tensors.
    pub inputs: Vec<Tensor>,
    /// The outputs that are wanted; all when there are none here.
    pub outputs: Vec<RequestedOutput>,
    /// The form of outputs that are not named.
    pub other_outputs: OutputForm,
}

/// An output that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestedOutput {
    /// Its name.
    pub name: String,
    /// In which form.
    pub form: OutputForm,
}

/// The form of a tensor in a reply over HTTP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutputForm {
    /// Numbers in JSON.
    #[default]
    Json,
    /// Bytes behind the JSON.
    Binary,
}

#[derive(Deserialize)]
struct RequestJson<'a> {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    parameters: Parameters,
    #[serde(borrow)]
    inputs: Vec<InputJson<'a>>,
    #[serde(default)]
    outputs: Vec<OutputJson>,
}

#[derive(Deserialize)]
struct InputJson<'a> {
    name: String,
    shape: Vec<i64>,
    datatype: String,
    #[serde(default)]
    parameters: Parameters,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct OutputJson {
    name: String,
    #[serde(default)]
    parameters: Parameters,
}

/// The parameters that mean something here; the protocol has others ignored, but for those that would change the answer.
#[derive(Default, Deserialize)]
struct Parameters {
    #[serde(default)]
    binary_data_size: Option<usize>,
    #[serde(default)]
    binary_data: Option<bool>,
    #[serde(default)]
    binary_data_output: Option<bool>,
    #[serde(default)]
    timeout: Option<u64>,
    #[serde(default)]
    classification: Option<u64>,
    #[serde(default)]
    shared_memory_region: Option<String>,
}

impl Parameters {
    fn form(&self, otherwise: OutputForm) -> OutputForm {
        match self.binary_data.or(self.binary_data_output) {
            Some(true) => OutputForm::Binary,
            Some(false) => OutputForm::Json,
            None => otherwise,
        }
    }

    fn check(&self) -> Result<(), ProtocolError> {
        if self.classification.unwrap_or(0) > 0 {
            return Err(ProtocolError::new(
                "the extension `classification` is not there",
            ));
        }
        if self.shared_memory_region.is_some() {
            return Err(ProtocolError::new(
                "the extension `shared_memory` is not there",
            ));
        }
        Ok(())
    }
}

impl InferRequest {
    /// Reads a request. `json_length` is what [`HEADER_LENGTH`] says, if it is there. Binary data is not copied.
    ///
    /// # Errors
    /// When it is no request, or a tensor is not what it declares.
    pub fn read(body: &Bytes, json_length: Option<usize>) -> Result<Self, ProtocolError> {
        let json_length = json_length.unwrap_or(body.len());
        if json_length > body.len() {
            let text = format!(
                "{HEADER_LENGTH} is {json_length}, but the body has {} bytes",
                body.len()
            );
            return Err(ProtocolError::new(text));
        }
        let mut binary = body.slice(json_length..);
        let json: RequestJson<'_> =
            serde_json::from_slice(&body[..json_length]).map_err(|error| {
                ProtocolError::new(format!("the request is not what it should be: {error}"))
            })?;
        json.parameters.check()?;
        let inputs = json
            .inputs
            .into_iter()
            .map(|input| read_input(input, &mut binary));
        let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
        if !binary.is_empty() {
            let text = format!("{} bytes of binary data belong to no input", binary.len());
            return Err(ProtocolError::new(text));
        }
        let other_outputs = json.parameters.form(OutputForm::Json);
        let outputs = json.outputs.into_iter().map(|output| {
            output.parameters.check()?;
            Ok(RequestedOutput {
                form: output.parameters.form(other_outputs),
                name: output.name,
            })
        });
        Ok(Self {
            id: json.id,
            timeout_us: json.parameters.timeout.unwrap_or(0),
            inputs,
            outputs: outputs.collect::<Result<_, ProtocolError>>()?,
            other_outputs,
        })
    }

    /// The form in which the output of this name is wanted; none when it is not.
    #[must_use]
    pub fn form_of(&self, output: &str) -> Option<OutputForm> {
        if self.outputs.is_empty() {
            return Some(self.other_outputs);
        }
        let wanted = self.outputs.iter().find(|wanted| wanted.name == output);
        wanted.map(|wanted| wanted.form)
    }
}

fn read_input(input: InputJson<'_>, binary: &mut Bytes) -> Result<Tensor, ProtocolError> {
    let name = input.name;
    let named = |error: ProtocolError| ProtocolError::new(format!("input `{name}` {error}"));
    input.parameters.check()?;
    let datatype: Datatype = input.datatype.parse().map_err(|_| {
        ProtocolError::new(format!(
            "input `{name}` has no datatype of the protocol; FP32 is one, say"
        ))
    })?;
    let shape = Shape::declared(&input.shape).map_err(named)?;
    let data = match (input.parameters.binary_data_size, input.data) {
        (Some(_), Some(_)) => Err(ProtocolError::new("has both `data` and binary data")),
        (None, None) => Err(ProtocolError::new(
            "has neither `data` nor a `binary_data_size`",
        )),
        (Some(size), None) if size > binary.len() => Err(ProtocolError::new(format!(
            "has a `binary_data_size` of {size}, but only {} bytes are left of the body",
            binary.len()
        ))),
        (Some(size), None) => Ok(binary.split_to(size)),
        (None, Some(data)) => values::read(data, datatype, shape.elements()).map(Bytes::from),
    };
    let tensor = data.and_then(|data| Tensor::new(name.clone(), datatype, shape, data));
    tensor.map_err(named)
}

/// The reply to an inference request.
#[derive(Debug)]
pub struct InferReply<'a> {
    /// The model that answered.
    pub model_name: &'a str,
    /// Its version.
    pub model_version: &'a str,
    /// The request's id.
    pub id: Option<&'a str>,
    /// What the model gave, and in which form it is wanted.
    pub outputs: Vec<(Tensor, OutputForm)>,
}

impl InferReply<'_> {
    /// The body, and the length of its JSON if there is binary data behind it.
    ///
    /// # Errors
    /// When an output has no form in JSON and was not asked for as binary data.
    pub fn write(&self) -> Result<(Bytes, Option<usize>), ProtocolError> {
        let mut body = BytesMut::new().writer();
        serde_json::to_writer(&mut body, self)
            .map_err(|error| ProtocolError::new(error.to_string()))?;
        let mut body = body.into_inner();
        let json_length = body.len();
        let mut is_binary = false;
        for (tensor, form) in &self.outputs {
            if *form == OutputForm::Binary {
                is_binary = true;
                body.extend_from_slice(tensor.data());
            }
        }
        Ok((body.freeze(), is_binary.then_some(json_length)))
    }
}

impl Serialize for InferReply<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("model_name", self.model_name)?;
        map.serialize_entry("model_version", self.model_version)?;
        if let Some(id) = self.id {
            map.serialize_entry("id", id)?;
        }
        let outputs: Vec<_> = self.outputs.iter().map(Output).collect();
        map.serialize_entry("outputs", &outputs)?;
        map.end()
    }
}

struct Output<'a>(&'a (Tensor, OutputForm));

impl Serialize for Output<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Size {
            binary_data_size: usize,
        }
        let (tensor, form) = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", tensor.name())?;
        map.serialize_entry("datatype", &tensor.datatype())?;
        map.serialize_entry("shape", tensor.shape().dims())?;
        match form {
            OutputForm::Binary => {
                let binary_data_size = tensor.data().len();
                map.serialize_entry("parameters", &Size { binary_data_size })?;
            }
            OutputForm::Json => map.serialize_entry("data", &Data(tensor))?,
        }
        map.end()
    }
}

struct Data<'a>(&'a Tensor);

impl Serialize for Data<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        values::write(self.0, serializer)
    }
}
