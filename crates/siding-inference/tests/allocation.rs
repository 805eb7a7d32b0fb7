//! What a message declares is not allocated, only what it brings. Alone in its program: it counts every allocation of the process.

use bytes::{BufMut, Bytes, BytesMut};
use prost::Message;
use serde_json::json;
use siding_inference::protocol::InferRequest;
use siding_inference::protocol::grpc::ModelInferRequest;

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// More than any refusal needs, and far less than any of the sizes that are declared here.
const LIMIT: usize = 64 * 1024;
const HUGE: u64 = 1 << 40;

/// The most that was allocated at the same time while `work` ran, beyond what was before.
fn peak(work: impl FnOnce()) -> usize {
    let before = dhat::HeapStats::get().curr_bytes;
    // The peak so far must not hide a lower one.
    let ballast = vec![0_u8; dhat::HeapStats::get().max_bytes - before];
    let before = dhat::HeapStats::get().curr_bytes;
    work();
    drop(ballast);
    dhat::HeapStats::get().max_bytes - before
}

#[test]
fn what_is_declared_costs_nothing() {
    let _profiler = dhat::Profiler::builder().testing().build();
    let control = peak(|| drop(std::hint::black_box(vec![1_u8; 2 * LIMIT])));
    assert!(control >= 2 * LIMIT, "allocations are not seen: {control}");
    for (what, body, json_length) in http() {
        let used = peak(|| {
            let read = InferRequest::read(&body, json_length);
            assert!(read.is_err(), "{what} is read");
        });
        assert!(used <= LIMIT, "{what}: {used} bytes");
    }
    let message = grpc();
    let used = peak(|| assert!(ModelInferRequest::decode(message).is_err()));
    assert!(used <= LIMIT, "over gRPC: {used} bytes");
}

/// Requests over HTTP that declare more than they bring.
fn http() -> Vec<(&'static str, Bytes, Option<usize>)> {
    let input = |shape: [u64; 2], datatype: &str, more: (&str, serde_json::Value)| {
        let mut input = json!({ "name": "x", "shape": shape, "datatype": datatype });
        input[more.0] = more.1;
        json!({ "inputs": [input] }).to_string()
    };
    let binary = |size: u64| ("parameters", json!({ "binary_data_size": size }));
    let with = |json: String, data: &[u8]| {
        let length = json.len();
        (Bytes::from([json.as_bytes(), data].concat()), Some(length))
    };
    let cases = [
        (
            "a huge shape in JSON",
            (
                input([HUGE, 4], "FP32", ("data", json!([1, 2]))).into(),
                None,
            ),
        ),
        (
            "a huge shape of strings",
            (
                input([HUGE, 4], "BYTES", ("data", json!(["a"]))).into(),
                None,
            ),
        ),
        (
            "a huge binary shape",
            with(input([HUGE, 4], "FP32", binary(16)), &[0; 16]),
        ),
        (
            "a huge binary size",
            with(input([2, 2], "FP32", binary(HUGE)), &[0; 16]),
        ),
        (
            "a huge string",
            with(input([1, 1], "BYTES", binary(8)), &[0xff; 8]),
        ),
        (
            "a huge JSON length",
            (Bytes::from_static(b"{}"), usize::try_from(HUGE).ok()),
        ),
    ];
    cases
        .map(|(what, (body, length))| (what, body, length))
        .into()
}

/// A message whose raw contents (field 7) are said to be a terabyte long.
fn grpc() -> Bytes {
    let mut message = BytesMut::new();
    message.put_u8(7 << 3 | 2);
    prost::encoding::encode_varint(HUGE, &mut message);
    message.put_slice(&[0; 16]);
    message.freeze()
}
