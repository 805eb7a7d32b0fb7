//! Whom a worker listens to.

use serde_json::{Value, json};
use siding_tasks::RemoteControl;

use super::{steer, tasks};

/// A ping that is to be answered by `ticket`, with other fields than usual.
fn ping(ticket: &str, other: Value) -> String {
    let mut body = json!({
        "method": "ping", "arguments": {}, "ticket": ticket,
        "reply_to": {"exchange": "reply.celery.pidbox", "routing_key": "an-oid"},
    });
    let Value::Object(other) = other else {
        panic!("{other}");
    };
    body.as_object_mut().unwrap().extend(other);
    body.to_string()
}

#[test]
fn it_answers_what_is_for_it() {
    steer(
        &tasks(),
        |worker| worker,
        async |mut station| {
            let watcher = &mut station.watcher;
            let ours = [
                json!({}),
                json!({"arguments": null}),
                json!({"destination": null, "pattern": "w*@test", "matcher": "glob"}),
                json!({"pattern": "w\\d@", "matcher": "pcre"}),
                json!({"arguments": {"unheard": "of"}}),
            ];
            for (number, fields) in ours.into_iter().enumerate() {
                let ticket = number.to_string();
                watcher.broadcast(&json!({"clock": 3, "expires": 0}), &ping(&ticket, fields));
                assert_eq!(
                    watcher.answer(&ticket).await,
                    json!({"w1@test": {"ok": "pong"}})
                );
            }
        },
    );
}

#[test]
fn it_passes_over_the_rest() {
    steer(
        &tasks(),
        |worker| worker,
        async |mut station| {
            let watcher = &mut station.watcher;
            let headers = json!({"clock": 3, "expires": 0});
            let others = [
                json!({"destination": ["w2@test"]}),
                json!({"pattern": "x*", "matcher": "glob"}),
                json!({"pattern": "(", "matcher": "pcre"}),
                json!({"pattern": "*", "matcher": "sql"}),
                json!({"method": 7}),
                json!({"arguments": ["ping"]}),
                json!({"reply_to": "somebody"}),
                json!({"destination": "w1@test"}),
            ];
            for fields in others {
                watcher.broadcast(&headers, &ping("not to be answered", fields));
            }
            for body in ["null", "[]", "7", "\"ping\"", "{}"] {
                watcher.broadcast(&headers, body);
            }
            let over = json!({"clock": 3, "expires": 1_000_000_000.5});
            watcher.broadcast(&over, &ping("too late", json!({})));
            watcher.broadcast(
                &json!({"clock": "x", "expires": "y"}),
                &ping("the first", json!({})),
            );
            watcher.answer("the first").await;
        },
    );
}

#[test]
fn what_is_not_allowed_is_refused_and_not_done() {
    let settings = |worker: siding_tasks::Worker| {
        worker.remote_control(RemoteControl::only(["ping", "scheduled", "revoked"]))
    };
    steer(&tasks(), settings, async |mut station| {
        station
            .check("ping", json!({}), json!({"ok": "pong"}))
            .await;
        station.check("dump_schedule", json!({}), json!([])).await;
        let error = json!({"error": "revoke is not allowed: this worker does not accept it"});
        station
            .check("revoke", json!({"task_id": "a"}), error)
            .await;
        station.check("revoked", json!({}), json!([])).await;
    });
}

#[test]
fn a_worker_that_is_off_listens_to_nobody_and_can_be_seen() {
    let settings = |worker: siding_tasks::Worker| worker.remote_control(RemoteControl::Off);
    steer(&tasks(), settings, async |mut station| {
        assert_eq!(station.watcher.listeners(), 0);
        station.watcher.event("worker-online").await;
    });
}
