use proptest::prelude::*;

use super::*;
use crate::message::SignatureOptions;

fn json() -> impl Strategy<Value = RawJson> {
    prop_oneof![
        Just("null"),
        Just("1"),
        Just("-0.0"),
        Just("123456789012345678901234567890"),
        Just(r#"{"b": 1, "a": [1, 2.50]}"#),
        Just(r#""\ud83d snow ☃ \"""#),
    ]
    .prop_map(|text| RawJson::parse(text.to_owned()).unwrap())
}

fn object() -> impl Strategy<Value = BTreeMap<String, RawJson>> {
    proptest::collection::btree_map("x_[a-z\"☃]{0,5}", json(), 0..3)
}

fn list() -> impl Strategy<Value = Vec<RawJson>> {
    proptest::collection::vec(json(), 0..3)
}

fn id() -> impl Strategy<Value = TaskId> {
    "[a-z0-9-]{1,12}".prop_map(TaskId::from)
}

fn signature() -> impl Strategy<Value = Signature> {
    let options = (proptest::option::of(id()), object())
        .prop_map(|(task_id, others)| SignatureOptions { task_id, others });
    let kind = proptest::option::of(Just("chord".to_owned()));
    (
        "[a-z.]{1,9}",
        list(),
        object(),
        options,
        kind,
        any::<bool>(),
    )
        .prop_map(
            |(task, args, kwargs, options, subtask_type, immutable)| Signature {
                task,
                args,
                kwargs,
                options,
                subtask_type,
                immutable,
            },
        )
}

fn embed() -> impl Strategy<Value = Embed> {
    let signatures = || proptest::collection::vec(signature(), 0..3);
    let chord = proptest::option::of(signature());
    (signatures(), signatures(), signatures(), chord).prop_map(
        |(callbacks, errbacks, chain, chord)| Embed {
            callbacks,
            errbacks,
            chain,
            chord,
        },
    )
}

fn moment() -> impl Strategy<Value = Option<Timestamp>> {
    proptest::option::of((0..4_000_000_000_000_i64).prop_map(Timestamp::from_millis))
}

fn limit() -> impl Strategy<Value = Option<Duration>> {
    proptest::option::of((0..100_000_000_u64).prop_map(Duration::from_millis))
}

prop_compose! {
    fn message()(
        (id, task, args, kwargs, embed) in (id(), "[a-z.☃]{1,9}", list(), object(), embed()),
        (queue, priority, eta, expires, retries) in ("[a-z]{1,9}", 0..10_u8, moment(), moment(), any::<u32>()),
        (hard, soft, root_id, parent_id) in (limit(), limit(), proptest::option::of(id()), proptest::option::of(id())),
        (group, group_index, ignore_result) in (proptest::option::of(".*"), any::<Option<u32>>(), any::<bool>()),
        (unique_key, origin, reply_to) in (proptest::option::of(".*"), proptest::option::of(".*"), proptest::option::of(".*")),
        headers in object(),
    ) -> Message {
        Message {
            id, task, args, kwargs, embed, queue, eta, expires, retries, root_id, parent_id, group, group_index,
            ignore_result, unique_key, origin, reply_to, headers,
            priority: Priority::new(priority).unwrap(),
            time_limits: TimeLimits { hard, soft },
        }
    }
}

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
