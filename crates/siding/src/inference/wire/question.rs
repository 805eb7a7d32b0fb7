//! A question as it travels.

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use super::JSON_LENGTH;
use crate::inference::{Request, Tensor};

/// What stays as it is in a segment of a path: RFC 3986's unreserved characters.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A question that can be sent.
#[derive(Debug)]
pub(in crate::inference) struct Question {
    /// Below the replica's URL.
    pub(in crate::inference) path: String,
    pub(in crate::inference) headers: HeaderMap,
    pub(in crate::inference) body: Bytes,
}

/// The JSON of a question.
#[derive(Serialize)]
struct Head<'a> {
    inputs: Vec<Input<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    outputs: Vec<Output<'a>>,
    parameters: All,
}

#[derive(Serialize)]
struct Input<'a> {
    name: &'a str,
    shape: &'a [u64],
    datatype: &'static str,
    parameters: Binary,
}

#[derive(Serialize)]
struct Binary {
    binary_data_size: usize,
}

#[derive(Serialize)]
struct Output<'a> {
    name: &'a str,
}

/// What holds for the whole question.
#[derive(Serialize)]
struct All {
    /// The outputs' values are wanted in binary.
    binary_data_output: bool,
    /// How long the client waits, in microseconds, by Triton's [extension for scheduling policies][policy]: what it does not wait for
    /// need not be computed.
    ///
    /// [policy]: https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_schedule_policy.md
    timeout: u64,
}

/// Writes a question whose answer is waited for so long.
pub(in crate::inference) fn write(request: &Request, waits: Duration) -> Question {
    let json = head(request, waits);
    let binary: usize = request.inputs.iter().map(|input| input.bytes().len()).sum();
    let mut body = BytesMut::with_capacity(json.len() + binary);
    body.put_slice(&json);
    for input in &request.inputs {
        body.put_slice(input.bytes());
    }
    let mut headers = HeaderMap::with_capacity(2);
    let binary = HeaderValue::from_static("application/octet-stream");
    headers.insert(CONTENT_TYPE, binary);
    headers.insert(JSON_LENGTH, json.len().into());
    Question {
        path: path(request),
        headers,
        body: body.freeze(),
    }
}

fn head(request: &Request, waits: Duration) -> Vec<u8> {
    let input = |tensor| {
        let tensor: &Tensor = tensor;
        Input {
            name: tensor.name(),
            shape: tensor.shape(),
            datatype: tensor.datatype().as_str(),
            parameters: Binary {
                binary_data_size: tensor.bytes().len(),
            },
        }
    };
    let head = Head {
        inputs: request.inputs.iter().map(input).collect(),
        outputs: request.outputs.iter().map(|name| Output { name }).collect(),
        parameters: All {
            binary_data_output: true,
            // 0 would mean that it does not say.
            timeout: u64::try_from(waits.as_micros()).unwrap_or(u64::MAX).max(1),
        },
    };
    serde_json::to_vec(&head).expect("texts and numbers are always JSON")
}

fn path(request: &Request) -> String {
    let model = utf8_percent_encode(&request.model, SEGMENT);
    match &request.version {
        None => format!("v2/models/{model}/infer"),
        Some(version) => {
            let version = utf8_percent_encode(version, SEGMENT);
            format!("v2/models/{model}/versions/{version}/infer")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_behind_the_json_whose_length_is_told() {
        let a = Tensor::new("a", [2], &[1_u16, 2]).expect("fits");
        let b = Tensor::strings("b", [1], ["x"]).expect("fits");
        let request = Request::new("m/1")
            .version("2")
            .input(a)
            .input(b)
            .output("y");
        let question = write(&request, Duration::from_millis(2));
        assert_eq!(question.path, "v2/models/m%2F1/versions/2/infer");
        let length = question.headers[JSON_LENGTH].to_str().expect("text");
        let (json, binary) = question.body.split_at(length.parse().expect("a number"));
        assert_eq!(
            str::from_utf8(json).expect("text"),
            concat!(
                r#"{"inputs":[{"name":"a","shape":[2],"datatype":"UINT16","parameters":{"binary_data_size":4}},"#,
                r#"{"name":"b","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":5}}],"#,
                r#""outputs":[{"name":"y"}],"parameters":{"binary_data_output":true,"timeout":2000}}"#
            )
        );
        assert_eq!(binary, b"\x01\0\x02\0\x01\0\0\0x");
    }
}
