//! An inference request over HTTP, JSON and binary tensors. Whatever comes is refused, or is as long as it says.
//!
//! The first two bytes are the length of the JSON, so that the fuzzer can move the border between the two parts.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use siding_inference::protocol::InferRequest;

fuzz_target!(|data: &[u8]| {
    let Some((length, body)) = data.split_first_chunk::<2>() else {
        return;
    };
    let length = usize::from(u16::from_le_bytes(*length));
    let body = Bytes::copy_from_slice(body);
    let Ok(request) = InferRequest::read(&body, Some(length)) else {
        return;
    };
    for tensor in &request.inputs {
        match tensor.datatype().size() {
            Some(size) => assert_eq!(tensor.shape().elements() * size, tensor.data().len()),
            None => assert_eq!(tensor.strings().count(), tensor.shape().elements()),
        }
    }
});
