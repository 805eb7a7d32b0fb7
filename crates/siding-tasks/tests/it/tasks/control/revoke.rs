//! Revoking tasks, and ending those that run.

use std::time::Duration;

use serde_json::json;
use siding_tasks::{Message, RawJson, Settlement, TaskId, Timestamp};

use super::{Station, message, steer, tasks};

async fn check_revoked(station: &mut Station, id: &TaskId, expected: &str) {
    match station.heard.settlement(id).await {
        Settlement::Revoked { reason, .. } => assert_eq!(reason, expected),
        other => panic!("{other:?}"),
    }
}

fn later(task: &str) -> Message {
    Message {
        eta: Some(Timestamp::now().after(Duration::from_secs(3_600))),
        ..message(task)
    }
}

#[test]
fn what_waits_ends_and_what_comes_later_does_not_run() {
    steer(
        &tasks(),
        |worker| worker,
        async |mut station| {
            let (held, unheard) = (later("double"), message("double"));
            station.broker.deliver([held.clone()]);
            station.until(&held, "scheduled").await;
            let text = format!(
                "tasks {{'{}', '{}'}} flagged as revoked",
                held.id, unheard.id
            );
            let ids = json!({"task_id": [held.id, unheard.id], "terminate": false, "signal": null});
            station.check("revoke", ids, json!({"ok": text})).await;
            check_revoked(&mut station, &held.id, "revoked").await;
            station.broker.deliver([unheard.clone()]);
            check_revoked(&mut station, &unheard.id, "revoked").await;
        },
    );
}

#[test]
fn a_cast_revokes_one_task() {
    steer(
        &tasks(),
        |worker| worker,
        async |mut station| {
            let message = message("double");
            let arguments = json!({"task_id": message.id, "terminate": false, "signal": "SIGTERM"});
            station.watcher.cast("revoke", &arguments);
            // What is asked is done in order.
            station
                .check("revoked", json!({}), json!([message.id]))
                .await;
            station.broker.deliver([message.clone()]);
            check_revoked(&mut station, &message.id, "revoked").await;
        },
    );
}

#[test]
fn a_task_that_runs_is_ended_only_when_terminated() {
    for method in ["revoke", "terminate"] {
        steer(
            &tasks(),
            |worker| worker,
            async |mut station| {
                let runs = message("endless");
                station.broker.deliver([runs.clone()]);
                station.until(&runs, "active").await;
                station
                    .watcher
                    .ask("revoke", &json!({"task_id": runs.id}))
                    .await;
                station.until(&runs, "active").await;
                let expected = json!({"ok": format!("terminate: {}", runs.id)});
                let arguments = json!({"task_id": [runs.id], "terminate": 1, "signal": "SIGKILL"});
                station.check(method, arguments, expected).await;
                check_revoked(&mut station, &runs.id, "terminated").await;
                let unknown = json!({"ok": "terminate: tasks unknown"});
                let arguments = json!({"task_id": "zz", "terminate": true, "signal": null});
                station.check(method, arguments, unknown).await;
            },
        );
    }
}

fn stamped(mut message: Message) -> Message {
    for (name, value) in [
        ("stamped_headers", r#"["customer"]"#),
        ("stamps", r#"{"customer": ["c1", "c2"]}"#),
    ] {
        let value = RawJson::parse(value.to_owned()).unwrap();
        message.headers.insert(name.to_owned(), value);
    }
    message
}

#[test]
fn stamped_tasks_are_revoked_by_any_of_their_stamps() {
    steer(
        &tasks(),
        |worker| worker,
        async |mut station| {
            let (held, runs) = (stamped(later("double")), stamped(message("endless")));
            let plain = message("double");
            station.broker.deliver([held.clone(), runs.clone()]);
            station.until(&held, "scheduled").await;
            station.until(&runs, "active").await;
            let other = json!({"headers": {"customer": ["c3"]}, "terminate": true});
            let expected = json!({"ok": "headers customer=c3 were not terminated"});
            station
                .check("revoke_by_stamped_headers", other, expected)
                .await;
            let wanted = json!({"headers": {"customer": ["c2"]}});
            let expected =
                json!({"ok": "headers customer=c2 flagged as revoked, but not terminated"});
            station
                .check("revoke_by_stamped_headers", wanted, expected)
                .await;
            check_revoked(&mut station, &held.id, "revoked").await;
            let wanted = json!({"headers": ["customer=c1"], "terminate": true, "signal": null});
            let expected = json!({"ok": "headers customer=c1 revoked"});
            station
                .check("revoke_by_stamped_headers", wanted, expected)
                .await;
            check_revoked(&mut station, &runs.id, "terminated").await;
            let comes = stamped(message("double"));
            station.broker.deliver([comes.clone(), plain.clone()]);
            check_revoked(&mut station, &comes.id, "revoked").await;
        },
    );
}
