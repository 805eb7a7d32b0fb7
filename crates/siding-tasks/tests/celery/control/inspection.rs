//! `celery status` and `celery inspect`.

use serde_json::json;

use super::{BOTH, EVERYWHERE, beside_a_worker};
use crate::fleet::Over;

#[test]
fn a_worker_is_online() {
    let more = [(Over::RabbitMq, "5.4")];
    for (over, version) in EVERYWHERE.into_iter().chain(more) {
        beside_a_worker(
            over,
            version,
            |worker| worker,
            async |_fleet, mut commander| {
                let (code, output) = commander.celery(&["status", "--timeout", "2"]).await;
                assert_eq!(code, 0, "{output}");
                assert!(output.contains("rust@test: OK"), "{output}");
                assert!(output.contains("1 node online"), "{output}");
            },
        );
    }
}

#[test]
fn every_inspection_is_answered() {
    for (over, version) in EVERYWHERE {
        beside_a_worker(
            over,
            version,
            |worker| worker.track_started(),
            async |_fleet, mut commander| {
                let runs = commander.send("rust.endless", "queue='rust'").await;
                commander.until_active(&runs).await;
                let waits = commander
                    .send("rust.double", "(1,), queue='rust', countdown=1000")
                    .await;

                assert_eq!(
                    commander.asked(&["inspect", "ping"]).await,
                    json!({"ok": "pong"})
                );
                let active = commander.asked(&["inspect", "active"]).await;
                assert_eq!(active[0]["id"], json!(runs));
                assert_eq!(commander.asked(&["inspect", "reserved"]).await, json!([]));
                assert_eq!(commander.asked(&["inspect", "revoked"]).await, json!([]));
                let registered = commander.asked(&["inspect", "registered"]).await;
                assert_eq!(
                    registered,
                    json!(["rust.double", "rust.endless", "rust.fail"])
                );
                let queues = commander.asked(&["inspect", "active_queues"]).await;
                assert_eq!(queues[0]["exchange"]["name"], json!("rust"));
                let stats = commander.asked(&["inspect", "stats"]).await;
                assert_eq!(stats["total"], json!({"rust.endless": 1}));
                let transport = match over {
                    Over::Redis => "redis",
                    Over::RabbitMq | Over::RabbitMqAndRedis => "amqp",
                };
                assert_eq!(stats["broker"]["transport"], json!(transport));
                assert!(!stats.to_string().contains("guest:guest"), "{stats}");
                assert!(stats["rusage"]["maxrss"].as_u64().unwrap() > 0, "{stats}");
                let clock = commander.asked(&["inspect", "clock"]).await;
                assert!(clock["clock"].as_u64().unwrap() > 0);
                let conf = commander.asked(&["inspect", "conf"]).await;
                assert_eq!(conf["task_track_started"], json!(true));
                let report = commander.asked(&["inspect", "report"]).await;
                assert!(report["ok"].as_str().unwrap().contains("siding-tasks:"));
                let found = commander
                    .asked(&["inspect", "query_task", &runs, &waits])
                    .await;
                assert_eq!(found[&runs][0], json!("active"));
                let state = format!("out = AsyncResult({runs:?}).state");
                assert_eq!(commander.0.run(&state).await, json!("STARTED"));
            },
        );
    }
}

#[test]
fn who_is_asked_by_a_pattern_answers() {
    for over in BOTH {
        beside_a_worker(
            over,
            "5.7",
            |worker| worker,
            async |_fleet, mut commander| {
                let script = r#"
            def names(pattern, matcher):
                ping = app.control.broadcast("ping", reply=True, timeout=1, pattern=pattern, matcher=matcher, limit=1)
                return [name for answer in ping for name in answer]
            out = [names("rust@*", "glob"), names("r.*@test$", "pcre"), names("python@*", "glob")]
        "#;
                let expected = json!([["rust@test"], ["rust@test"], []]);
                assert_eq!(commander.0.run(script).await, expected);
            },
        );
    }
}
