//! The OpenAPI document: printed, served, sound by a validator, and kept by the running service.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::program::run;
use crate::support::{Service, json, leave_out};

/// Where `tests/api/venv.sh` puts the tools.
fn tool(name: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = root.join("target/api/bin").join(name);
    if !path.exists() {
        leave_out("crates/demo/tests/api/venv.sh has not been run");
        return None;
    }
    Some(path)
}

fn printed() -> String {
    let output = run(&["openapi"]);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn the_document_is_printed_as_it_is_served_and_every_operation_is_described() {
    let service = Service::start(&[]);
    let (status, served) = service.get_json("/openapi.json");
    assert_eq!((status, &served), (200, &json(&printed())));
    let paths = served["paths"].as_object().expect("paths");
    let operations = paths
        .values()
        .flat_map(|item| item.as_object().expect("operations").values());
    let undescribed: Vec<&Value> = operations
        .filter(|operation| operation["summary"].is_null())
        .map(|operation| &operation["operationId"])
        .collect();
    // The probes are Siding's.
    assert_eq!(undescribed, ["get_live", "get_ready"]);
    let computing = &paths["/compute"]["get"];
    assert_eq!(computing["x-siding-lane"], "compute");
    assert_eq!(
        computing["parameters"][0]["schema"]["maximum"],
        20_000_000_000_u64
    );
}

#[test]
fn the_document_is_sound() {
    let Some(validator) = tool("openapi-spec-validator") else {
        return;
    };
    let place = tempfile::TempDir::new().expect("a place");
    let file = place.path().join("openapi.json");
    std::fs::write(&file, printed()).expect("is written");
    let output = Command::new(validator).arg(&file).output().expect("starts");
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn the_running_service_keeps_to_its_document() {
    let Some(schemathesis) = tool("schemathesis") else {
        return;
    };
    let service = Service::start(&[]);
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api");
    let place = tempfile::TempDir::new().expect("a place");
    let output = Command::new(schemathesis)
        .arg("--config-file")
        .arg(here.join("schemathesis.toml"))
        .args(["run", "--max-time", "240", "--no-color"])
        .arg(format!("http://{}/openapi.json", service.address()))
        .env("SCHEMATHESIS_HOOKS", "hooks")
        .env("PYTHONPATH", &here)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(place.path())
        .output()
        .expect("starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
}
