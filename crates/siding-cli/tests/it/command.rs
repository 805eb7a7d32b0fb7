//! The command as a user runs it.

use std::process::{Command, Output};

use crate::support::{SIDING, nobody, peer};

fn siding(arguments: &[&str]) -> Output {
    Command::new(SIDING).args(arguments).output().unwrap()
}

#[test]
fn lists_the_cases() {
    let output = siding(&["bench", "--list"]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.lines().any(|line| line.starts_with("bad-100 ")),
        "{text}"
    );
}

#[test]
fn a_wrong_command_line_is_exit_code_2() {
    assert_eq!(
        siding(&["bench", "--only", "sideways"]).status.code(),
        Some(2)
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_is_exit_code_3() {
    let url = nobody().to_string();
    let output = siding(&["bench", "--url", &url, "--only", "idle"]);
    assert_eq!(output.status.code(), Some(3));
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(complaint.contains("start the server"), "{complaint}");
}

#[tokio::test]
async fn measures_a_running_server_and_writes_both_reports() {
    let (site, _process) = peer("command").await;
    let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("report");
    let page = directory.join("page.html");
    let output = Command::new(SIDING)
        .args([
            "bench",
            "--quick",
            "--only",
            "async-100,idle",
            "--url",
            &site.to_string(),
        ])
        .arg("--report")
        .arg(&page)
        .output()
        .unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(
        table.contains("async-100") && table.contains("/health p99"),
        "{table}"
    );
    let html = std::fs::read_to_string(&page).unwrap();
    assert!(html.starts_with("<!doctype html>") && html.contains("<svg"));
    let json = std::fs::read(page.with_extension("json")).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["format"], siding_cli::report::FORMAT);
    assert_eq!(
        json["cases"][0]["rows"][0]["servers"][0]["server"],
        "siding"
    );
    assert_eq!(
        json["cases"][0]["rows"][0]["servers"][0]["status"],
        "measured"
    );
    assert_eq!(json["cases"][1]["rows"][0]["verdict"], "skipped");
}

#[tokio::test]
async fn measures_what_an_open_dashboard_costs() {
    let (site, _process) = peer("command-dashboard").await;
    let page = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("dashboard/page.html");
    let output = Command::new(SIDING)
        // Logs of the servers that it starts go to a directory beside it.
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .args(["bench", "--quick", "--only", "dashboard", "--url"])
        .args([&site.to_string(), "--report"])
        .arg(&page)
        .output()
        .unwrap();
    // A build for tests beside other tests: whether the requirement is met says nothing here.
    assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
    let json = std::fs::read(page.with_extension("json")).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let rows = json["cases"][0]["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 3);
    for row in rows {
        assert_eq!(row["servers"][0]["status"], "measured", "{row}");
    }
}
