//! Clients that exist, unchanged.

use std::path::Path;
use std::process::Command;

use siding::Drained;

use crate::support::{copy, leave_out, serve, shipped_models};

const MODELS: [&str; 6] = [
    "add",
    "halves",
    "ints",
    "strings",
    "unknown_operator",
    "wrong_shape",
];

#[test]
fn tritonclient_is_served_over_http_and_grpc_and_agrees_with_onnx_runtime() {
    let crate_root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = crate_root.join("../../target/inference/venv/bin/python");
    if !python.exists() {
        return leave_out("no Python environment; tests/python/venv.sh makes it");
    }
    let models = tempfile::tempdir().expect("made");
    MODELS.iter().for_each(|model| copy(model, models.path()));
    std::fs::write(models.path().join("add/model.toml"), "versions = \"all\"\n").expect("written");
    let shipped = shipped_models().join("magika");
    std::os::unix::fs::symlink(shipped, models.path().join("magika")).expect("linked");
    let running = serve(models.path());
    let ran = Command::new(python)
        .arg(crate_root.join("tests/python/clients.py"))
        .arg(running.address().to_string())
        .arg(shipped_models())
        .output()
        .expect("runs");
    let said = [ran.stdout, ran.stderr].concat();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&said));
    assert_eq!(running.drain(std::future::pending()), Drained::Complete);
}
