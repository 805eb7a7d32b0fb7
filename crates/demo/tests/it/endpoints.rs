//! What each endpoint answers.

use serde_json::{Value, json};

use crate::support::Service;

#[track_caller]
fn check(service: &Service, path: &str, expected: &Value) {
    let (status, body) = service.get(path);
    assert_eq!(status, 200, "{path}: {body}");
    let body: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(&body, expected, "{path}");
}

#[test]
fn every_endpoint_answers() {
    let service = Service::start(&[]);
    check(&service, "/health", &json!({"status": "ok"}));
    for path in ["/async", "/sync", "/bad", "/bad-pinned", "/workaround"] {
        check(
            &service,
            &format!("{path}?ms=1"),
            &json!({"status": "done"}),
        );
    }
    for path in ["/compute", "/compute/process", "/bad-compute"] {
        let expected = json!({"n": 1000, "sum": 333_833_500});
        check(&service, &format!("{path}?n=1000"), &expected);
        check(&service, &format!("{path}?n=0"), &json!({"n": 0, "sum": 0}));
    }
    for path in ["/hello", "/hello-sync"] {
        assert_eq!(service.get(path), (200, "Hello, World!".to_owned()));
    }
}

#[test]
fn absurd_numbers_are_refused_with_what_would_be_right() {
    let service = Service::start(&[]);
    let check = |target: &str, words: &str| {
        let (status, body) = service.get(target);
        assert_eq!(status, 422, "{target}: {body}");
        assert!(body.contains(words), "{target}: {body}");
    };
    for path in ["/async", "/sync", "/bad", "/bad-pinned", "/workaround"] {
        for ms in ["60001", "abc", "-1", "1.5", ""] {
            check(&format!("{path}?ms={ms}"), "a whole number from 0 to 60000");
        }
    }
    for path in ["/compute", "/compute/process", "/bad-compute"] {
        for n in ["20000000001", "many", "-1"] {
            check(
                &format!("{path}?n={n}"),
                "a whole number from 0 to 20000000000",
            );
        }
    }
}

const NOTICE: &str = r#"{"email": "ann@example.com", "message": "Hello"}"#;

#[test]
fn a_notice_is_accepted_and_sent_in_the_background() {
    let mut service = Service::start(&[]);
    let (status, body) = service.post("/notify?ms=1", NOTICE);
    assert_eq!(status, 202, "{body}");
    let body: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(body["status"], "accepted");
    assert!(body["correlation_id"].is_string());
    service.wait_for_log(r#"sent to "ann@example.com": "Hello""#);
}

#[test]
fn a_notice_that_makes_no_sense_is_refused_with_what_would_be_right() {
    let service = Service::start(&[]);
    for (json, status, words) in [
        ("{", 400, "JSON"),
        (r#"{"email": "ann@example.com"}"#, 422, "message"),
        (
            r#"{"email": "ann", "message": "Hello"}"#,
            422,
            "an address such as ann@example.com",
        ),
    ] {
        let answer = service.post("/notify", json);
        assert_eq!(answer.0, status, "{json}: {}", answer.1);
        let problem: Value = serde_json::from_str(&answer.1).expect("JSON");
        assert_eq!(problem["status"], status);
        let detail = problem["detail"].as_str().expect("a detail");
        assert!(detail.contains(words), "{json}: {detail}");
    }
}
