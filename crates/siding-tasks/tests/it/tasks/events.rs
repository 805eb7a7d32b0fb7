//! Events. What is expected was sent by a worker of Celery 5.7.

use std::sync::Arc;

use serde_json::{Value, json};
use siding_tasks::{Message, TaskError, Tasks, Timestamp};

use super::control::{Station, message, steer, tasks};

/// Checks the fields of an event that are there in every one, and takes them out.
#[track_caller]
fn common(mut event: Value, kind: &str, hostname: &str) -> Value {
    let fields = event.as_object_mut().unwrap();
    assert_eq!(fields.remove("type"), Some(json!(kind)));
    assert_eq!(fields.remove("hostname"), Some(json!(hostname)));
    assert_eq!(fields.remove("pid"), Some(json!(std::process::id())));
    assert!(fields.remove("clock").unwrap().as_u64().unwrap() > 0);
    let timestamp = fields.remove("timestamp").unwrap().as_f64().unwrap();
    #[expect(clippy::cast_precision_loss, reason = "it is no hour from now")]
    let now = Timestamp::now().as_millis() as f64 / 1_000.0;
    assert!((now - timestamp).abs() < 3_600.0, "{timestamp}");
    assert!(fields.remove("utcoffset").unwrap().is_f64());
    event
}

async fn next(station: &mut Station, kind: &str) -> Value {
    common(station.watcher.event(kind).await, kind, "w1@test")
}

#[test]
fn a_worker_says_that_it_is_there_and_that_it_goes() {
    let tasks = tasks();
    let (wire, mut watcher) = super::wire::Wire::new();
    let (broker, mut heard) = super::scripted::Scripted::new(Some(wire));
    tasks.connect(Arc::clone(&broker) as Arc<_>);
    let runtime = siding_runtime::Builder::new()
        .event_loop_threads(1)
        .build()
        .unwrap();
    runtime.block_on(async {
        let run = message("double");
        broker.deliver([run.clone()]);
        let stop = async { drop(heard.settlement(&run.id).await) };
        tasks.worker().name("w1@test").run(stop).await.unwrap();
        for (kind, processed) in [("worker-online", None), ("worker-offline", Some(1))] {
            let published = watcher.published().await;
            assert_eq!(published.routing_key, kind.replace('-', "."));
            assert_eq!(published.hostname, "w1@test");
            let event = common(published.body, kind, "w1@test");
            assert_eq!(event["freq"], json!(2.0));
            assert!(event["active"].is_u64());
            if let Some(processed) = processed {
                assert_eq!(event["processed"], json!(processed));
            }
            let load = event["loadavg"].as_array().unwrap();
            assert!(load.len() == 3 && load.iter().all(Value::is_f64), "{event}");
            assert_eq!(event["sw_ident"], json!("siding"));
            assert!(event["sw_ver"].is_string() && event["sw_sys"].is_string());
            assert_eq!(event.as_object().unwrap().len(), 7, "{event}");
        }
    });
}

#[test]
fn a_heartbeat_comes_when_it_is_asked_for() {
    steer(
        &tasks(),
        |worker| worker,
        async |mut station| {
            station.check("heartbeat", json!({}), Value::Null).await;
            next(&mut station, "worker-heartbeat").await;
        },
    );
}

#[test]
fn a_task_is_told_from_its_receipt_to_its_end() {
    steer(
        &tasks(),
        |worker| worker.task_events(true),
        async |mut station| {
            let run = Message {
                parent_id: Some("a-parent".into()),
                ..message("double")
            };
            station.broker.deliver([run.clone()]);
            let received = next(&mut station, "task-received").await;
            let expected = json!({
                "uuid": run.id, "name": "double", "args": "(2,)", "kwargs": "{}", "root_id": null, "parent_id": "a-parent",
                "retries": 0, "eta": null, "expires": null,
            });
            assert_eq!(received, expected);
            let started = next(&mut station, "task-started").await;
            assert_eq!(started, json!({"uuid": run.id}));
            let mut succeeded = next(&mut station, "task-succeeded").await;
            assert!(succeeded["runtime"].take().is_f64());
            assert_eq!(
                succeeded,
                json!({"uuid": run.id, "result": "4", "runtime": null})
            );
        },
    );
}

