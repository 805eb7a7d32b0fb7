//! Rates, time limits, slots and queues.

use serde_json::json;
use siding_tasks::Settlement;

use super::{message, steer, tasks};
use crate::tasks::scripted::Asked;

#[test]
fn a_rate_limit_delays_the_start_without_a_slot() {
    steer(
        &tasks(),
        |worker| worker.concurrency(1),
        async |mut station| {
            let limit =
                |rate: serde_json::Value| json!({"task_name": "double", "rate_limit": rate});
            let set = json!({"ok": "new rate limit set successfully"});
            station.check("rate_limit", limit(json!("1/h")), set).await;
            let [first, second, third] = [(); 3].map(|()| message("double"));
            let other = message("endless");
            station
                .broker
                .deliver([first.clone(), second.clone(), third.clone()]);
            station.heard.settlement(&first.id).await;
            station.until(&second, "reserved").await;
            station.until(&third, "reserved").await;
            // The only slot is free.
            station.broker.deliver([other.clone()]);
            station.until(&other, "active").await;
            station
                .watcher
                .ask("revoke", &json!({"task_id": other.id, "terminate": true}))
                .await;
            station.heard.settlement(&other.id).await;
            let off = json!({"ok": "rate limit disabled successfully"});
            station.check("rate_limit", limit(json!(0)), off).await;
            for message in [second, third] {
                let settlement = station.heard.settlement(&message.id).await;
                assert!(
                    matches!(settlement, Settlement::Success { .. }),
                    "{settlement:?}"
                );
            }
        },
    );
}

#[test]
fn a_rate_limit_that_makes_no_sense_is_refused() {
    steer(
        &tasks(),
        |worker| worker,
        async |mut station| {
            let unknown = json!({"task_name": "nope", "rate_limit": "10/m"});
            station
                .check("rate_limit", unknown, json!({"error": "unknown task"}))
                .await;
            let wrong = json!({"task_name": "double", "rate_limit": "xx/q"});
            let answer = station.watcher.ask("rate_limit", &wrong).await;
            assert!(
                answer["error"]
                    .as_str()
                    .unwrap()
                    .contains("`s`, `m` or `h`"),
                "{answer}"
            );
        },
    );
}

#[test]
fn time_limits_are_for_tasks_that_start_later() {
    steer(
        &tasks(),
        |worker| worker,
        async |mut station| {
            let before = message("endless");
            station.broker.deliver([before.clone()]);
            station.until(&before, "active").await;
            let limits = json!({"task_name": "endless", "hard": 0.01, "soft": null});
            let set = json!({"ok": "time limits set successfully"});
            station.check("time_limit", limits, set).await;
            let after = message("endless");
            station.broker.deliver([after.clone()]);
            match station.heard.settlement(&after.id).await {
                Settlement::Failure { exception, .. } => {
                    assert_eq!(exception.exc_type, "TimeLimitExceeded")
                }
                other => panic!("{other:?}"),
            }
            station.until(&before, "active").await;
            let unknown = json!({"task_name": "nope", "hard": 10});
            station
                .check("time_limit", unknown, json!({"error": "unknown task"}))
                .await;
            let answer = station
                .watcher
                .ask("time_limit", &json!({"task_name": "double", "hard": -1}))
                .await;
            assert!(answer["error"].is_string(), "{answer}");
        },
    );
}

#[test]
fn the_pool_grows_and_shrinks() {
    steer(
        &tasks(),
        |worker| worker.concurrency(1),
        async |mut station| {
            assert_eq!(station.heard.claim().await.limit, 1);
            let messages = [(); 3].map(|()| message("endless"));
            station.broker.deliver(messages.clone());
            station.until(&messages[0], "active").await;
            station
                .check(
                    "pool_grow",
                    json!({"n": 2}),
                    json!({"ok": "pool will grow"}),
                )
                .await;
            for message in &messages {
                station.until(message, "active").await;
            }
            let stats = station.watcher.ask("stats", &json!({})).await;
            assert_eq!(stats["pool"]["max-concurrency"], json!(3));
            // One is left, however many are taken.
            station
                .check(
                    "pool_shrink",
                    json!({"n": 9}),
                    json!({"ok": "pool will shrink"}),
                )
                .await;
            let stats = station.watcher.ask("stats", &json!({})).await;
            assert_eq!(stats["pool"]["max-concurrency"], json!(1));
            let answer = station.watcher.ask("pool_grow", &json!({"n": -1})).await;
            assert!(answer["error"].is_string(), "{answer}");
        },
    );
}

#[test]
fn queues_are_added_and_removed() {
    steer(
        &tasks(),
        |worker| worker,
        async |mut station| {
            assert_eq!(station.heard.claim().await.queues, ["celery"]);
            let added = json!({"ok": "add consumer other"});
            let arguments = json!({"queue": "other", "exchange": null, "exchange_type": "direct", "routing_key": null});
            station.check("add_consumer", arguments, added).await;
            let both = ["celery", "other"];
            station
                .heard
                .wait(|asked| {
                    matches!(asked, Asked::Claim(request) if request.queues == both).then_some(())
                })
                .await;
            let removed = json!({"ok": "no longer consuming from celery"});
            station
                .check("cancel_consumer", json!({"queue": "celery"}), removed)
                .await;
            station
                .heard
                .wait(|asked| {
                    matches!(asked, Asked::Claim(request) if request.queues == ["other"])
                        .then_some(())
                })
                .await;
            station
                .check("active_queues", json!({}), json!([queue("other")]))
                .await;

            let answer = station.watcher.ask("add_consumer", &json!({})).await;
            assert_eq!(
                answer,
                json!({"error": "the argument \"queue\" is missing"})
            );
            let elsewhere = json!({"queue": "q2", "exchange": "e2", "exchange_type": "topic", "routing_key": "r.#"});
            let answer = station.watcher.ask("add_consumer", &elsewhere).await;
            assert!(
                answer["error"]
                    .as_str()
                    .unwrap()
                    .contains("binds no queues"),
                "{answer}"
            );
        },
    );
}

#[test]
fn a_worker_without_queues_waits_for_one() {
    steer(
        &tasks(),
        |worker| worker,
        async |mut station| {
            station.heard.claim().await;
            station
                .watcher
                .ask("cancel_consumer", &json!({"queue": "celery"}))
                .await;
            station.check("active_queues", json!({}), json!([])).await;
            station
                .watcher
                .ask("add_consumer", &json!({"queue": "new"}))
                .await;
            assert_eq!(station.heard.claim().await.queues, ["new"]);
        },
    );
}

/// All that a worker of Celery 5.7 tells of a queue. Without all of it Flower's page of a worker is an error.
fn queue(name: &str) -> serde_json::Value {
    json!({
        "name": name,
        "exchange": {
            "name": name, "type": "direct", "arguments": null, "durable": true, "passive": false, "auto_delete": false,
            "delivery_mode": null, "no_declare": false,
        },
        "routing_key": name, "queue_arguments": null, "binding_arguments": null, "consumer_arguments": null,
        "durable": true, "exclusive": false, "auto_delete": false, "no_ack": false, "alias": null, "bindings": [],
        "no_declare": null, "expires": null, "message_ttl": null, "max_length": null, "max_length_bytes": null,
        "max_priority": null,
    })
}
