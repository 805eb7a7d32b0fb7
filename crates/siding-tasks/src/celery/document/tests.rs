use serde_json::{Value, json};

use super::*;
use crate::message::{Exception, Message, Meta, RawJson, State, TaskId, Timestamp};

fn meta(state: State) -> Meta {
    Meta {
        state,
        ..Meta::pending(TaskId::from("a"), String::new())
    }
}

fn error(module: &str, kind: &str, message: &str) -> Exception {
    Exception {
        exc_type: kind.to_owned(),
        exc_module: module.to_owned(),
        message: message.to_owned(),
    }
}

fn success() -> Meta {
    Meta {
        result: Some(RawJson::of(&5).unwrap()),
        date_done: Timestamp::parse("2026-11-22T21:04:20.965000+00:00"),
        ..meta(State::Success)
    }
}

#[test]
fn documents_are_written_as_celery_does() {
    let expected = r#"{"status":"SUCCESS","result":5,"traceback":null,"children":[],"date_done":"2026-11-22T21:04:20.965000+00:00","task_id":"a"}"#;
    assert_eq!(write(&success(), None), expected);
    let started = Meta {
        worker: Some("w1@vm".to_owned()),
        ..meta(State::Started)
    };
    let expected = format!(
        r#"{{"status":"STARTED","result":{{"pid":{},"hostname":"w1@vm"}},"traceback":null,"children":[],"date_done":null,"task_id":"a"}}"#,
        std::process::id()
    );
    assert_eq!(write(&started, None), expected);
    let failure = Meta {
        exception: Some(error("siding", "ValueError", "x")),
        traceback: Some("Traceback".to_owned()),
        children: vec!["b".into(), "c".into()],
        group: Some("g".to_owned()),
        parent_id: Some("p".into()),
        ..meta(State::Failure)
    };
    let expected = r#"{"status":"FAILURE","result":{"exc_type":"ValueError","exc_message":["x"],"exc_module":"builtins"},"traceback":"Traceback","children":[[["b",null],null],[["c",null],null]],"date_done":null,"group_id":"g","parent_id":"p","task_id":"a"}"#;
    assert_eq!(write(&failure, None), expected);
}

#[test]
fn only_names_that_python_has_are_said_to_be_its() {
    let module = |module, kind| {
        let value: Value = exception(&error(module, kind, "x")).read().unwrap();
        value["exc_module"].as_str().unwrap().to_owned()
    };
    assert_eq!(module("siding", "KeyError"), "builtins");
    assert_eq!(module("siding", "ParseIntError"), "siding");
    assert_eq!(
        module("celery.exceptions", "TaskRevokedError"),
        "celery.exceptions"
    );
}

#[test]
fn what_is_written_is_read() {
    for state in [
        State::Pending,
        State::Started,
        State::Retry,
        State::Success,
        State::Failure,
        State::Revoked,
    ] {
        let mut written = Meta {
            children: vec!["b".into()],
            group: Some("g".to_owned()),
            parent_id: Some("p".into()),
            traceback: Some("☃\n".to_owned()),
            ..meta(state)
        };
        match state {
            State::Pending => {}
            State::Started => written.worker = Some("w".to_owned()),
            State::Success => {
                written = Meta {
                    result: Some(RawJson::null()),
                    ..success()
                }
            }
            State::Retry | State::Failure | State::Revoked => {
                written.exception = Some(error("m", "E", "it's\n\"x\""))
            }
        }
        assert_eq!(read(write(&written, None).as_bytes()).unwrap(), written);
    }
}

