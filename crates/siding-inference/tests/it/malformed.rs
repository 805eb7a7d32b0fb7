//! Requests that are wrong are refused with the reason, and models that are wrong are told of.

use serde_json::json;

use siding::Drained;

use crate::support::{exchange, get, post, serve, serve_with, test_models};

const INFER: &str = "/v2/models/add/infer";

#[test]
fn a_wrong_request_is_400_and_says_what_would_be_right() {
    let running = serve(&test_models());
    let address = running.address();
    let good = || json!({ "name": "a", "shape": [1, 4], "datatype": "FP32", "data": [1, 2, 3, 4] });
    let with = |name: &str, value: serde_json::Value| {
        let mut input = good();
        input[name] = value;
        json!({ "inputs": [input] }).to_string()
    };
    let cases = [
        ("{".to_owned(), "EOF"),
        (
            json!({ "inputs": [good()] }).to_string(),
            "input `b` is missing",
        ),
        (
            with("datatype", json!("FP31")),
            "no datatype of the protocol",
        ),
        (
            with("datatype", json!("INT8")),
            "is INT8; the model takes FP32",
        ),
        (with("datatype", json!("FP16")), "send it as binary data"),
        (
            with("shape", json!([1, 5])),
            "has 4 elements of data, but 5 by its shape",
        ),
        (
            with("shape", json!([1, 3])),
            "more elements than the shape has",
        ),
        (with("shape", json!([-1, 4])), "negative dimension"),
        (
            with("shape", json!([i64::MAX, 4])),
            "more elements than can be counted",
        ),
        (
            with("shape", json!([1_000_000_000_000_i64, 4])),
            "has 4 elements of data",
        ),
        (
            with("data", json!(["x", 2, 3, 4])),
            "a string for a datatype that is not BYTES",
        ),
        (
            with("parameters", json!({ "binary_data_size": 16 })),
            "both `data` and binary data",
        ),
        (
            with("parameters", json!({ "shared_memory_region": "r" })),
            "shared_memory",
        ),
    ];
    for (body, words) in cases {
        let reply = post(address, INFER, body.as_bytes());
        let error = reply.body["error"].as_str().unwrap_or_default();
        assert!(
            reply.status == 400 && error.contains(words),
            "{body}: {reply:?}"
        );
    }
    assert_eq!(running.drain(std::future::pending()), Drained::Complete);
}

#[test]
fn binary_data_must_be_as_long_as_it_says() {
    let running = serve(&test_models());
    let ask = |length: &str, json: serde_json::Value, data: &[u8]| {
        let json = json.to_string();
        let length = length.replace("right", &json.len().to_string());
        let head =
            format!("POST {INFER} HTTP/1.1\r\ninference-header-content-length: {length}\r\n");
        exchange(running.address(), &head, &[json.as_bytes(), data].concat())
    };
    let input = |size: u64, shape: [i64; 2]| {
        let parameters = json!({ "binary_data_size": size });
        json!({ "inputs": [{ "name": "a", "shape": shape, "datatype": "FP32", "parameters": parameters }] })
    };
    let cases = [
        ("right", input(16, [1, 4]), 12, "only 12 bytes are left"),
        (
            "right",
            input(16, [1, 4]),
            20,
            "4 bytes of binary data belong to no input",
        ),
        (
            "right",
            input(12, [1, 4]),
            12,
            "has 12 bytes of data, but 16 by its shape",
        ),
        (
            "right",
            input(16, [1 << 40, 1 << 20]),
            16,
            "has 16 bytes of data, but",
        ),
        (
            "right",
            input(u64::MAX, [1, 4]),
            16,
            "only 16 bytes are left",
        ),
        ("99999", input(16, [1, 4]), 16, "but the body has"),
        ("-1", input(16, [1, 4]), 16, "no length in bytes"),
    ];
    for (length, json, data, words) in cases {
        let reply = ask(length, json.clone(), &vec![0; data]);
        let error = reply.body["error"].as_str().unwrap_or_default();
        assert!(
            reply.status == 400 && error.contains(words),
            "{json}: {reply:?}"
        );
    }
    assert_eq!(running.drain(std::future::pending()), Drained::Complete);
}

#[test]
fn models_that_do_not_load_are_told_of_with_what_is_at_fault_and_hurt_no_other() {
    let running = serve(&test_models());
    let address = running.address();
    let index = post(address, "/v2/repository/index", b"").body;
    let of = |model: &str| {
        let entries = index.as_array().expect("a list").iter();
        entries
            .clone()
            .find(|entry| entry["name"] == model)
            .expect("is there")
            .clone()
    };
    for (model, words) in [
        ("unknown_operator", "Frobnicate"),
        ("wrong_shape", "the_product"),
    ] {
        let entry = of(model);
        assert_eq!(entry["state"], "UNAVAILABLE");
        let reason = entry["reason"].as_str().unwrap_or_default();
        let place = test_models().display().to_string();
        assert!(
            reason.contains(words) && !reason.contains(&place),
            "{reason}"
        );
        let ready = get(address, &format!("/v2/models/{model}/ready"));
        assert!(
            ready.status == 503
                && ready.body["error"]
                    .as_str()
                    .is_some_and(|error| error.contains(words)),
            "{ready:?}"
        );
    }
    assert_eq!(get(address, "/v2/models/add/ready").status, 200);
    assert_eq!(get(address, "/v2/health/ready").status, 200);
    assert_eq!(running.drain(std::future::pending()), Drained::Complete);
}

#[test]
fn without_a_runtime_the_service_runs_and_its_models_say_so() {
    let running = serve_with(&test_models(), Vec::new());
    let reply = get(running.address(), "/v2/models/add/ready");
    let said = reply.body.to_string();
    assert!(said.contains("without any runtime"), "{reply:?}");
    assert_eq!(running.drain(std::future::pending()), Drained::Complete);
}
