//! What a worker tells of itself.

use serde_json::{Value, json};

use super::{message, steer, tasks};

#[test]
fn ping_is_answered() {
    steer(
        &tasks(),
        |worker| worker,
        async |mut station| {
            station
                .check("ping", json!({}), json!({"ok": "pong"}))
                .await;
        },
    );
}

#[test]
fn a_worker_that_starts_is_told_what_was_revoked() {
    steer(
        &tasks(),
        |worker| worker,
        async |mut station| {
            let watcher = &mut station.watcher;
            let hello = json!({"from_node": "w2@test", "revoked": ["a1"]});
            let answer = watcher.ask("hello", &hello).await;
            assert_eq!(answer["revoked"], json!(["a1"]));
            let first = answer["clock"].as_u64().unwrap();
            assert!(first > 7, "the clock of who asked was 7");
            // As workers before 5.7 say it.
            let hello = json!({"from_node": "w2@test", "revoked": {"a2": 1.5}});
            let answer = watcher.ask("hello", &hello).await;
            assert_eq!(answer["revoked"], json!(["a1", "a2"]));
            assert!(answer["clock"].as_u64().unwrap() > first);
            station
                .check("revoked", json!({}), json!(["a1", "a2"]))
                .await;
            station
                .check("hello", json!({"from_node": "w1@test"}), Value::Null)
                .await;
        },
    );
}

#[test]
fn the_clock_is_ahead_of_what_was_heard() {
    steer(
        &tasks(),
        |worker| worker,
        async |mut station| {
            station.watcher.broadcast(&json!({"clock": 1_000}), "{}");
            let answer = station.watcher.ask("clock", &json!({})).await;
            assert!(answer["clock"].as_u64().unwrap() > 1_000);
        },
    );
}

#[test]
fn stats_have_the_fields_that_flower_shows() {
    steer(
        &tasks(),
        |worker| worker.concurrency(3),
        async |mut station| {
            let message = message("double");
            station.broker.deliver([message.clone()]);
            station.heard.settlement(&message.id).await;
            let stats = station.watcher.ask("stats", &json!({})).await;
            assert_eq!(stats["total"], json!({"double": 1}));
            assert_eq!(stats["pid"], json!(std::process::id()));
            assert!(stats["clock"].as_str().unwrap().parse::<u64>().is_ok());
            assert!(stats["uptime"].is_u64());
            assert_eq!(stats["pool"]["max-concurrency"], json!(3));
            assert_eq!(stats["pool"]["processes"], json!([std::process::id()]));
            assert!(stats["pool"]["implementation"].is_string());
            assert_eq!(stats["prefetch_count"], json!(0));
            let broker = [
                ("transport", json!("redis")),
                ("hostname", json!("broker.example")),
                ("port", json!(6379)),
                ("userid", json!("siding")),
                ("virtual_host", json!("0")),
                ("ssl", json!(false)),
                ("alternates", json!([])),
            ];
            for (field, expected) in broker {
                assert_eq!(stats["broker"][field], expected, "{field}");
            }
            let celery = [
                "insist",
                "connect_timeout",
                "transport_options",
                "login_method",
                "uri_prefix",
                "heartbeat",
                "failover_strategy",
            ];
            for field in celery {
                assert!(stats["broker"].get(field).is_some(), "{field}");
            }
        },
    );
}

#[test]
fn conf_and_report_tell_what_is_set() {
    let settings = |worker: siding_tasks::Worker| worker.queues(["a", "b"]).track_started();
    steer(&tasks(), settings, async |mut station| {
        let conf = station
            .watcher
            .ask("conf", &json!({"with_defaults": false}))
            .await;
        assert_eq!(
            conf["broker_url"],
            json!("redis://siding:********@broker.example:6379/0")
        );
        assert_eq!(conf["worker_queues"], json!(["a", "b"]));
        assert_eq!(conf["task_track_started"], json!(true));
        assert_eq!(conf["worker_send_task_events"], json!(false));
        let report = station.watcher.ask("report", &json!({})).await;
        let report = report["ok"].as_str().unwrap();
        assert!(report.contains("siding-tasks:"), "{report}");
        assert!(report.contains("worker_queues: [\"a\",\"b\"]"), "{report}");
    });
}

#[test]
fn elections_are_passed_over() {
    steer(
        &tasks(),
        |worker| worker,
        async |mut station| {
            let arguments = json!({"id": "1", "topic": "t", "action": null});
            station.check("election", arguments, Value::Null).await;
        },
    );
}

#[test]
fn what_it_cannot_do_it_says() {
    let methods = [
        "autoscale",
        "pool_restart",
        "objgraph",
        "memdump",
        "memsample",
        "no_such",
    ];
    steer(
        &tasks(),
        |worker| worker,
        async |mut station| {
            for method in methods {
                let answer = station.watcher.ask(method, &json!({"max": 3})).await;
                assert!(answer["error"].is_string(), "{method}: {answer}");
            }
        },
    );
}

#[test]
fn it_is_told_to_stop() {
    let (wire, watcher) = super::Wire::new();
    let (broker, _heard) = super::Scripted::new(Some(wire));
    let tasks = tasks();
    tasks.connect(broker);
    let runtime = siding_runtime::Builder::new()
        .event_loop_threads(1)
        .build()
        .unwrap();
    runtime.block_on(async {
        watcher_says(
            watcher,
            tasks.worker().name("w1@test").run(std::future::pending()),
        )
        .await;
    });
}

/// Awaits a worker that is told to stop when it runs.
async fn watcher_says<E: std::fmt::Debug>(
    mut watcher: super::Watcher,
    worker: impl Future<Output = Result<(), E>>,
) {
    let stop = async {
        watcher.event("worker-online").await;
        watcher.ask("shutdown", &json!({})).await
    };
    let both = async { tokio::join!(worker, stop) };
    let (ended, answer) = tokio::time::timeout(super::PATIENCE, both).await.unwrap();
    ended.unwrap();
    assert_eq!(answer, json!({"ok": "shutting down"}));
}
