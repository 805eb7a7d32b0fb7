//! Events as Celery receives them.

use serde_json::{Value, json};

use super::{BOTH, Commander, EVERYWHERE, beside_a_worker};

/// Collects events from now on, in `app.seen`.
async fn watch(commander: &mut Commander) {
    let script = r#"
        import threading, time
        app.seen = []
        def watch():
            with app.connection_for_read() as connection:
                receiver = app.events.Receiver(connection, handlers={"*": app.seen.append})
                receiver.capture(limit=None, timeout=None, wakeup=True)
        threading.Thread(target=watch, daemon=True).start()
        while not app.seen:
            time.sleep(0.01)
    "#;
    commander.0.run(script).await;
}

/// All events since, once there is one of this type.
async fn seen(commander: &mut Commander, kind: &str) -> Vec<Value> {
    let script = format!(
        r#"
        import time
        while not [event for event in app.seen if event["type"] == {kind:?}]:
            time.sleep(0.01)
        out = list(app.seen)
        "#
    );
    let Value::Array(events) = commander.0.run(&script).await else {
        panic!("a list");
    };
    events
}

/// The names of an event's fields.
fn fields(events: &[Value], kind: &str) -> Vec<String> {
    let event = events.iter().find(|event| event["type"] == kind);
    let event = event.unwrap_or_else(|| panic!("no {kind} in {events:?}"));
    let fields = event.as_object().unwrap().keys();
    let mut fields: Vec<_> = fields.cloned().collect();
    fields.sort();
    fields
}

#[test]
fn events_have_the_fields_of_a_python_worker() {
    for (over, version) in EVERYWHERE {
        beside_a_worker(
            over,
            version,
            |worker| worker.task_events(true),
            async |fleet, mut commander| {
                let _python = fleet
                    .python_worker(&["-E", "-P", "solo", "-n", "python@test"])
                    .await;
                watch(&mut commander).await;
                let mut both = Vec::new();
                for task in ["'rust.double', (2,), queue='rust'", "'app.add', (2, 2)"] {
                    let script = format!("app.seen.clear(); app.send_task({task})");
                    commander.0.run(&script).await;
                    both.push(seen(&mut commander, "task-succeeded").await);
                }
                let [ours, theirs] = &both[..] else {
                    panic!("two lists");
                };
                for kind in ["task-received", "task-started", "task-succeeded"] {
                    assert_eq!(fields(ours, kind), fields(theirs, kind), "{kind}");
                }
                let result = |events: &[Value]| {
                    let ended = events
                        .iter()
                        .find(|event| event["type"] == "task-succeeded")
                        .cloned();
                    ended.unwrap()["result"].clone()
                };
                assert_eq!((result(ours), result(theirs)), (json!("4"), json!("4")));
                commander
                    .0
                    .run("app.seen.clear(); app.control.heartbeat()")
                    .await;
                let wait = r#"
                import time
                while len({event["hostname"] for event in app.seen}) < 2:
                    time.sleep(0.01)
                beats = {event["hostname"]: event for event in app.seen}
                assert beats["rust@test"]["sw_ident"] == "siding", beats
                out = sorted(beats["rust@test"].keys())
            "#;
                let beat = commander.0.run(wait).await;
                let expected = json!([
                    "active",
                    "clock",
                    "freq",
                    "hostname",
                    "loadavg",
                    "local_received",
                    "pid",
                    "processed",
                    "sw_ident",
                    "sw_sys",
                    "sw_ver",
                    "timestamp",
                    "type",
                    "utcoffset",
                ]);
                assert_eq!(beat, expected);
            },
        );
    }
}

#[test]
fn celery_keeps_a_state_of_our_tasks() {
    for over in BOTH {
        beside_a_worker(
            over,
            "5.7",
            |worker| worker,
            async |_fleet, mut commander| {
                watch(&mut commander).await;
                let enabled = commander.asked(&["control", "enable_events"]).await;
                assert_eq!(enabled, json!({"ok": "task events enabled"}));
                let sent = commander.send("rust.double", "(2,), queue='rust'").await;
                seen(&mut commander, "task-succeeded").await;
                let script = format!(
                    r#"
            state = app.events.State()
            for event in app.seen:
                state.event(dict(event))
            task = state.tasks[{sent:?}]
            worker = state.workers["rust@test"]
            out = [task.state, task.name, task.args, task.kwargs, task.result, worker.alive, worker.sw_ident]
            "#
                );
                let expected = json!(["SUCCESS", "rust.double", "(2,)", "{}", "4", true, "siding"]);
                assert_eq!(commander.0.run(&script).await, expected);
            },
        );
    }
}

#[test]
fn events_are_dumped() {
    for over in BOTH {
        beside_a_worker(
            over,
            "5.7",
            |worker| worker.task_events(true),
            async |fleet, mut commander| {
                let mut dump =
                    fleet.python(&["-u", "-m", "celery", "-A", "app", "events", "--dump"]);
                dump.hear(|line| line.contains("starting capture").then_some(()))
                    .await;
                // It hears of nothing before it has subscribed, which its first line does not say.
                dump.hear(|line| line.starts_with("rust@test [").then_some(()))
                    .await;
                let sent = commander.send("rust.double", "(2,), queue='rust'").await;
                let call = format!("rust.double({sent}) args=(2,) kwargs={{}}");
                for kind in ["received", "started", "succeeded"] {
                    let wanted = format!("] task {kind}: {call}");
                    dump.hear(|line| line.contains(&wanted).then_some(())).await;
                }
                let sent = commander.send("rust.fail", "queue='rust'").await;
                let failed = format!("] task failed: rust.fail({sent})");
                dump.hear(|line| line.contains(&failed).then_some(())).await;
            },
        );
    }
}
