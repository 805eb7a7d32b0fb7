//! Chains and chords: what follows a task's end, and what never will.

use siding_tasks::{Broker as _, Delivery, Enqueue, Message, Revocation, Settled, State, TaskId};

use crate::support::{Fixture, LEASE, block_on, claim_request, message, signature, success};

/// The parts of a chord whose body is `body`.
fn parts(size: u32) -> Enqueue {
    let part = |index| {
        let mut part = message(&format!("p{index}"));
        part.group = Some("g".to_owned());
        part.group_index = Some(index);
        part.embed.chord = Some(signature("body"));
        part
    };
    Enqueue {
        messages: (0..size).map(part).collect(),
        chords: vec![("g".to_owned(), size)],
    }
}

async fn started(size: u32) -> (Fixture, Vec<Delivery>) {
    let it = Fixture::new();
    it.store.enqueue(parts(size)).await.unwrap();
    let deliveries = it.claim(100).await.deliveries;
    assert_eq!(deliveries.len(), usize::try_from(size).unwrap());
    (it, deliveries)
}

#[test]
fn the_last_part_sends_the_body_with_results_in_order() {
    block_on(async {
        let (it, deliveries) = started(3).await;
        for (delivery, result) in deliveries.into_iter().rev().zip(["2", "1", "0"]) {
            assert_eq!(it.state("body").await, None);
            assert_eq!(it.succeed(delivery, result).await, Settled::Done);
        }
        let body = it.claim_one().await.message;
        assert_eq!(body.id, TaskId::from("body"));
        let results = body.args[0].read::<Vec<u32>>().unwrap();
        assert_eq!(results, [0, 1, 2]);
    });
}

#[test]
fn a_part_that_is_settled_twice_counts_once() {
    block_on(async {
        let (it, mut deliveries) = started(2).await;
        let first = deliveries.remove(0);
        assert_eq!(it.succeed(first.clone(), "1").await, Settled::Done);
        assert_eq!(it.succeed(first, "1").await, Settled::Refused);
        assert_eq!(it.state("body").await, None);
        assert_eq!(it.succeed(deliveries.remove(0), "2").await, Settled::Done);
        assert_eq!(it.state("body").await, Some(State::Pending));
    });
}

#[test]
fn parts_settled_at_the_same_moment_send_one_body() {
    block_on(async {
        let (it, deliveries) = started(50).await;
        let store = std::sync::Arc::new(it.store);
        let mut settling = tokio::task::JoinSet::new();
        for delivery in deliveries {
            let store = std::sync::Arc::clone(&store);
            settling
                .spawn(async move { store.settle(delivery.lease, success("1")).await.unwrap() });
        }
        assert_eq!(settling.join_all().await, [Settled::Done; 50]);
        let bodies = store.claim(claim_request(10)).await.unwrap().deliveries;
        assert_eq!(bodies.len(), 1);
        assert_eq!(
            bodies[0].message.args[0].read::<Vec<u32>>().unwrap(),
            [1; 50]
        );
    });
}

#[test]
fn a_part_that_fails_fails_the_body_which_never_runs() {
    block_on(async {
        let (it, mut deliveries) = started(2).await;
        assert_eq!(it.fail(deliveries.remove(0)).await, Settled::Done);
        let body = it.find("body").await.unwrap();
        assert_eq!(body.state, State::Failure);
        let exception = body.exception.unwrap();
        assert_eq!(exception.exc_type, "ChordError");
        assert!(
            exception
                .message
                .starts_with("Dependency p0 raised ValueError"),
            "{exception:?}"
        );
        assert_eq!(it.succeed(deliveries.remove(0), "1").await, Settled::Done);
        assert_eq!(it.claim(1).await.deliveries, []);
        assert!(!it.store.replay(TaskId::from("body")).await.unwrap());
    });
}

#[test]
fn however_a_part_ends_the_body_hears_of_it() {
    block_on(async {
        let revoked = Fixture::new();
        revoked.store.enqueue(parts(2)).await.unwrap();
        revoked
            .store
            .revoke(TaskId::from("p1"), Revocation::Ignore)
            .await
            .unwrap();
        assert_eq!(revoked.state("body").await, Some(State::Failure));

        let (lost, _) = started(1).await;
        for _ in 0..5 {
            lost.clock.advance(LEASE);
            lost.claim(1).await;
        }
        assert_eq!(lost.state("body").await, Some(State::Failure));

        let purged = Fixture::new();
        purged.store.enqueue(parts(2)).await.unwrap();
        assert_eq!(purged.store.purge(None, 1).await.unwrap(), 1);
        assert_eq!(purged.state("body").await, Some(State::Failure));

        let taken = Fixture::new();
        let mut keyed = message("holder");
        keyed.unique_key = Some("k".to_owned());
        taken.enqueue(keyed).await;
        let mut request = parts(2);
        request.messages[0].unique_key = Some("k".to_owned());
        taken.store.enqueue(request).await.unwrap();
        assert_eq!(taken.state("body").await, Some(State::Failure));
    });
}

/// `a`, then `b`, then `c`; the rest of a chain has the next one last.
fn chain() -> Message {
    let mut first = message("a");
    first.embed.chain = vec![signature("c"), signature("b")];
    first.embed.errbacks = vec![signature("err")];
    first
}

#[test]
fn a_chain_that_fails_fails_to_its_end_and_can_be_taken_up_again() {
    block_on(async {
        let it = Fixture::new();
        it.enqueue(chain()).await;
        let held = it.claim_one().await;
        let _ = it.fail(held).await;
        for id in ["a", "b", "c"] {
            assert_eq!(it.state(id).await, Some(State::Failure), "{id}");
        }
        assert!(it.store.replay(TaskId::from("a")).await.unwrap());
        let held = it.claim_one().await;
        let settlement = siding_tasks::Settlement::Success {
            result: crate::support::json("1"),
            children: vec![],
            successors: Enqueue {
                messages: vec![message("b")],
                chords: vec![],
            },
        };
        assert_eq!(
            it.store.settle(held.lease, settlement).await.unwrap(),
            Settled::Done
        );
        assert_eq!(it.claim_ids().await, ["b"]);
    });
}

#[test]
fn a_task_that_no_worker_ends_sends_its_errbacks() {
    block_on(async {
        let it = Fixture::new();
        it.enqueue(chain()).await;
        it.store
            .revoke(TaskId::from("a"), Revocation::Ignore)
            .await
            .unwrap();
        let errback = it.claim_one().await.message;
        assert_eq!(errback.id, TaskId::from("err"));
        assert_eq!(errback.args, [crate::support::json(r#""a""#)]);
    });
}
