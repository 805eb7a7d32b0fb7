//! Flags, the environment, and what is said when they make no sense.

use std::process::Output;

use serde_json::Value;
use siding::exit;

use crate::program::{command, run};
use crate::support::Service;

#[track_caller]
fn assert_usage_error(output: &Output, words: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(i32::from(exit::USAGE)), "{said}");
    assert!(said.contains(words), "{said:?} lacks {words:?}");
}

#[test]
fn routes_are_listed() {
    let output = run(&["routes"]);
    assert_eq!(output.status.code(), Some(i32::from(exit::OK)));
    let table = String::from_utf8(output.stdout).unwrap();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(rows[0], ["METHOD", "PATH", "KIND", "LANE"]);
    for row in [
        &["GET", "/health", "async", "fn", "event-loop"][..],
        &["GET", "/sync", "fn", "threads"],
        &[
            "GET",
            "/bad-pinned",
            "async",
            "fn",
            "event-loop",
            "(pinned)",
        ],
        &["POST", "/predict", "async", "fn", "event-loop"],
        &["GET", "/compute", "fn", "compute"],
        &["GET", "/compute/process", "fn", "processes"],
    ] {
        assert!(
            rows.contains(&row.to_vec()),
            "{row:?} is missing from\n{table}"
        );
    }
    assert_eq!(rows.len(), 47);
}

#[test]
fn routes_are_listed_as_json() {
    let output = run(&["routes", "--json"]);
    let list: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(list["version"], 1);
    let routes = list["routes"].as_array().expect("a list");
    let compute = routes
        .iter()
        .find(|route| route["path"] == "/compute" && route["methods"] == "GET")
        .expect("is listed");
    assert_eq!(compute["kind"], "fn");
    assert_eq!(compute["declared_lane"], "compute");
    assert_eq!(compute["pinned"], false);
}

#[test]
fn the_environment_goes_over_the_program_and_flags_over_both() {
    let with_env = |args: &[&str]| {
        let mut command = command(args);
        command.env("SIDING_REQUEST_DEADLINE", "50ms");
        Service::spawn(command)
    };
    assert_eq!(with_env(&[]).get("/async?ms=60000").0, 504);
    let flagged = with_env(&["--request-deadline", "30s"]);
    assert_eq!(flagged.get("/async?ms=200").0, 200);
}

#[test]
fn flags_may_stand_before_and_after_serve() {
    let before = Service::start(&["--request-deadline", "50ms", "serve"]);
    assert_eq!(before.get("/async?ms=60000").0, 504);
    let after = Service::start(&["serve", "--request-deadline", "50ms"]);
    assert_eq!(after.get("/async?ms=60000").0, 504);
}

#[test]
fn what_makes_no_sense_is_refused_with_what_would() {
    for (flag, value, words) in [
        ("--bind", "nowhere", "127.0.0.1:8000"),
        ("--admin", "8001", "127.0.0.1:8000"),
        ("--request-deadline", "10", "500ms"),
        ("--stall-threshold", "-1ms", "500ms"),
        ("--threads-max", "0", "--threads-max"),
        ("--threads-min", "2000", "--threads-max 1024"),
        ("--max-body-bytes", "2MB", "--max-body-bytes"),
        ("--queues", "", "--queues"),
        ("--concurrency", "0", "--concurrency"),
        ("--task-stop-limit", "10", "500ms"),
        ("--log", "xml", "text, json"),
        ("--log-level", "warn,=loud", "warn,siding=debug"),
        ("--no-such-flag", "1", "--no-such-flag"),
    ] {
        assert_usage_error(&run(&[&format!("{flag}={value}")]), words);
    }
    assert_usage_error(&run(&["dance"]), "dance");
    let output = command(&[]).env("SIDING_THREADS_MAX", "many").output();
    assert_usage_error(&output.expect("starts"), "--threads-max");
}

#[test]
fn an_open_admin_listener_needs_a_token() {
    let output = run(&["--bind", "127.0.0.1:0", "--admin", "0.0.0.0:0"]);
    assert_usage_error(&output, "--admin-token");
}

#[test]
fn an_address_in_use_is_said_in_one_sentence() {
    let service = Service::start(&[]);
    let address = service.address().to_string();
    let data = tempfile::TempDir::new().unwrap();
    // Without what the log may say of a busy machine.
    let output = command(&["--bind", &address, "--admin", "off", "--log-level", "warn"])
        .arg("--data")
        .arg(data.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(i32::from(exit::ADDRESS)));
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(
        said.contains(&address) && said.contains("another program listens there"),
        "{said}"
    );
}

#[test]
fn help_names_every_variable() {
    let output = run(&["--help"]);
    let help = String::from_utf8(output.stdout).unwrap();
    for variable in [
        "SIDING_BIND",
        "SIDING_ADMIN_TOKEN",
        "SIDING_THREADS_MAX",
        "SIDING_DRAIN_LIMIT",
        "RUST_LOG",
    ] {
        assert!(help.contains(variable), "{variable} is missing");
    }
}

#[test]
fn the_log_may_be_json() {
    let mut service = Service::start(&["--log", "json"]);
    service.signal(rustix::process::Signal::TERM);
    let line = service.wait_for_log("drained");
    let line: Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["message"], "drained");
}
