//! Tasks as clients of the service meet them.

use serde_json::{Value, json};

use crate::support::{Service, answer, assert_problem, json, send};

#[test]
fn a_computation_is_accepted_and_its_result_asked_for() {
    let service = Service::start(&[]);
    let (status, body) = service.post("/compute?n=1000", "");
    assert_eq!(status, 202, "{body}");
    let body = json(&body);
    let id = body["task_id"].as_str().expect("an id");
    let expected = (200, json!({"result": 333_833_500}));
    assert_eq!(service.outcome(id), expected);
    // It stays.
    assert_eq!(service.outcome(id), expected);
}

#[test]
fn arguments_come_by_place_and_by_name() {
    let service = Service::start(&[]);
    for call in [
        r#"{"args": [2, 3]}"#,
        r#"{"kwargs": {"x": 2, "y": 3}}"#,
        r#"{"args": [2], "kwargs": {"y": 3}}"#,
        r#"{"args": [2, 3], "countdown": 0.01}"#,
    ] {
        let id = service.start_task("add", call);
        assert_eq!(service.outcome(&id), (200, json!({"result": 5})), "{call}");
    }
}

#[test]
fn a_task_waits_for_its_countdown() {
    let service = Service::start(&[]);
    let later = service.start_task("add", r#"{"args": [1, 1], "countdown": 86400}"#);
    let now = service.start_task("add", r#"{"args": [1, 1]}"#);
    assert_eq!(service.outcome(&now).0, 200);
    let (status, body) = service.get(&format!("/result/{later}"));
    assert_eq!(
        (status, json(&body)),
        (200, json!({"status": "processing"}))
    );
}

#[test]
fn a_failure_is_a_problem_that_names_the_error() {
    let service = Service::start(&[]);
    for (name, call, words) in [
        ("fail", r#"{"args": ["no luck"]}"#, "no luck"),
        (
            "add",
            r#"{"args": [9223372036854775807, 1]}"#,
            "OverflowError: the sum does not fit 64 bits",
        ),
        ("add", r#"{"args": ["two", 3]}"#, "TypeError"),
        ("add", r#"{"args": ["two", 3]}"#, "x"),
        ("add", r#"{"args": [1, 2, 3]}"#, "TypeError"),
        ("add", r#"{"kwargs": {"x": 1, "z": 2}}"#, "z"),
        ("sleep", r#"{"args": [-1]}"#, "a number from 0 to 3600"),
        (
            "heavy_computation",
            r#"{"args": [20000000001]}"#,
            "a whole number from 0 to 20000000000",
        ),
    ] {
        let id = service.start_task(name, call);
        assert_problem(&service.outcome(&id), 500, words);
    }
    let id = service.start_task("fail", r#"{"args": ["no luck"]}"#);
    assert_problem(&service.outcome(&id), 500, "TaskError: no luck");
    let head = head(&service, &format!("/result/{id}"));
    assert!(head.contains("application/problem+json"), "{head}");
}

fn head(service: &Service, path: &str) -> String {
    use std::io::Read;
    let request = format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
    let mut text = String::new();
    let mut stream = send(service.address(), &request);
    stream.read_to_string(&mut text).expect("is answered");
    let (head, _) = text.split_once("\r\n\r\n").expect("a head");
    head.to_ascii_lowercase()
}

#[track_caller]
fn assert_refused(service: &Service, path: &str, body: &str, status: u16, words: &str) {
    let (found, text) = service.post(path, body);
    let problem: Value = json(&text);
    assert_problem(&(found, problem), status, words);
}

#[test]
fn what_makes_no_sense_is_refused_with_what_would() {
    let service = Service::start(&[]);
    let (status, body) = service.get("/result/nobody");
    assert_problem(&(status, json(&body)), 404, "no task has this id");
    for (path, body, status, words) in [
        (
            "/tasks/dance",
            "{}",
            404,
            "add, fail, heavy_computation, sleep",
        ),
        ("/tasks/add", "{", 400, "JSON"),
        ("/tasks/add", r#"{"args": 1}"#, 422, "args"),
        ("/tasks/add", r#"{"kwargs": []}"#, 422, "kwargs"),
        ("/tasks/add", r#"{"countdown": "soon"}"#, 422, "countdown"),
        ("/tasks/add", r#"{"countdown": -1}"#, 422, "from 0 to"),
        ("/tasks/add", r#"{"countdown": 1e12}"#, 422, "from 0 to"),
        ("/compute?n=many", "", 422, "a whole number"),
    ] {
        assert_refused(&service, path, body, status, words);
    }
    // Without a media type it is no JSON.
    let request = "POST /tasks/add HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";
    let (status, body) = answer(send(service.address(), request));
    assert_problem(&(status, json(&body)), 415, "application/json");
}
