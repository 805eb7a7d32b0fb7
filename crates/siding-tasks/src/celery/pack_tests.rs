use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::celery::compression::decompress;
use crate::message::{Priority, TaskId, TimeLimits};

fn raw(value: &Value) -> RawJson {
    RawJson::of(value).unwrap()
}

fn add() -> Message {
    let id = TaskId::from("e91cd46d-e585-4c59-ab55-70eb37c92632");
    Message {
        id: id.clone(),
        args: vec![raw(&json!(2)), raw(&json!(3))],
        root_id: Some(id),
        origin: Some("gen10782@vm".to_owned()),
        ..Message::new("tasks.add")
    }
}

/// The headers of `add.delay(2, 3)` as Celery 5.7 sends them, but for `lang`.
fn headers_of_python() -> Value {
    json!({"lang": "rs", "task": "tasks.add", "id": "e91cd46d-e585-4c59-ab55-70eb37c92632", "shadow": null, "eta": null,
        "expires": null, "group": null, "group_index": null, "retries": 0, "timelimit": [null, null],
        "root_id": "e91cd46d-e585-4c59-ab55-70eb37c92632", "parent_id": null, "argsrepr": "(2, 3)", "kwargsrepr": "{}",
        "origin": "gen10782@vm", "ignore_result": false, "replaced_task_nesting": 0, "stamped_headers": null,
        "stamps": {}})
}

fn headers_of(parcel: &Parcel) -> Value {
    serde_json::to_value(&parcel.headers).unwrap()
}

#[test]
fn a_call_is_what_celery_sends() {
    let parcel = pack(&add()).unwrap();
    assert_eq!(headers_of(&parcel), headers_of_python());
    let body: Value = serde_json::from_slice(&parcel.body).unwrap();
    let embed = json!({"callbacks": null, "errbacks": null, "chain": null, "chord": null});
    assert_eq!(body, json!([[2, 3], {}, embed]));
    let expected = Properties {
        correlation_id: Some("e91cd46d-e585-4c59-ab55-70eb37c92632".to_owned()),
        delivery_mode: 2,
        ..Properties::default()
    };
    assert_eq!(parcel.properties, expected);
    assert_eq!(
        (&*parcel.content_type, &*parcel.content_encoding),
        ("application/json", "utf-8")
    );
}

#[test]
fn options_are_what_celery_sends() {
    let mut message = Message {
        eta: Some(Timestamp::from_millis(1_795_381_488_135)),
        expires: Some(Timestamp::now().after(Duration::from_secs(600))),
        priority: Priority::new(6).unwrap(),
        time_limits: TimeLimits {
            hard: Some(Duration::from_secs(30)),
            soft: Some(Duration::from_millis(20_500)),
        },
        ignore_result: true,
        reply_to: Some("72450180".to_owned()),
        group: Some("g".to_owned()),
        group_index: Some(1),
        unique_key: Some("k".to_owned()),
        ..add()
    };
    message
        .kwargs
        .insert("it's".to_owned(), raw(&json!([1.5, null])));
    for (name, value) in [
        ("stamps", json!({"a": 1})),
        ("shadow", json!("x")),
        ("trace", json!("t")),
        ("argsrepr", json!("()")),
    ] {
        message.headers.insert(name.to_owned(), raw(&value));
    }
    let parcel = pack(&message).unwrap();
    let mut expected = headers_of_python();
    let changes = json!({"eta": "2026-11-22T21:04:48.135000+00:00", "expires": message.expires.unwrap().to_string(),
        "timelimit": [30, 20.5], "ignore_result": true, "group": "g", "group_index": 1, "siding_unique_key": "k",
        "stamps": {"a": 1}, "shadow": "x", "trace": "t", "argsrepr": "()", "kwargsrepr": r"{'it\'s': [1.5, None]}"});
    expected
        .as_object_mut()
        .unwrap()
        .extend(changes.as_object().unwrap().clone());
    assert_eq!(headers_of(&parcel), expected);
    let properties = parcel.properties;
    let left: u64 = properties.expiration.unwrap().parse().unwrap();
    assert!((540_000..=600_000).contains(&left), "{left}");
    assert_eq!(
        (properties.priority, properties.reply_to.as_deref()),
        (6, Some("72450180"))
    );
}

#[test]
fn what_has_expired_expires_at_once() {
    let message = Message {
        expires: Some(Timestamp::from_millis(0)),
        ..add()
    };
    assert_eq!(
        pack(&message).unwrap().properties.expiration.as_deref(),
        Some("0")
    );
}

#[test]
fn the_sender_is_named_and_a_first_task_is_its_own_root() {
    let message = Message {
        root_id: None,
        origin: None,
        ..add()
    };
    let headers = headers_of(&pack(&message).unwrap());
    assert_eq!(headers["root_id"], json!(message.id.as_str()));
    let origin = headers["origin"].as_str().unwrap();
    assert!(
        origin.starts_with(&format!("gen{}@", std::process::id())),
        "{origin}"
    );
}

#[test]
fn a_float_that_is_no_number_is_written_as_python_does() {
    let mut message = add();
    message.args = vec![RawJson::of(&crate::python::Float(f64::NAN)).unwrap()];
    let parcel = pack(&message).unwrap();
    assert!(parcel.body.starts_with(b"[[NaN],{},"));
    assert_eq!(parcel.headers["argsrepr"].get(), r#""(nan,)""#);
}

#[test]
fn what_python_would_refuse_is_not_sent() {
    let color = raw(&json!({"__type__": "color", "__value__": 1}));
    let mut message = add();
    message.kwargs.insert("a".to_owned(), raw(&json!([color])));
    assert!(
        pack(&message)
            .unwrap_err()
            .to_string()
            .contains("this one's is \"color\"")
    );
    let mut message = add();
    message.headers.insert("a".to_owned(), color);
    assert!(pack(&message).is_err());
}

#[test]
fn a_body_is_compressed_on_demand() {
    let mut message = add();
    message
        .headers
        .insert("compression".to_owned(), raw(&json!("application/x-gzip")));
    let parcel = pack(&message).unwrap();
    let plain = pack(&add()).unwrap();
    assert_eq!(decompress(&parcel.body, 1_000).unwrap(), plain.body);
    message
        .headers
        .insert("compression".to_owned(), raw(&json!("application/x-lzma")));
    let why = pack(&message).unwrap_err().to_string();
    assert!(
        why.contains("this process knows application/x-gzip"),
        "{why}"
    );
}
