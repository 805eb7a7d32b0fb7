//! `celery control`.

use serde_json::json;

use super::{BOTH, EVERYWHERE, beside_a_worker};
use crate::fleet::Over;

#[test]
fn every_command_is_answered_in_words_that_celery_prints() {
    for (over, version) in EVERYWHERE {
        beside_a_worker(
            over,
            version,
            |worker| worker,
            async |_fleet, mut commander| {
                let commands: [(&[&str], &str); 11] = [
                    (
                        &["rate_limit", "rust.double", "100/m"],
                        "new rate limit set successfully",
                    ),
                    (
                        &["rate_limit", "rust.double", "0"],
                        "rate limit disabled successfully",
                    ),
                    (
                        &["time_limit", "rust.double", "5", "10"],
                        "time limits set successfully",
                    ),
                    (&["pool_grow", "2"], "pool will grow"),
                    (&["pool_shrink", "2"], "pool will shrink"),
                    (&["add_consumer", "other"], "add consumer other"),
                    (
                        &["cancel_consumer", "other"],
                        "no longer consuming from other",
                    ),
                    (&["enable_events"], "task events enabled"),
                    (&["disable_events"], "task events disabled"),
                    (&["revoke", "abc"], "tasks {'abc'} flagged as revoked"),
                    (&["terminate", "SIGKILL", "abc"], "terminate: tasks unknown"),
                ];
                for (command, expected) in commands {
                    let arguments = [&["control"], command].concat();
                    let answer = commander.asked(&arguments).await;
                    assert_eq!(answer, json!({"ok": expected}), "{command:?}");
                }
                assert_eq!(
                    commander.asked(&["control", "heartbeat"]).await,
                    json!(null)
                );
                let answer = commander.asked(&["control", "autoscale", "3", "1"]).await;
                assert!(answer["error"].is_string(), "{answer}");
            },
        );
    }
}

#[test]
fn a_queue_that_is_added_is_served() {
    for over in BOTH {
        beside_a_worker(
            over,
            "5.7",
            |worker| worker,
            async |_fleet, mut commander| {
                let sent = commander.send("rust.double", "(21,), queue='later'").await;
                commander.asked(&["control", "add_consumer", "later"]).await;
                let result = format!("out = AsyncResult({sent:?}).get(timeout=20)");
                assert_eq!(commander.0.run(&result).await, json!(42));
            },
        );
    }
}

#[test]
fn a_task_that_runs_is_revoked() {
    for (over, version) in EVERYWHERE {
        beside_a_worker(
            over,
            version,
            |worker| worker,
            async |_fleet, mut commander| {
                let runs = commander.send("rust.endless", "queue='rust'").await;
                commander.until_active(&runs).await;
                let script = format!(
                    r#"
                app.control.revoke({runs:?}, terminate=True)
                result = AsyncResult({runs:?})
                try:
                    result.get(timeout=20)
                except Exception as error:
                    out = [type(error).__name__, str(error), result.state]
                "#
                );
                let expected = json!(["TaskRevokedError", "terminated", "REVOKED"]);
                assert_eq!(commander.0.run(&script).await, expected);
            },
        );
    }
}

/// On Redis: on RabbitMQ it waits in the server, and is revoked when it comes from there.
#[test]
fn a_task_that_waits_for_its_time_is_revoked() {
    beside_a_worker(
        Over::Redis,
        "5.7",
        |worker| worker,
        async |_fleet, mut commander| {
            let waits = commander
                .send("rust.double", "(1,), queue='rust', countdown=1000")
                .await;
            let script = format!(
                r#"
            AsyncResult({waits:?}).revoke()
            try:
                AsyncResult({waits:?}).get(timeout=20)
            except Exception as error:
                out = [type(error).__name__, str(error)]
            "#
            );
            assert_eq!(
                commander.0.run(&script).await,
                json!(["TaskRevokedError", "revoked"])
            );
        },
    );
}

#[test]
fn a_worker_is_shut_down() {
    for over in BOTH {
        super::Fleet::over(over, "5.7", async |fleet| {
            let mut commander = super::Commander(fleet.client());
            let worker = siding_runtime::spawn(fleet.worker().run(std::future::pending()));
            commander.until_heard().await;
            let answer = commander.asked(&["control", "shutdown"]).await;
            assert_eq!(answer, json!({"ok": "shutting down"}));
            worker.await.unwrap().unwrap();
        });
    }
}
