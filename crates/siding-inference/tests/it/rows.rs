//! Models that run one row at a time, in requests of several.

use bytes::{BufMut, Bytes, BytesMut};
use serde_json::{Value, json};
use siding::{Drained, Running};

use crate::support::{Reply, exchange, get, post, serve, shipped_models};

/// Asks `magika` for the scores of these files' blocks, each filled with one byte.
fn ask(running: &Running, fillings: &[i32]) -> Reply {
    let mut data = BytesMut::new();
    for filling in fillings {
        (0..2048).for_each(|_| data.put_i32_le(*filling));
    }
    let parameters = json!({ "binary_data_size": data.len() });
    let shape = [fillings.len(), 2048];
    let input =
        json!({ "name": "bytes", "shape": shape, "datatype": "INT32", "parameters": parameters });
    let question = json!({ "inputs": [input] }).to_string();
    let head = format!(
        "POST /v2/models/magika/infer HTTP/1.1\r\ninference-header-content-length: {}\r\n",
        question.len()
    );
    let body: Bytes = [question.as_bytes(), &data].concat().into();
    exchange(running.address(), &head, &body)
}

fn scores(reply: &Reply) -> (Value, Vec<Value>) {
    let output = &reply.body["outputs"][0];
    let data = output["data"].as_array().expect("data").clone();
    (output["shape"].clone(), data)
}

#[test]
fn rows_of_one_request_are_answered_as_if_each_came_alone() {
    let running = serve(&shipped_models());
    let [a, b] = [65, 10].map(|filling| scores(&ask(&running, &[filling])));
    assert_eq!(a.0, json!([1, 214]));
    assert_ne!(a.1, b.1);
    let both = scores(&ask(&running, &[65, 10]));
    assert_eq!(both, (json!([2, 214]), [a.1, b.1].concat()));
    assert_eq!(running.drain(std::future::pending()), Drained::Complete);
}

#[test]
fn a_model_of_one_row_a_run_says_what_its_file_says_and_bounds_the_rows_of_a_request() {
    let running = serve(&shipped_models());
    let address = running.address();
    let metadata = get(address, "/v2/models/magika").body;
    assert_eq!(metadata["inputs"][0]["shape"], json!([-1, 2048]));
    assert_eq!(metadata["outputs"][0]["shape"], json!([-1, 214]));
    let config = get(address, "/v2/models/magika/config").body;
    assert_eq!(config["max_batch_size"], 0, "{config}");
    let none = json!({ "name": "bytes", "shape": [0, 2048], "datatype": "INT32", "data": [] });
    let reply = post(
        address,
        "/v2/models/magika/infer",
        json!({ "inputs": [none] }).to_string().as_bytes(),
    );
    let error = reply.body["error"].as_str().unwrap_or_default();
    assert!(
        reply.status == 400 && error.contains("1 to 32 rows"),
        "{reply:?}"
    );
    assert_eq!(running.drain(std::future::pending()), Drained::Complete);
}
