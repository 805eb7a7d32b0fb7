use std::io::Write as _;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::celery::pack::pack;
use crate::celery::parcel::Properties;
use crate::message::random::message;

fn parcel(headers: &Value, body: &Value) -> Parcel {
    Parcel {
        headers: serde_json::from_value(headers.clone()).unwrap(),
        properties: Properties::default(),
        content_type: "application/json".to_owned(),
        content_encoding: "utf-8".to_owned(),
        body: body.to_string().into_bytes(),
    }
}

fn named() -> Value {
    json!({"task": "t", "id": "a"})
}

#[track_caller]
fn refused(parcel: &Parcel, part: &str) -> Refusal {
    let refusal = unpack(parcel, "q").unwrap_err();
    assert!(refusal.why.contains(part), "{refusal}");
    refusal
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_packed_is_unpacked(mut message in message(), compressed in any::<bool>()) {
        if compressed {
            let method = RawJson::of("application/x-gzip").unwrap();
            message.headers.insert("compression".to_owned(), method);
        }
        let mut read = unpack(&pack(&message).unwrap(), &message.queue).unwrap();
        // What nobody set, the sender fills in.
        message.root_id.get_or_insert_with(|| message.id.clone());
        message.origin.get_or_insert_with(crate::host::origin);
        message.reply_to = message.reply_to.filter(|queue| !queue.is_empty());
        message.time_limits.hard = message.time_limits.hard.filter(|limit| !limit.is_zero());
        message.time_limits.soft = message.time_limits.soft.filter(|limit| !limit.is_zero());
        for name in ["argsrepr", "kwargsrepr"] {
            prop_assert!(read.headers.remove(name).is_some());
        }
        prop_assert_eq!(read, message);
    }

    #[test]
    fn nothing_panics(body in any::<Vec<u8>>(), headers in ".{0,40}", compressed in any::<bool>()) {
        let mut parcel = parcel(&named(), &Value::Null);
        parcel.body = body;
        if compressed {
            parcel.headers.insert("compression".to_owned(), RawJson::of("gzip").unwrap());
        } else {
            parcel.headers.insert("compression".to_owned(), RawJson::of(&headers).unwrap());
        }
        drop(unpack(&parcel, "q"));
    }
}

#[test]
fn a_name_and_an_id_are_enough() {
    for body in [json!([[1], {"a": 2}, null]), json!([[1], {"a": 2}, {}])] {
        let message = unpack(&parcel(&named(), &body), "q").unwrap();
        assert_eq!(
            (&*message.task, message.id.as_str(), &*message.queue),
            ("t", "a", "q")
        );
        assert_eq!(
            (message.args[0].get(), message.kwargs["a"].get()),
            ("1", "2")
        );
        assert_eq!(message.headers, BTreeMap::new());
    }
}