#[test]
fn whatever_the_end_is_it_is_told() {
    let tasks = tasks();
    tasks.register("fails", async || Err::<(), _>(TaskError::new("it's over")));
    tasks.register("retries", async || {
        Err::<(), _>(TaskError::new("later").retry())
    });
    steer(
        &tasks,
        |worker| worker.task_events(true),
        async |mut station| {
            for (task, kind, exception) in [
                ("fails", "task-failed", r#"TaskError("it's over")"#),
                ("retries", "task-retried", "TaskError('later')"),
            ] {
                let run = Message::new(task);
                station.broker.deliver([run.clone()]);
                let mut event = next(&mut station, kind).await;
                event["traceback"].take();
                assert_eq!(
                    event,
                    json!({"uuid": run.id, "exception": exception, "traceback": null})
                );
            }
            let runs = message("endless");
            station.broker.deliver([runs.clone()]);
            station.until(&runs, "active").await;
            station
                .watcher
                .ask("revoke", &json!({"task_id": runs.id, "terminate": true}))
                .await;
            let event = next(&mut station, "task-revoked").await;
            let expected =
                json!({"uuid": runs.id, "terminated": true, "signum": null, "expired": false});
            assert_eq!(event, expected);
            station.broker.deliver([runs.clone()]);
            let event = next(&mut station, "task-revoked").await;
            assert_eq!(event["terminated"], json!(false));
        },
    );
}

#[test]
fn events_of_tasks_are_sent_while_they_are_wanted() {
    steer(
        &tasks(),
        |worker| worker,
        async |mut station| {
            let [unseen, seen, last] = [(); 3].map(|()| message("double"));
            station.broker.deliver([unseen.clone()]);
            station.heard.settlement(&unseen.id).await;
            station
                .check(
                    "enable_events",
                    json!({}),
                    json!({"ok": "task events enabled"}),
                )
                .await;
            station
                .check(
                    "enable_events",
                    json!({}),
                    json!({"ok": "task events already enabled"}),
                )
                .await;
            station.broker.deliver([seen.clone()]);
            assert_eq!(
                next(&mut station, "task-received").await["uuid"],
                json!(seen.id)
            );
            next(&mut station, "task-succeeded").await;
            station
                .check(
                    "disable_events",
                    json!({}),
                    json!({"ok": "task events disabled"}),
                )
                .await;
            station
                .check(
                    "disable_events",
                    json!({}),
                    json!({"ok": "task events already disabled"}),
                )
                .await;
            station.broker.deliver([last.clone()]);
            station.heard.settlement(&last.id).await;
            station
                .check(
                    "enable_events",
                    json!({}),
                    json!({"ok": "task events enabled"}),
                )
                .await;
            station.broker.deliver([unseen.clone()]);
            assert_eq!(
                next(&mut station, "task-received").await["uuid"],
                json!(unseen.id)
            );
        },
    );
}

#[test]
fn events_of_tasks_come_in_lists_and_never_hold_tasks_up() {
    steer(
        &tasks(),
        |worker| worker.task_events(true),
        async |mut station| {
            station.watcher.event("worker-online").await;
            let held_up = station.watcher.publishing().await;
            let runs = [(); 4].map(|()| message("double"));
            station.broker.deliver(runs.clone());
            let mut left = runs.len();
            let settled = |asked| {
                left -= usize::from(matches!(asked, super::scripted::Asked::Settle(..)));
                (left == 0).then_some(())
            };
            station.heard.wait(settled).await;
            drop(held_up);
            let mut events = 0;
            while events < 3 * runs.len() {
                let published = station.watcher.published().await;
                if let Value::Array(list) = published.body {
                    assert_eq!(published.routing_key, "task.multi");
                    assert_eq!(published.hostname, "w1@test");
                    assert!(list.len() <= 24);
                    events += list.len();
                }
            }
        },
    );
}

#[test]
fn who_sends_tasks_tells_it_where_that_is_wanted() {
    let tasks = Tasks::new();
    let double = tasks
        .register("double", async |x: u32| x * 2)
        .queue("numbers");
    steer(
        &tasks.clone(),
        |worker| worker,
        async |mut station| {
            double.delay(1).await.unwrap();
            tasks.send_events(true);
            let sent = double.delay(2).await.unwrap();
            let event = station.watcher.event("task-sent").await;
            let hostname = event["hostname"].as_str().unwrap().to_owned();
            assert!(
                hostname.starts_with(&format!("gen{}@", std::process::id())),
                "{hostname}"
            );
            let expected = json!({
                "uuid": sent.id(), "name": "double", "args": "(2,)", "kwargs": "{}", "root_id": sent.id(), "parent_id": null,
                "retries": 0, "eta": null, "expires": null, "queue": "numbers", "exchange": "", "routing_key": "numbers",
            });
            assert_eq!(common(event, "task-sent", &hostname), expected);
        },
    );
}
