use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::message::random::message;
use crate::message::{TaskId, Timestamp};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(message in message()) {
        prop_assert_eq!(read(&write(&message).unwrap()).unwrap(), message);
    }
}

/// As Celery 5.7 sends `add.apply_async((2, 3), countdown=60, expires=600, priority=6, time_limit=30)`.
const PYTHON: &str = r#"{"body": [[2, 3], {}, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}],
 "headers": {"lang": "py", "task": "tasks.add", "id": "e91cd46d", "shadow": null,
  "eta": "2026-11-22T21:04:48.135369+00:00", "expires": "2026-11-22T21:13:48.135369+00:00",
  "group": null, "group_index": null, "retries": 0, "timelimit": [30, 20.5], "root_id": "e91cd46d",
  "parent_id": null, "argsrepr": "(2, 3)", "kwargsrepr": "{}", "origin": "gen10782@vm", "ignore_result": true,
  "replaced_task_nesting": 0, "stamped_headers": null, "stamps": {}},
 "properties": {"correlation_id": "e91cd46d", "delivery_mode": 2, "priority": 6,
  "delivery_info": {"exchange": "", "routing_key": "celery"}}}"#;

#[test]
fn a_message_of_celery_is_read() {
    let message = read(PYTHON).unwrap();
    assert_eq!(
        (message.task.as_str(), message.queue.as_str()),
        ("tasks.add", "celery")
    );
    assert_eq!(message.args[1].get(), "3");
    assert_eq!(message.eta, Some(Timestamp::from_millis(1_795_381_488_135)));
    assert_eq!(message.priority.get(), 6);
    assert_eq!(
        message.time_limits.soft,
        Some(Duration::from_millis(20_500))
    );
    assert!(message.ignore_result && message.parent_id.is_none());
    let kept = message.headers.keys().map(String::as_str);
    assert_eq!(kept.collect::<Vec<_>>(), ["argsrepr", "kwargsrepr"]);
}

#[test]
fn the_shape_is_celerys() {
    let mut message = Message::new("tasks.add");
    message.id = TaskId::from("a");
    message.unique_key = Some("k".to_owned());
    message.eta = Some(Timestamp::from_millis(1_795_381_488_135));
    let text = write(&message).unwrap();
    let expected = r#"{"headers":{"lang":"rs","task":"tasks.add","id":"a","eta":"2026-11-22T21:04:48.135000+00:00","expires":null,"group":null,"group_index":null,"retries":0,"timelimit":[null,null],"root_id":null,"parent_id":null,"origin":null,"ignore_result":false,"siding_unique_key":"k"},"properties":{"correlation_id":"a","delivery_mode":2,"priority":0,"delivery_info":{"exchange":"","routing_key":"celery"}},"body":[[],{},{"callbacks":null,"errbacks":null,"chain":null,"chord":null}]}"#;
    assert_eq!(text, expected);
}

#[test]
fn what_is_wrong_is_named() {
    let error = |text: &str| read(text).unwrap_err().to_string();
    let of = |headers: &str| format!(r#"{{"headers": {headers}, "body": [[], {{}}, null]}}"#);
    assert_eq!(error(&of("{}")), "the message has no header `id`");
    let eta = error(&of(r#"{"id": "a", "task": "t", "eta": "soon"}"#));
    assert_eq!(
        eta,
        "the header `eta` is not a date and time as ISO 8601 has it: soon"
    );
    assert!(read(&of(r#"{"id": "a", "task": "t", "timelimit": [-1, null]}"#)).is_err());
    assert!(read(&of(r#"{"id": "a", "task": "t"}"#)).is_ok());
    assert!(error("[]").starts_with("not a message: "));
}