#[test]
fn forms_that_python_takes_are_taken() {
    let headers = json!({"task": "t", "id": 7, "retries": "2", "timelimit": ["30", 20.5], "eta": "2026-11-22 21:04",
        "group_index": 3.0, "ignore_result": null, "expires": null, "trace": {"a": [1]}, "stamps": {}});
    let message = unpack(&parcel(&headers, &json!([null, null, null])), "q").unwrap();
    assert_eq!(
        (message.id.as_str(), message.retries, message.group_index),
        ("7", 2, Some(3))
    );
    let limits = message.time_limits;
    assert_eq!(
        (limits.hard, limits.soft),
        (
            Some(Duration::from_secs(30)),
            Some(Duration::from_millis(20_500))
        )
    );
    assert_eq!(
        message.eta.unwrap().to_string(),
        "2026-11-22T21:04:00.000000+00:00"
    );
    assert!(!message.ignore_result && message.expires.is_none());
    let kept: Vec<_> = message
        .headers
        .iter()
        .map(|(name, value)| (&**name, value.get()))
        .collect();
    assert_eq!(kept, [("trace", r#"{"a":[1]}"#)]);

    let mut none = parcel(
        &json!({"task": "t", "id": "a", "timelimit": [0, 0.0]}),
        &json!([[], {}, {}]),
    );
    none.properties.priority = 200;
    none.properties.reply_to = Some(String::new());
    let message = unpack(&none, "q").unwrap();
    assert_eq!(
        (message.time_limits.hard, message.time_limits.soft),
        (None, None)
    );
    assert_eq!((message.priority, message.reply_to), (Priority::MAX, None));
}

#[test]
fn protocol_1_is_read() {
    let sig = json!({"task": "s", "args": [], "kwargs": {}, "options": {}, "subtask_type": null, "immutable": false});
    let body = json!({"task": "t", "id": "a", "args": [1], "kwargs": {"b": 2}, "group": null, "group_index": 4, "retries": 3,
        "eta": "2026-11-22T21:04:00", "expires": null, "utc": true, "callbacks": [sig], "errbacks": null,
        "timelimit": [30, null], "taskset": "g", "chord": sig});
    let message = unpack(&parcel(&json!({}), &body), "q").unwrap();
    assert_eq!(
        (&*message.task, message.id.as_str(), message.retries),
        ("t", "a", 3)
    );
    assert_eq!(
        (message.group.as_deref(), message.group_index),
        (Some("g"), Some(4))
    );
    assert_eq!(
        (message.embed.callbacks.len(), message.embed.errbacks.len()),
        (1, 0)
    );
    assert_eq!(message.embed.chord.unwrap().task, "s");
    assert_eq!(message.time_limits.hard, Some(Duration::from_secs(30)));
    assert!(message.eta.is_some() && message.headers.is_empty());

    // The hybrid of both, where headers count.
    let message = unpack(
        &parcel(&json!({"task": "u", "id": "b", "x": 1}), &body),
        "q",
    )
    .unwrap();
    assert_eq!(
        (&*message.task, message.id.as_str(), message.retries),
        ("u", "b", 3)
    );
    assert_eq!(message.headers["x"].get(), "1");
}

#[test]
fn what_is_no_message_is_refused_with_what_is_known() {
    let body = json!([[], {}, {}]);
    let refusal = refused(&parcel(&json!({"task": "t"}), &body), "no header `id`");
    assert_eq!((refusal.task.as_deref(), refusal.id), (Some("t"), None));
    let refusal = refused(
        &parcel(&named(), &json!({"kwargs": [1]})),
        "`kwargs` is not an object",
    );
    assert_eq!(
        (refusal.task.as_deref(), refusal.id),
        (Some("t"), Some(TaskId::from("a")))
    );
    refused(
        &parcel(&json!({}), &json!({"task": "t", "id": "a", "args": 1})),
        "`args` is not a list",
    );
    refused(&parcel(&json!({}), &body), "no header `task`");
    refused(&parcel(&json!({}), &json!({"id": "a"})), "no header `task`");
    for wrong in [
        json!(1),
        json!([]),
        json!([[], {}]),
        json!([[], {}, {}, 1]),
        json!([1, {}, {}]),
        json!([[], {}, {"chord": 1}]),
    ] {
        refused(&parcel(&named(), &wrong), "[args, kwargs, embed]");
    }
    for (name, value) in [
        ("eta", json!("soon")),
        ("retries", json!(-1)),
        ("timelimit", json!([-1, null])),
        ("timelimit", json!(["NaN", 1])),
        ("group_index", json!(1.5)),
        ("root_id", json!([])),
        ("ignore_result", json!("no")),
        ("retries", json!(1e300)),
    ] {
        let mut headers = named();
        headers[name] = value;
        refused(
            &parcel(&headers, &body),
            &format!("the header `{name}` is not "),
        );
    }
}

#[test]
fn other_contents_are_refused() {
    let good = || parcel(&named(), &json!([[], {}, {}]));
    let mut other = good();
    other.content_type = "application/x-python-serialize".to_owned();
    refused(&other, "only application/json is accepted");
    let mut other = good();
    other.content_encoding = "utf-16".to_owned();
    refused(&other, "only utf-8 is accepted");
    let mut other = good();
    other.body = b"[[\xff], {}, {}]".to_vec();
    refused(&other, "not UTF-8");
    let mut other = good();
    other.headers.insert(
        "compression".to_owned(),
        RawJson::of("application/x-bz2").unwrap(),
    );
    refused(&other, "only application/x-gzip is accepted");
    for empty in ["null", "\"\""] {
        let mut other = good();
        other.headers.insert(
            "compression".to_owned(),
            RawJson::parse(empty.to_owned()).unwrap(),
        );
        other.content_type.clear();
        assert!(unpack(&other, "q").is_ok());
    }
}

#[test]
fn compressed_bodies_are_bounded() {
    let mut bomb = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    let zeros = vec![b' '; 1 << 20];
    for _ in 0..65 {
        bomb.write_all(&zeros).unwrap();
    }
    let mut parcel = parcel(&named(), &Value::Null);
    parcel
        .headers
        .insert("compression".to_owned(), RawJson::of("gzip").unwrap());
    parcel.body = bomb.finish().unwrap();
    refused(&parcel, "more than 67108864 bytes when decompressed");
    parcel.body.truncate(100);
    refused(&parcel, "cannot be decompressed");
}

#[test]
fn depth_costs_no_stack() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let body = |args: &str, embed: &str| {
        let mut parcel = parcel(&named(), &Value::Null);
        parcel.body = format!("[{args}, {{\"a\": {deep}}}, {embed}]").into_bytes();
        parcel
    };
    let message = unpack(&body(&format!("[{deep}]"), "{}"), "q").unwrap();
    assert_eq!(message.args[0].get(), deep);
    assert!(message.args[0].read::<Value>().is_err());
    let sent = pack(&message).unwrap();
    assert_eq!(sent.headers["argsrepr"].get(), r#""([[[...]]],)""#);
    assert!(unpack(&body(&deep, &deep), "q").is_err());
    let chain = r#"{"task": "t", "options": {"chord": "#;
    let nested = format!(
        "{{\"chord\": {}null{}}}",
        chain.repeat(50_000),
        "}}".repeat(50_000)
    );
    assert!(unpack(&body("[]", &nested), "q").is_ok());
}

#[test]
fn values_of_python_stay_what_they_are() {
    let mut parcel = parcel(&named(), &Value::Null);
    parcel.body = br#"[[NaN, 123456789012345678901234567890, "\ud83d", {"a": 1, "a": 2}], {"a": 1, "a": -Infinity}, null]"#.to_vec();
    let message = unpack(&parcel, "q").unwrap();
    assert!(message.args[0].read::<f64>().unwrap().is_nan());
    assert_eq!(
        message.args[1].read::<u128>().unwrap(),
        123_456_789_012_345_678_901_234_567_890
    );
    assert!(message.args[2].read::<String>().is_err());
    assert_eq!(
        message.kwargs["a"].read::<f64>().unwrap(),
        f64::NEG_INFINITY
    );
    let sent = String::from_utf8(pack(&message).unwrap().body).unwrap();
    assert!(
        sent.starts_with(
            r#"[[NaN,123456789012345678901234567890,"\ud83d",{"a": 1, "a": 2}],{"a":-Infinity},"#
        ),
        "{sent}"
    );
}
