//! Being told: without the safety net, so that a message which is lost would hang the test.

use siding_tasks::{Broker as _, Embedded, State, TaskId};
use std::time::Duration;

use crate::support::{Fixture, block_on, message, settings};

#[test]
fn what_is_enqueued_between_the_call_and_the_first_poll_is_heard_of() {
    block_on(async {
        let it = Fixture::new();
        let changed = it.store.changed();
        it.enqueue(message("a")).await;
        changed.await;
    });
}

#[test]
fn a_store_is_woken_by_another_on_the_same_file() {
    block_on(async {
        let it = Fixture::new();
        let other = Embedded::open(it.path(), settings(&it.clock)).unwrap();
        let changed = other.changed();
        let finished = other.finished(TaskId::from("a"));
        it.enqueue(message("a")).await;
        changed.await;
        let held = it.claim_one().await;
        let _ = it.succeed(held, "1").await;
        assert_eq!(finished.await.unwrap().state, State::Success);
    });
}

#[test]
fn a_deep_directory_is_as_good() {
    block_on(async {
        let it = Fixture::new();
        let deep = it.path().join("d".repeat(100)).join("e".repeat(100));
        let one = Embedded::open(&deep, settings(&it.clock)).unwrap();
        let two = Embedded::open(&deep, settings(&it.clock)).unwrap();
        let changed = two.changed();
        let request = siding_tasks::Enqueue {
            messages: vec![message("a")],
            chords: vec![],
        };
        one.enqueue(request).await.unwrap();
        changed.await;
    });
}

#[test]
fn many_who_wait_for_one_task_are_all_told_and_forgotten() {
    block_on(async {
        let it = Fixture::new();
        it.enqueue(message("a")).await;
        let store = &it.store;
        let gave_up = store.finished(TaskId::from("a"));
        drop(gave_up);
        let one = store.finished(TaskId::from("a"));
        let two = store.finished(TaskId::from("a"));
        let work = async {
            let held = it.claim_one().await;
            it.succeed(held, "1").await
        };
        let (one, two, _) = tokio::join!(one, two, work);
        assert_eq!(one.unwrap(), two.unwrap());
    });
}

#[test]
fn the_safety_net_makes_up_for_a_message_that_is_lost() {
    block_on(async {
        let it = Fixture::with(|settings| settings.safety_net = Some(Duration::from_millis(5)));
        let other = Embedded::open(it.path(), settings(&it.clock)).unwrap();
        std::fs::remove_dir_all(it.path().join("wake")).unwrap();
        let finished = it.store.finished(TaskId::from("a"));
        let revoke = other.revoke(TaskId::from("a"), siding_tasks::Revocation::Ignore);
        let (meta, revoked) = tokio::join!(finished, revoke);
        revoked.unwrap();
        assert_eq!(meta.unwrap().state, State::Revoked);
    });
}

#[test]
fn the_socket_of_a_process_that_died_is_removed() {
    block_on(async {
        let it = Fixture::new();
        let dead = it.path().join("wake").join("1-dead");
        drop(std::os::unix::net::UnixDatagram::bind(&dead).unwrap());
        assert!(dead.exists());
        it.enqueue(message("a")).await;
        assert!(!dead.exists());
    });
}
