//! An answer as it travels. It may come from anybody, so that nothing it says of itself is believed.

use bytes::{BufMut, Bytes, BytesMut};
use http::HeaderMap;
use serde::Deserialize;
use serde_json::Value;

use super::JSON_LENGTH;
use crate::inference::{DataType, Tensor, TensorError};

/// So much of what a service says of an error goes into ours.
const MESSAGE_CHARS_MAX: usize = 500;

/// The JSON of an answer.
#[derive(Deserialize)]
struct Head {
    model_version: Option<String>,
    outputs: Vec<Output>,
}

#[derive(Deserialize)]
struct Output {
    name: String,
    shape: Vec<u64>,
    datatype: String,
    #[serde(default)]
    parameters: Parameters,
    data: Option<Value>,
}

#[derive(Default, Deserialize)]
struct Parameters {
    binary_data_size: Option<usize>,
}

/// The JSON of an error: the protocol's, or a problem's.
#[derive(Deserialize)]
struct Said {
    error: Option<String>,
    detail: Option<String>,
}

/// An answer that makes no sense.
#[derive(Debug, thiserror::Error)]
pub(in crate::inference) enum Malformed {
    #[error("its JSON is said to be longer than all of it")]
    HeadLength,
    #[error("its JSON: {0}")]
    Json(#[source] serde_json::Error),
    #[error("output `{output}` {what}")]
    Output { output: String, what: String },
    #[error(transparent)]
    Tensor(#[from] TensorError),
    #[error("{0} bytes more than its outputs")]
    TooLong(usize),
}

/// The version of the model, and its outputs.
pub(in crate::inference) fn read(
    headers: &HeaderMap,
    body: Bytes,
) -> Result<(Option<String>, Vec<Tensor>), Malformed> {
    let (json, mut binary) = split(headers, body)?;
    let head: Head = serde_json::from_slice(&json).map_err(Malformed::Json)?;
    let outputs = head.outputs.into_iter();
    let outputs: Result<_, _> = outputs.map(|output| tensor(output, &mut binary)).collect();
    match binary.len() {
        0 => Ok((head.model_version, outputs?)),
        // What an output lacks is said first.
        more => outputs.and(Err(Malformed::TooLong(more))),
    }
}

/// JSON and binary.
fn split(headers: &HeaderMap, mut body: Bytes) -> Result<(Bytes, Bytes), Malformed> {
    let Some(length) = headers.get(JSON_LENGTH) else {
        return Ok((body, Bytes::new()));
    };
    let length = length.to_str().ok().and_then(|text| text.parse().ok());
    let length = length.filter(|length| *length <= body.len());
    let binary = body.split_off(length.ok_or(Malformed::HeadLength)?);
    Ok((body, binary))
}

fn tensor(output: Output, binary: &mut Bytes) -> Result<Tensor, Malformed> {
    let wrong = |what: &str| Malformed::Output {
        output: output.name.clone(),
        what: what.to_owned(),
    };
    let datatype = DataType::parse(&output.datatype).ok_or_else(|| {
        wrong(&format!(
            "has an unknown type, {:?}",
            shortened(&output.datatype)
        ))
    })?;
    let data = match (output.parameters.binary_data_size, &output.data) {
        (Some(size), _) if size > binary.len() => {
            return Err(wrong("is said to be longer than what there is"));
        }
        (Some(size), _) => binary.split_to(size),
        (None, Some(values)) => from_json(values, datatype)
            .ok_or_else(|| wrong(&format!("has values that are no {datatype}")))?,
        (None, None) => return Err(wrong("has no values")),
    };
    Ok(Tensor::from_bytes(
        output.name,
        output.shape,
        datatype,
        data,
    )?)
}

/// Values that come as JSON, from services that do not answer in binary.
fn from_json(values: &Value, datatype: DataType) -> Option<Bytes> {
    let mut data = BytesMut::new();
    put(values, datatype, &mut data)?;
    Some(data.freeze())
}

/// Arrays may be nested as the shape is, or flat. What serde reads is not nested deeply.
fn put(value: &Value, datatype: DataType, data: &mut BytesMut) -> Option<()> {
    if let Value::Array(values) = value {
        return values
            .iter()
            .try_for_each(|value| put(value, datatype, data));
    }
    macro_rules! integer {
        ($number:ty, $as:ident) => {
            data.put_slice(&<$number>::try_from(value.$as()?).ok()?.to_le_bytes())
        };
    }
    match datatype {
        DataType::Bool => data.put_u8(value.as_bool()?.into()),
        DataType::Uint8 => integer!(u8, as_u64),
        DataType::Uint16 => integer!(u16, as_u64),
        DataType::Uint32 => integer!(u32, as_u64),
        DataType::Uint64 => integer!(u64, as_u64),
        DataType::Int8 => integer!(i8, as_i64),
        DataType::Int16 => integer!(i16, as_i64),
        DataType::Int32 => integer!(i32, as_i64),
        DataType::Int64 => integer!(i64, as_i64),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "it is the type that was announced"
        )]
        DataType::Fp32 => data.put_f32_le(value.as_f64()? as f32),
        DataType::Fp64 => data.put_f64_le(value.as_f64()?),
        DataType::Bytes => {
            let text = value.as_str()?;
            data.put_u32_le(u32::try_from(text.len()).ok()?);
            data.put_slice(text.as_bytes());
        }
        // The protocol has no JSON for them.
        DataType::Fp16 | DataType::Bf16 => return None,
    }
    Some(())
}

