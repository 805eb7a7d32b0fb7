//! Workers that share their broker with others.

use std::sync::atomic::Ordering;
use std::time::Duration;

use siding_tasks::{Message, Settlement, Tasks, Unknown};

use super::control::{message, steer, tasks};
use super::scripted::Asked;

#[test]
fn a_task_that_nobody_knows_fails_unless_it_is_left_to_others() {
    steer(
        &tasks(),
        |worker| worker,
        async |mut station| {
            assert_eq!(station.heard.claim().await.known, None);
            let foreign = Message::new("foreign");
            station.broker.deliver([foreign.clone()]);
            match station.heard.settlement(&foreign.id).await {
                Settlement::Failure { exception, .. } => {
                    assert_eq!(exception.exc_type, "NotRegistered");
                }
                other => panic!("{other:?}"),
            }
        },
    );
}

#[test]
fn a_task_that_is_left_to_others_is_given_back_after_a_while_without_a_slot() {
    let settings = |worker: siding_tasks::Worker| {
        worker
            .unknown(Unknown::Leave)
            .concurrency(1)
            .task_events(true)
    };
    steer(&tasks(), settings, async |mut station| {
        let known = station.heard.claim().await.known.unwrap();
        assert_eq!(known, ["double", "endless"]);
        let (foreign, ours) = (Message::new("foreign"), message("double"));
        let begun = tokio::time::Instant::now();
        station.broker.deliver([foreign.clone(), ours.clone()]);
        station.heard.settlement(&ours.id).await;
        station.heard.until(&Asked::Release(foreign.id)).await;
        assert!(begun.elapsed() >= Duration::from_secs(1));
        // Those who watch hear of ours alone.
        let received = station.watcher.event("task-received").await;
        assert_eq!(received["uuid"], serde_json::json!(ours.id));
    });
}

#[test]
fn a_broker_that_wants_to_know_is_told_that_a_task_starts() {
    for settings in [true, false] {
        let tasks = Tasks::new();
        let plain = tasks.register("plain", async || ());
        let tracked = tasks.register("tracked", async || ()).track_started();
        let track = |worker: siding_tasks::Worker| match settings {
            true => worker.track_started(),
            false => worker,
        };
        let mut expected = vec![tracked.name().to_owned()];
        if settings {
            expected.insert(0, plain.name().to_owned());
        }
        steer(&tasks, track, async |mut station| {
            let mut started = Vec::new();
            for task in [plain.name(), tracked.name()] {
                let run = Message::new(task);
                station.broker.deliver([run.clone()]);
                station
                    .heard
                    .wait(|asked| match asked {
                        Asked::Started(id) => {
                            assert_eq!(id, run.id);
                            started.push(task.to_owned());
                            None
                        }
                        Asked::Settle(id, _) => (id == run.id).then_some(()),
                        _ => None,
                    })
                    .await;
            }
            assert_eq!(started, expected);
        });
    }
}

#[test]
fn a_broker_that_does_not_hear_of_a_start_holds_up_no_task() {
    let tasks = Tasks::new();
    let (said, mut heard) = tokio::sync::mpsc::unbounded_channel();
    tasks.register("says", move || said.send(()).unwrap());
    steer(
        &tasks,
        |worker| worker.track_started(),
        async |mut station| {
            station.broker.deaf.store(true, Ordering::SeqCst);
            let run = Message::new("says");
            station.broker.deliver([run.clone()]);
            heard.recv().await.unwrap();
            let settlement = station.heard.settlement(&run.id).await;
            assert!(
                matches!(settlement, Settlement::Success { .. }),
                "{settlement:?}"
            );
        },
    );
}