#[test]
fn an_extended_result_says_what_was_called() {
    let mut message = Message::new("tasks.add");
    message.args = vec![RawJson::of(&2).unwrap()];
    message.retries = 3;
    message
        .headers
        .insert("stamped_headers".to_owned(), RawJson::of(&["s"]).unwrap());
    message.headers.insert(
        "stamps".to_owned(),
        RawJson::of(&json!({"s": "v", "other": 1})).unwrap(),
    );
    let written = Meta {
        worker: Some("w@h".to_owned()),
        ..success()
    };
    let text = write(&written, Some(&message));
    let extended = r#""name":"tasks.add","args":[2],"kwargs":{},"worker":"w@h","retries":3,"queue":"celery","stamped_headers":["s"],"s":"v","task_id":"a"}"#;
    assert!(text.ends_with(extended), "{text}");
    let expected = Meta {
        task: "tasks.add".to_owned(),
        retries: 3,
        ..written
    };
    assert_eq!(read(text.as_bytes()).unwrap(), expected);
}

#[test]
fn documents_of_python_are_read() {
    let document = |status: &str, result: &str| {
        let text = format!(
            r#"{{"status": "{status}", "result": {result}, "traceback": null, "children": [[["b", ["p", null]], null], [["g", null], [[["c", null], null], [["d", null], null]]], 7], "date_done": {{"__type__": "datetime", "__value__": "2026-11-22T21:04:20.965166+00:00"}}, "task_id": "a"}}"#
        );
        read(text.as_bytes()).unwrap()
    };
    let found = document("SUCCESS", "[NaN]");
    assert!(found.result.unwrap().read::<[f64; 1]>().unwrap()[0].is_nan());
    let mut children = found.children;
    children.sort();
    assert_eq!(children, ["b".into(), "c".into(), "d".into()]);
    assert_eq!(found.date_done, success().date_done);

    let found = document("STARTED", r#"{"pid": 1, "hostname": "w@h"}"#);
    assert_eq!(
        (found.state, found.worker.as_deref()),
        (State::Started, Some("w@h"))
    );
    assert_eq!(document("PROGRESS", r#"{"done": 1}"#).state, State::Pending);

    let says = |arguments: &str| {
        let result = format!(
            r#"{{"exc_type": "ValueError", "exc_message": {arguments}, "exc_module": "builtins"}}"#
        );
        document("FAILURE", &result).exception.unwrap().message
    };
    assert_eq!(says(r#"["x"]"#), "x");
    assert_eq!(says(r#""x""#), "x");
    assert_eq!(says(r#"["x", 42, [null]]"#), "'x', 42, [None]");
    assert_eq!(says("[]"), "");
    assert_eq!(says("[7]"), "7");
    assert_eq!(
        document("REVOKED", "\"gone\"").exception,
        Some(error("builtins", "Exception", "gone"))
    );
    assert_eq!(document("FAILURE", "null").exception, None);
}

#[test]
fn what_is_no_document_is_an_error() {
    for text in [
        "",
        "[]",
        "{}",
        r#"{"status": "SUCCESS"}"#,
        r#"{"task_id": "a"}"#,
        "\u{0}",
    ] {
        assert!(read(text.as_bytes()).is_err(), "{text}");
    }
    assert!(read(b"\xff").is_err());
    let deep = format!(
        r#"{{"status": "FAILURE", "task_id": "a", "children": {0}, "result": {0}}}"#,
        format!("{}{}", "[".repeat(100_000), "]".repeat(100_000))
    );
    assert_eq!(read(deep.as_bytes()).unwrap().state, State::Failure);
}

#[test]
fn exceptions_are_shown_as_python_does() {
    let shown = |text: &str| exception_repr(&RawJson::parse(text.to_owned()).unwrap());
    let two =
        r#"{"exc_type": "ValueError", "exc_message": ["it's", 42], "exc_module": "builtins"}"#;
    assert_eq!(shown(two), r#"ValueError("it's", 42)"#);
    assert_eq!(shown(r#"{"exc_type": "E", "exc_message": "x"}"#), "E('x')");
    assert_eq!(shown(r#"{"exc_type": "E"}"#), "E()");
    assert_eq!(
        exception_repr(&exception(&error("siding", "KeyError", "no"))),
        "KeyError('no')"
    );
}
