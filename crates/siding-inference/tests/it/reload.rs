//! Models are replaced under load.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::{Value, json};

use siding::Drained;

use crate::support::{copy, eventually, get, post, serve, test_models};

const REPLACEMENTS: usize = 10;

/// Puts a version of `add` into the place of version 1, in one step.
fn put(models: &Path, version: &str) {
    let from = test_models().join("add").join(version).join("model.onnx");
    let new = models.join("add/1/new");
    fs::copy(from, &new).expect("copied");
    fs::rename(new, models.join("add/1/model.onnx")).expect("renamed");
}

fn question() -> Vec<u8> {
    let input =
        |name| json!({ "name": name, "shape": [1, 4], "datatype": "FP32", "data": [1, 1, 1, 1] });
    json!({ "inputs": [input("a"), input("b")] })
        .to_string()
        .into_bytes()
}

fn sum(body: &Value) -> Option<f64> {
    body["outputs"][0]["data"][0].as_f64()
}

#[test]
fn no_request_is_lost_while_a_model_is_replaced() {
    let models = tempfile::tempdir().expect("made");
    copy("add", models.path());
    fs::remove_dir_all(models.path().join("add/2")).expect("removed");
    let running = serve(models.path());
    let address = running.address();
    let (ended, answered) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    let reply = post(address, "/v2/models/add/infer", &question());
                    let sum = sum(&reply.body);
                    assert!(
                        reply.status == 200 && (sum == Some(2.0) || sum == Some(102.0)),
                        "{reply:?}"
                    );
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for replacement in 0..REPLACEMENTS {
            let (version, right) = if replacement % 2 == 0 {
                ("2", 102.0)
            } else {
                ("1", 2.0)
            };
            put(models.path(), version);
            eventually("the new model answers", || {
                let reply = post(address, "/v2/models/add/infer", &question());
                (sum(&reply.body) == Some(right)).then_some(())
            });
        }
        ended.store(true, Ordering::Relaxed);
    });
    assert!(answered.load(Ordering::Relaxed) > 0);
    assert_eq!(running.drain(std::future::pending()), Drained::Complete);
}

#[test]
fn models_come_and_go_with_their_files_and_a_bad_one_leaves_the_old_in_place() {
    let models = tempfile::tempdir().expect("made");
    copy("ints", models.path());
    let running = serve(models.path());
    let address = running.address();
    let status = |path: &str| get(address, path).status;
    copy("add", models.path());
    eventually("it is there", || {
        (status("/v2/models/add/versions/2/ready") == 200).then_some(())
    });
    fs::write(models.path().join("ints/1/model.onnx"), b"no model").expect("written");
    eventually("the reason is told", || {
        let index = post(address, "/v2/repository/index", b"").body;
        let entry = index
            .as_array()?
            .iter()
            .find(|entry| entry["name"] == "ints")?
            .clone();
        (entry["state"] == "READY" && entry["reason"] != "").then_some(())
    });
    assert_eq!(status("/v2/models/ints/ready"), 200);
    fs::remove_dir_all(models.path().join("ints")).expect("removed");
    eventually("it is gone", || {
        (status("/v2/models/ints/ready") == 404).then_some(())
    });
    assert_eq!(running.drain(std::future::pending()), Drained::Complete);
}