/// What the body of an error says, on one line and not at length.
pub(in crate::inference) fn message_in(body: &[u8]) -> String {
    let said = serde_json::from_slice::<Said>(body).ok();
    let said = said.and_then(|said| said.error.or(said.detail));
    let text = said.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned());
    match text.trim() {
        "" => "it said no more".to_owned(),
        text => shortened(text),
    }
}

fn shortened(text: &str) -> String {
    let line = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    line.take(MESSAGE_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read_text(json: &str, binary: &[u8]) -> Result<Vec<Tensor>, String> {
        let mut headers = HeaderMap::new();
        headers.insert(JSON_LENGTH, HeaderValue::from(json.len()));
        let body = [json.as_bytes(), binary].concat();
        let read = read(&headers, body.into());
        read.map(|(_, outputs)| outputs)
            .map_err(|error| error.to_string())
    }

    #[track_caller]
    fn check_refused(json: &str, binary: &[u8], words: &str) {
        let error = read_text(json, binary).expect_err("makes no sense");
        assert!(error.contains(words), "{error:?} lacks {words:?}");
    }

    #[test]
    fn values_are_read_from_binary_and_from_json() {
        let json = r#"{"model_name":"m","outputs":[
            {"name":"a","shape":[2],"datatype":"FP32","parameters":{"binary_data_size":8}},
            {"name":"b","shape":[2,2],"datatype":"INT8","data":[[1,-2],[3,4]]},
            {"name":"c","shape":[1],"datatype":"BYTES","data":["x"]},
            {"name":"d","shape":[1],"datatype":"FP64","data":[0.5]}]}"#;
        let outputs = read_text(json, b"\0\0\x80\x3f\0\0\0\0").expect("makes sense");
        assert_eq!(outputs[0].values::<f32>(), Ok(vec![1.0, 0.0]));
        assert_eq!(outputs[1].values::<i8>(), Ok(vec![1, -2, 3, 4]));
        assert_eq!(outputs[2].byte_strings().expect("strings"), ["x"]);
        assert_eq!(outputs[3].values::<f64>(), Ok(vec![0.5]));
    }

    #[test]
    fn answers_that_make_no_sense_are_refused_with_the_reason() {
        let output = |rest: &str| format!(r#"{{"outputs":[{{"name":"a","shape":[2],{rest}}}]}}"#);
        check_refused("{}", b"", "outputs");
        check_refused(&output(r#""datatype":"FP7""#), b"", "unknown type, \"FP7\"");
        check_refused(&output(r#""datatype":"INT8""#), b"", "has no values");
        check_refused(
            &output(r#""datatype":"INT8","data":[1,128]"#),
            b"",
            "no INT8",
        );
        check_refused(&output(r#""datatype":"FP16","data":[1,2]"#), b"", "no FP16");
        check_refused(
            &output(r#""datatype":"INT8","data":[1,2,3]"#),
            b"",
            "shape [2]",
        );
        let binary = r#""datatype":"INT8","parameters":{"binary_data_size":2}"#;
        check_refused(&output(binary), b"a", "longer than what there is");
        check_refused(&output(binary), b"abc", "1 bytes more");
        let huge = r#""datatype":"INT8","parameters":{"binary_data_size":18446744073709551615}"#;
        check_refused(&output(huge), b"a", "longer than what there is");
        let mut headers = HeaderMap::new();
        headers.insert(JSON_LENGTH, HeaderValue::from_static("3"));
        assert!(matches!(
            read(&headers, Bytes::from("{}")),
            Err(Malformed::HeadLength)
        ));
    }

    #[test]
    fn what_a_service_says_of_an_error_is_one_short_line() {
        assert_eq!(message_in(br#"{"error":"no\nmodel"}"#), "no model");
        assert_eq!(message_in(br#"{"title":"x","detail":"busy"}"#), "busy");
        assert_eq!(message_in(b"oops"), "oops");
        assert_eq!(message_in(b" "), "it said no more");
        assert_eq!(
            message_in("x".repeat(9_000).as_bytes()).len(),
            MESSAGE_CHARS_MAX
        );
    }
}
