//! From enqueue to result.

use std::time::Duration;

use siding_tasks::{
    Broker as _, Enqueue, Enqueued, Priority, Renewal, Revocation, Settled, Settlement, State,
    TaskId,
};

use crate::support::{Fixture, LEASE, START, block_on, exception, failure, message, success};

#[test]
fn a_task_goes_from_enqueue_to_its_result() {
    block_on(async {
        let it = Fixture::new();
        let mut sent = message("a");
        sent.args = vec![crate::support::json("[1, 2.50]")];
        assert_eq!(it.enqueue(sent.clone()).await, Enqueued::Accepted);
        assert_eq!(it.state("a").await, Some(State::Pending));
        let delivery = it.claim_one().await;
        assert_eq!(delivery.message, sent);
        assert_eq!(delivery.deliveries, 1);
        assert_eq!(it.state("a").await, Some(State::Started));
        assert_eq!(it.succeed(delivery, r#"{"n": 1}"#).await, Settled::Done);
        let meta = it.find("a").await.unwrap();
        assert_eq!(meta.state, State::Success);
        assert_eq!(meta.result.unwrap().get(), r#"{"n": 1}"#);
        assert_eq!(meta.worker.as_deref(), Some("w1@test"));
        assert_eq!(meta.date_done, Some(START));
        assert_eq!(it.claim(1).await.deliveries, []);
    });
}

#[test]
fn the_urgent_come_first_then_the_due_then_the_oldest() {
    block_on(async {
        let it = Fixture::new();
        let sent = [
            ("low", 0, "celery"),
            ("later", 5, "celery"),
            ("high", 9, "mail"),
            ("high2", 9, "celery"),
            ("elsewhere", 9, "other"),
        ];
        for (id, priority, queue) in sent {
            let mut one = message(id);
            one.priority = Priority::new(priority).unwrap();
            one.queue = queue.to_owned();
            if id == "later" {
                one.eta = Some(START.after(Duration::from_secs(10)));
            }
            it.enqueue(one).await;
        }
        let claim = it.claim(10).await;
        let ids = claim
            .deliveries
            .iter()
            .map(|one| one.message.id.to_string());
        assert_eq!(ids.collect::<Vec<_>>(), ["high", "high2", "low"]);
        assert_eq!(claim.next_at, Some(START.after(Duration::from_secs(10))));
        it.clock.advance(Duration::from_secs(10));
        assert_eq!(it.claim_ids().await, ["later"]);
    });
}

#[test]
fn a_lease_that_ran_out_is_delivered_again_and_the_late_worker_is_refused() {
    block_on(async {
        let it = Fixture::new();
        it.enqueue(message("a")).await;
        let late = it.claim_one().await;
        it.clock.advance(LEASE);
        let second = it.claim_one().await;
        assert_eq!(second.deliveries, 2);
        assert!(second.lease.token > late.lease.token);
        assert_eq!(
            it.store.renew(vec![late.lease.clone()]).await.unwrap(),
            [Renewal::Lost]
        );
        assert_eq!(it.succeed(late, "1").await, Settled::Refused);
        assert_eq!(it.state("a").await, Some(State::Started));
        assert_eq!(it.succeed(second, "2").await, Settled::Done);
        assert_eq!(it.find("a").await.unwrap().result.unwrap().get(), "2");
    });
}

#[test]
fn a_lease_that_ran_out_is_good_until_somebody_else_claims() {
    block_on(async {
        let it = Fixture::new();
        it.enqueue(message("a")).await;
        let late = it.claim_one().await;
        it.clock.advance(LEASE * 2);
        assert_eq!(
            it.store.renew(vec![late.lease.clone()]).await.unwrap(),
            [Renewal::Held]
        );
        it.clock.advance(LEASE * 2);
        assert_eq!(it.succeed(late, "1").await, Settled::Done);
    });
}

#[test]
fn a_task_that_loses_its_worker_each_time_is_a_dead_letter() {
    block_on(async {
        let it = Fixture::new();
        it.enqueue(message("a")).await;
        for delivery in 1..=5 {
            assert_eq!(it.claim_one().await.deliveries, delivery);
            it.clock.advance(LEASE);
        }
        assert_eq!(it.claim(1).await.deliveries, []);
        let meta = it.find("a").await.unwrap();
        assert_eq!(meta.state, State::Failure);
        assert_eq!(meta.exception.unwrap().exc_type, "WorkerLostError");
    });
}

#[test]
fn released_messages_are_due_again_and_no_worker_was_lost() {
    block_on(async {
        let it = Fixture::new();
        it.enqueue(message("a")).await;
        for delivery in 1..=20 {
            let held = it.claim_one().await;
            assert_eq!(held.deliveries, delivery);
            it.store.release(vec![held.lease.clone()]).await.unwrap();
            assert_eq!(it.succeed(held, "1").await, Settled::Refused);
        }
    });
}

#[test]
fn a_retry_waits_for_its_eta_under_its_id() {
    block_on(async {
        let it = Fixture::new();
        it.enqueue(message("a")).await;
        let held = it.claim_one().await;
        let mut again = held.message.clone();
        again.retries = 1;
        again.eta = Some(START.after(Duration::from_secs(3)));
        let retry = Settlement::Retry {
            message: again,
            exception: exception("busy"),
            traceback: None,
        };
        assert_eq!(
            it.store.settle(held.lease, retry).await.unwrap(),
            Settled::Done
        );
        let meta = it.find("a").await.unwrap();
        assert_eq!((meta.state, meta.retries), (State::Retry, 1));
        assert_eq!(meta.exception, Some(exception("busy")));
        assert_eq!(it.claim(1).await.deliveries, []);
        it.clock.advance(Duration::from_secs(3));
        let second = it.claim_one().await;
        assert_eq!((second.deliveries, second.message.retries), (1, 1));
    });
}

#[test]
fn a_message_that_has_expired_is_revoked_in_passing() {
    block_on(async {
        let it = Fixture::new();
        let mut sent = message("a");
        sent.expires = Some(START.after(Duration::from_secs(1)));
        it.enqueue(sent).await;
        it.clock.advance(Duration::from_secs(1));
        assert_eq!(it.claim(1).await.deliveries, []);
        let meta = it.find("a").await.unwrap();
        assert_eq!(meta.state, State::Revoked);
        assert_eq!(meta.exception.unwrap().message, "expired");
    });
}

#[test]
fn a_unique_key_lets_one_in_at_a_time() {
    block_on(async {
        let it = Fixture::new();
        let keyed = |id| {
            let mut one = message(id);
            one.unique_key = Some("k".to_owned());
            one
        };
        assert_eq!(it.enqueue(keyed("a")).await, Enqueued::Accepted);
        assert_eq!(
            it.enqueue(keyed("b")).await,
            Enqueued::Duplicate(TaskId::from("a"))
        );
        let held = it.claim_one().await;
        assert_eq!(
            it.enqueue(keyed("b")).await,
            Enqueued::Duplicate(TaskId::from("a"))
        );
        let _ = it.fail(held).await;
        assert_eq!(it.enqueue(keyed("b")).await, Enqueued::Accepted);
        assert!(!it.store.replay(TaskId::from("a")).await.unwrap());
    });
}

#[test]
fn an_enqueue_that_is_repeated_changes_nothing() {
    block_on(async {
        let it = Fixture::new();
        assert_eq!(it.enqueue(message("a")).await, Enqueued::Accepted);
        assert_eq!(
            it.enqueue(message("a")).await,
            Enqueued::Duplicate(TaskId::from("a"))
        );
        let held = it.claim_one().await;
        let _ = it.succeed(held, "1").await;
        assert_eq!(
            it.enqueue(message("a")).await,
            Enqueued::Duplicate(TaskId::from("a"))
        );
        assert_eq!(it.claim(1).await.deliveries, []);
    });
}

#[test]
fn revocation_reaches_what_waits_what_runs_and_what_is_to_come() {
    block_on(async {
        let it = Fixture::new();
        let revoke = |id: &str| it.store.revoke(TaskId::from(id), Revocation::Terminate);
        it.enqueue(message("waits")).await;
        revoke("waits").await.unwrap();
        assert_eq!(it.state("waits").await, Some(State::Revoked));
        it.enqueue(message("runs")).await;
        let held = it.claim_one().await;
        revoke("runs").await.unwrap();
        let renewals = it.store.renew(vec![held.lease.clone()]).await.unwrap();
        assert_eq!(renewals, [Renewal::Revoked(Revocation::Terminate)]);
        it.store.release(vec![held.lease]).await.unwrap();
        assert_eq!(it.state("runs").await, Some(State::Revoked));
        revoke("comes").await.unwrap();
        assert_eq!(it.enqueue(message("comes")).await, Enqueued::Revoked);
        assert_eq!(it.state("comes").await, Some(State::Revoked));
        assert_eq!(it.claim(1).await.deliveries, []);
    });
}

#[test]
fn a_dead_letter_is_kept_and_can_be_sent_again() {
    block_on(async {
        let it = Fixture::new();
        let mut sent = message("a");
        sent.retries = 3;
        it.enqueue(sent).await;
        let held = it.claim_one().await;
        assert_eq!(
            it.store.settle(held.lease, failure("boom")).await.unwrap(),
            Settled::Done
        );
        let meta = it.find("a").await.unwrap();
        assert_eq!(meta.exception, Some(exception("boom")));
        assert_eq!(meta.traceback.as_deref(), Some("at line 1"));
        assert!(it.store.replay(TaskId::from("a")).await.unwrap());
        assert_eq!(it.claim_one().await.message.retries, 0);
        assert!(!it.store.replay(TaskId::from("a")).await.unwrap());
        assert!(!it.store.replay(TaskId::from("nobody")).await.unwrap());
    });
}

#[test]
fn successors_come_with_the_result_or_not_at_all() {
    block_on(async {
        let it = Fixture::new();
        it.enqueue(message("a")).await;
        let late = it.claim_one().await;
        it.clock.advance(LEASE);
        let held = it.claim_one().await;
        let settlement = || Settlement::Success {
            result: crate::support::json("1"),
            children: vec![],
            successors: Enqueue {
                messages: vec![message("b")],
                chords: vec![],
            },
        };
        assert_eq!(
            it.store.settle(late.lease, settlement()).await.unwrap(),
            Settled::Refused
        );
        assert_eq!(it.state("b").await, None);
        assert_eq!(
            it.store.settle(held.lease, settlement()).await.unwrap(),
            Settled::Done
        );
        assert_eq!(it.state("b").await, Some(State::Pending));
        assert_eq!(it.find("a").await.unwrap().children, [TaskId::from("b")]);
    });
}

#[test]
fn what_was_answered_is_there_after_the_store_was_opened_again() {
    block_on(async {
        let it = Fixture::new();
        it.enqueue(message("a")).await;
        it.enqueue(message("b")).await;
        let held = it.claim_one().await;
        it.store.close().await;
        assert!(it.store.enqueue(Enqueue::default()).await.is_err());
        let again = Fixture {
            store: siding_tasks::Embedded::open(it.path(), crate::support::settings(&it.clock))
                .unwrap(),
            clock: it.clock.clone(),
            dir: tempfile::TempDir::new().unwrap(),
        };
        assert_eq!(again.claim_ids().await, ["b"]);
        assert_eq!(
            again.store.settle(held.lease, success("1")).await.unwrap(),
            Settled::Done
        );
    });
}

#[test]
fn a_worker_that_is_only_late_is_not_lost() {
    block_on(async {
        let it = Fixture::new();
        it.enqueue(message("late")).await;
        let late = it.claim_one().await;
        let mut urgent = message("urgent");
        urgent.priority = Priority::MAX;
        it.enqueue(urgent).await;
        for _ in 0..10 {
            it.clock.advance(LEASE);
            // It sees that the lease has run out, and has no room for the task.
            let other = it.claim_one().await;
            assert_eq!(other.message.id, TaskId::from("urgent"));
            it.store.release(vec![other.lease]).await.unwrap();
            let renewals = it.store.renew(vec![late.lease.clone()]).await.unwrap();
            assert_eq!(renewals, [Renewal::Held]);
        }
        assert_eq!(it.succeed(late, "1").await, Settled::Done);
    });
}
