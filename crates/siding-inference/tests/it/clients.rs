//! Clients that exist, unchanged.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use siding::Drained;
use siding_inference::Runtime;

use crate::support::{copy, leave_out, python, serve_with, shipped_models};

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
    let Some(python) = python() else {
        return leave_out("no Python environment; tests/python/venv.sh makes it");
    };
    let models = tempfile::tempdir().expect("made");
    MODELS.iter().for_each(|model| copy(model, models.path()));
    std::fs::write(models.path().join("add/model.toml"), "versions = \"all\"\n").expect("written");
    let runtimes = runtimes();
    let magikas: Vec<String> = runtimes
        .iter()
        .map(|runtime| link_magika(models.path(), runtime.name()))
        .collect();
    let running = serve_with(models.path(), runtimes);
    let ran = Command::new(python.join("bin/python"))
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/clients.py"))
        .arg(running.address().to_string())
        .arg(shipped_models())
        .args(magikas)
        .output()
        .expect("runs");
    let said = [ran.stdout, ran.stderr].concat();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&said));
    assert_eq!(running.drain(std::future::pending()), Drained::Complete);
}

fn runtimes() -> Vec<Arc<dyn Runtime>> {
    vec![
        #[cfg(feature = "tract")]
        Arc::new(siding_inference::runtime::Tract),
        #[cfg(feature = "ort")]
        Arc::new(siding_inference::runtime::OnnxRuntime {
            library: crate::support::onnx_runtime_library(),
        }),
    ]
}

/// Puts the shipped `magika` among the models, on this runtime; its name there.
fn link_magika(models: &Path, runtime: &str) -> String {
    let name = format!("magika_on_{runtime}");
    let folder = models.join(&name);
    std::fs::create_dir(&folder).expect("made");
    std::os::unix::fs::symlink(shipped_models().join("magika/3"), folder.join("3"))
        .expect("linked");
    std::fs::write(
        folder.join("model.toml"),
        format!("runtime = \"{runtime}\"\n"),
    )
    .expect("written");
    name
}
