//! What the models do is in the metrics of the admin listener.

use std::net::Ipv4Addr;

use serde_json::json;
use siding::Drained;
use siding_inference::Service;

use crate::support::{get, post, settings, test_models};

const INFER: &str = "/v2/models/add/infer";

fn question(shape: [usize; 2]) -> Vec<u8> {
    let data = vec![1; shape.iter().product()];
    let input = |name| json!({ "name": name, "shape": shape, "datatype": "FP32", "data": data });
    json!({ "inputs": [input("a"), input("b")] })
        .to_string()
        .into_bytes()
}

#[test]
fn requests_and_batches_are_counted_for_each_model() {
    let mut settings = settings();
    settings.admin = Some((Ipv4Addr::LOCALHOST, 0).into());
    let app = Service::new(test_models()).app().with_settings(settings);
    let running = app.start().expect("starts");
    for shape in [[1, 4], [1, 4], [3, 4]] {
        let reply = post(running.address(), INFER, &question(shape));
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    let admin = running.admin_address().expect("is there");
    let text = get(admin, "/metrics").body;
    let text = text.as_str().expect("text");
    let model = r#"model="add",version="2""#;
    for line in [
        format!(r#"inference_requests_total{{{model},outcome="succeeded"}} 3"#),
        format!(r#"inference_requests_total{{{model},outcome="refused"}} 0"#),
        format!("inference_batch_rows_sum{{{model}}} 5.0"),
        format!("inference_batch_rows_count{{{model}}} 3"),
        format!(r#"inference_batch_rows_bucket{{{model},le="1"}} 2"#),
        format!(r#"inference_batch_rows_bucket{{{model},le="4"}} 3"#),
        format!("inference_waiting{{{model}}} 0"),
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    // The lanes and the guard are every application's.
    assert!(
        text.contains("siding_lane_completed_total{lane=\"compute\"}"),
        "{text}"
    );
    assert_eq!(running.drain(std::future::pending()), Drained::Complete);
}
