//! What time does, what people look at, and what the clock does to both.

use std::time::Duration;

use siding_tasks::{
    Broker as _, Embedded, ListFilter, QueueCount, Revocation, State, TaskId, Timestamp,
};

use crate::support::{Fixture, LEASE, START, block_on, message, settings};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[test]
fn results_go_after_a_day_and_dead_letters_after_a_week() {
    block_on(async {
        let it = Fixture::new();
        for id in ["good", "bad"] {
            it.enqueue(message(id)).await;
        }
        let good = it.claim_one().await;
        let bad = it.claim_one().await;
        let _ = (it.succeed(good, "1").await, it.fail(bad).await);
        it.store
            .revoke(TaskId::from("to come"), Revocation::Ignore)
            .await
            .unwrap();
        assert_eq!(it.store.tidy().await.unwrap(), 0);
        it.clock.advance(DAY);
        assert_eq!(it.store.tidy().await.unwrap(), 1);
        assert_eq!(
            (it.state("good").await, it.state("bad").await),
            (None, Some(State::Failure))
        );
        it.clock.advance(DAY * 6);
        assert_eq!(it.store.tidy().await.unwrap(), 2);
        assert_eq!(it.state("bad").await, None);
    });
}

#[test]
fn the_store_tidies_by_itself() {
    block_on(async {
        let it = Fixture::with(|settings| settings.tidy = Duration::from_millis(2));
        it.enqueue(message("a")).await;
        let held = it.claim_one().await;
        let _ = it.succeed(held, "1").await;
        it.clock.advance(DAY);
        while it.find("a").await.is_some() {
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn tasks_are_listed_newest_first_page_by_page() {
    block_on(async {
        let it = Fixture::new();
        for id in ["a", "b", "c", "d", "e"] {
            it.enqueue(message(id)).await;
        }
        let first = it.claim_one().await;
        let second = it.claim_one().await;
        let _ = (it.succeed(first, "1").await, it.fail(second).await);
        let mut pages = Vec::new();
        let mut before = None;
        loop {
            let filter = ListFilter {
                before,
                limit: 2,
                ..ListFilter::default()
            };
            let page = it.store.list(filter).await.unwrap();
            let Some(last) = page.last() else { break };
            before = Some(last.position);
            pages.push(
                page.iter()
                    .map(|one| one.meta.id.to_string())
                    .collect::<Vec<_>>(),
            );
        }
        assert_eq!(pages, [vec!["e", "d"], vec!["c", "b"], vec!["a"]]);
        let state = |state| ListFilter {
            state: Some(state),
            limit: 9,
            ..ListFilter::default()
        };
        let dead = it.store.list(state(State::Failure)).await.unwrap();
        assert_eq!(dead.len(), 1);
        assert_eq!(dead[0].message.as_ref().unwrap().id, TaskId::from("b"));
        assert_eq!(it.store.list(state(State::Pending)).await.unwrap().len(), 3);
        let count = |state, tasks| QueueCount {
            queue: "celery".to_owned(),
            state,
            tasks,
        };
        let counts = [
            count(State::Failure, 1),
            count(State::Pending, 3),
            count(State::Success, 1),
        ];
        assert_eq!(it.store.overview().await.unwrap(), counts);
    });
}

#[test]
fn a_purge_ends_what_waits_and_leaves_what_runs() {
    block_on(async {
        let it = Fixture::new();
        it.enqueue(message("runs")).await;
        let held = it.claim_one().await;
        for number in 0..450 {
            it.enqueue(message(&number.to_string())).await;
        }
        let purge = |limit| it.store.purge(Some("celery".to_owned()), limit);
        assert_eq!(it.store.purge(Some("mail".to_owned()), 9).await.unwrap(), 0);
        assert_eq!(purge(50).await.unwrap(), 50);
        assert_eq!(purge(1_000).await.unwrap(), 400);
        assert_eq!(it.state("0").await, Some(State::Revoked));
        assert_eq!(it.succeed(held, "1").await, siding_tasks::Settled::Done);
    });
}

#[test]
fn one_leads_until_it_resigns_or_falls_silent() {
    block_on(async {
        let it = Fixture::new();
        let lead = |holder: &str| it.store.lead("beat".to_owned(), holder.to_owned(), LEASE);
        assert!(lead("a").await.unwrap());
        assert!(!lead("b").await.unwrap());
        it.clock.advance(LEASE / 2);
        assert!(lead("a").await.unwrap());
        it.clock.advance(LEASE / 2);
        assert!(!lead("b").await.unwrap());
        it.clock.advance(LEASE / 2);
        assert!(lead("b").await.unwrap());
        it.store
            .resign("beat".to_owned(), "a".to_owned())
            .await
            .unwrap();
        assert!(!lead("a").await.unwrap());
        it.store
            .resign("beat".to_owned(), "b".to_owned())
            .await
            .unwrap();
        assert!(lead("a").await.unwrap());
    });
}

#[test]
fn a_clock_that_is_set_back_delays_nothing() {
    block_on(async {
        let it = Fixture::new();
        it.enqueue(message("held")).await;
        let held = it.claim_one().await;
        it.enqueue(message("waits")).await;
        assert!(
            it.store
                .lead("beat".to_owned(), "a".to_owned(), LEASE)
                .await
                .unwrap()
        );
        it.clock
            .set(Timestamp::from_millis(START.as_millis() - 1_000_000_000));
        assert_eq!(it.claim_ids().await, ["waits"]);
        assert!(
            !it.store
                .lead("beat".to_owned(), "b".to_owned(), LEASE)
                .await
                .unwrap()
        );
        it.clock.advance(LEASE);
        assert_eq!(it.claim_ids().await.len(), 2);
        assert_eq!(it.succeed(held, "1").await, siding_tasks::Settled::Refused);
        assert!(
            it.store
                .lead("beat".to_owned(), "b".to_owned(), LEASE)
                .await
                .unwrap()
        );
    });
}

#[test]
fn a_clock_that_was_set_back_while_nobody_looked_delays_nothing() {
    block_on(async {
        let it = Fixture::new();
        it.enqueue(message("waits")).await;
        it.store.close().await;
        it.clock
            .set(Timestamp::from_millis(START.as_millis() - 1_000_000_000));
        let again = Embedded::open(it.path(), settings(&it.clock)).unwrap();
        let claim = again.claim(crate::support::claim_request(1)).await.unwrap();
        assert_eq!(claim.deliveries.len(), 1);
    });
}
