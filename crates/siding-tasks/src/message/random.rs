//! Messages for property tests.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::{
    Embed, Message, Priority, RawJson, Signature, SignatureOptions, TaskId, TimeLimits, Timestamp,
};

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
    /// Any message.
    pub(crate) fn message()(
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
            destination: None,
            priority: Priority::new(priority).unwrap(),
            time_limits: TimeLimits { hard, soft },
        }
    }
}
