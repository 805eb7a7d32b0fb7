//! Which tasks a worker holds, and which it knows.

use std::time::Duration;

use serde_json::json;
use siding_tasks::{Message, Timestamp};

use super::{message, steer, tasks};

#[test]
fn tasks_are_told_by_how_far_they_are() {
    steer(
        &tasks(),
        |worker| worker,
        async |mut station| {
            let limit = json!({"task_name": "double", "rate_limit": "1/h"});
            station.watcher.ask("rate_limit", &limit).await;
            let first = message("double");
            let active = message("endless");
            let reserved = message("double");
            let scheduled = Message {
                eta: Some(Timestamp::now().after(Duration::from_secs(3_600))),
                ..message("double")
            };
            station.broker.deliver([first.clone()]);
            station.heard.settlement(&first.id).await;
            station
                .broker
                .deliver([active.clone(), reserved.clone(), scheduled.clone()]);
            station.until(&active, "active").await;
            station.until(&reserved, "reserved").await;
            station.until(&scheduled, "scheduled").await;

            let waiting = |message: &Message| {
                json!({
                    "id": message.id, "name": message.task, "args": [2], "kwargs": {}, "type": message.task,
                    "hostname": "w1@test", "time_start": null, "acknowledged": false,
                    "delivery_info": {"exchange": "", "routing_key": "celery", "priority": message.priority.get(), "redelivered": false},
                    "worker_pid": null,
                })
            };
            station
                .check("reserved", json!({}), json!([waiting(&reserved)]))
                .await;
            let eta = scheduled.eta.unwrap().to_string();
            let expected = json!([{"eta": eta, "priority": 6, "request": waiting(&scheduled)}]);
            station.check("scheduled", json!({}), expected).await;
            let found = json!({scheduled.id.as_str(): ["scheduled", waiting(&scheduled)]});
            station
                .check(
                    "query_task",
                    json!({"ids": [scheduled.id, "nobody's"]}),
                    found,
                )
                .await;

            let mut answer = station.watcher.ask("active", &json!({})).await;
            let began = answer[0]["time_start"].take().as_f64().unwrap();
            let now = Timestamp::now().as_millis();
            #[expect(clippy::cast_precision_loss, reason = "it is no hour from now")]
            let now = now as f64 / 1_000.0;
            assert!((now - began).abs() < 3_600.0, "{began}");
            assert_eq!(answer[0]["worker_pid"].take(), json!(std::process::id()));
            assert_eq!(answer, json!([waiting(&active)]));
            let safe = station
                .watcher
                .ask("dump_active", &json!({"safe": true}))
                .await;
            assert_eq!(safe[0]["args"], json!("(2,)"));
            assert_eq!(safe[0]["kwargs"], json!("{}"));
        },
    );
}

#[test]
fn registered_tasks_are_told_with_what_is_asked_of_them() {
    let tasks = tasks();
    let _ = tasks
        .register("limited", async || ())
        .max_retries(5)
        .time_limit(Duration::from_secs(10));
    steer(
        &tasks,
        |worker| worker,
        async |mut station| {
            let limit = json!({"task_name": "limited", "rate_limit": "100/m"});
            station.watcher.ask("rate_limit", &limit).await;
            let plain = json!(["double", "endless", "limited [rate_limit=100/m]"]);
            station.check("registered", json!({}), plain.clone()).await;
            station
                .check("dump_tasks", json!({"taskinfoitems": []}), plain)
                .await;
            let items = json!({"taskinfoitems": ["rate_limit", "max_retries", "time_limit", "acks_late", "__class__"]});
            let expected = json!([
                "double [max_retries=3 acks_late=True]",
                "endless [max_retries=3 acks_late=True]",
                "limited [rate_limit=100/m max_retries=5 time_limit=10 acks_late=True]",
            ]);
            station.check("registered", items, expected).await;
        },
    );
}
