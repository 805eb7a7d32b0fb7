//! Whatever is sent, a Python worker runs it, and goes on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use siding_tasks::{Enqueue, Message, Priority, RawJson, TimeLimits, Timestamp};

use crate::fleet::{Fleet, SOON, raw};

const MESSAGES: usize = 1_000;

#[test]
fn celery_5_7_runs_it_and_goes_on() {
    Fleet::on_redis("5.7", any_message);
}

async fn any_message(fleet: Arc<Fleet>) {
    let worker = fleet.python_worker(&["--pool=solo"]).await;
    let mut runner = TestRunner::default();
    let mut sent = Vec::new();
    let strategy = vec(message(), 100);
    while sent.len() < MESSAGES {
        let messages = strategy.new_tree(&mut runner).unwrap().current();
        let calls = messages.iter().map(|message| {
            (
                message.id.clone(),
                message.args.clone(),
                message.kwargs.clone(),
            )
        });
        sent.extend(calls);
        let request = Enqueue {
            messages,
            chords: Vec::new(),
        };
        fleet.broker.enqueue(request).await.unwrap();
    }
    for (id, args, kwargs) in sent {
        let echoed: Value = fleet.tasks.result(id).get(SOON).await.unwrap();
        let args: Vec<Value> = args.iter().map(|arg| arg.read().unwrap()).collect();
        let kwargs: BTreeMap<String, Value> = kwargs
            .iter()
            .map(|(name, value)| (name.clone(), value.read().unwrap()))
            .collect();
        assert_eq!(echoed, serde_json::json!([args, kwargs]));
    }
    let log = worker.log();
    for bad in ["onnection", "ERROR", "CRITICAL", "Traceback"] {
        let lines: Vec<_> = log
            .lines()
            .filter(|line| {
                line.contains(bad)
                    && !line.contains("celery.worker")
                    && !line.contains(" received")
                    && !line.contains("succeeded")
            })
            .collect();
        assert_eq!(lines, Vec::<&str>::new(), "{bad}");
    }
}

fn json() -> impl Strategy<Value = RawJson> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        proptest::num::f64::NORMAL.prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        "[\u{0}-\u{20}\"'\\\\\u{7f}-\u{a0}]{0,5}".prop_map(Value::from),
        any::<char>().prop_map(|character| Value::from(character.to_string())),
    ];
    let value = leaf.prop_recursive(4, 20, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            btree_map(".{0,8}", inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    value.prop_map(raw)
}

fn seconds(most: u64) -> impl Strategy<Value = Option<Duration>> {
    proptest::option::of((60_000..most).prop_map(Duration::from_millis))
}

prop_compose! {
    fn message()(
        (args, kwargs) in (vec(json(), 0..5), btree_map(".{0,8}", json(), 0..4)),
        (priority, retries, ago) in (0..10_u8, 0..100_u32, proptest::option::of(0..1_000_000_000_i64)),
        (hard, soft, expires) in (seconds(10_000_000), seconds(10_000_000), seconds(1_000_000_000_000)),
        (parent, group, group_index) in (proptest::option::of("[a-z]{1,9}"), proptest::option::of(".{1,9}"), any::<Option<u32>>()),
        (origin, reply_to) in (proptest::option::of(".*"), proptest::option::of(".{1,9}")),
        headers in btree_map("x-.{0,8}", json(), 0..4),
    ) -> Message {
        let now = Timestamp::now();
        let mut message = Message {
            args, kwargs, retries, group, group_index, origin, reply_to, headers,
            priority: Priority::new(priority).unwrap(),
            eta: ago.map(|ago| Timestamp::from_millis(now.as_millis() - ago)),
            expires: expires.map(|left| now.after(left)),
            time_limits: TimeLimits { hard, soft },
            parent_id: parent.map(Into::into),
            ..Message::new("app.echo")
        };
        // It is the name of the function's own argument.
        message.kwargs.remove("self");
        message
    }
}
