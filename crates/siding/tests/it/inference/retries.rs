//! What is sent again: only what no model has seen, unless the model may see it twice; and not too often.

use std::time::Duration;

use siding::inference::{ClientBuilder, InferErrorKind};

use super::Caller;
use super::fake::{Fake, Mood};

const LONG: Duration = Duration::from_secs(3_600);

/// Leaves no replica alone.
fn patient(builder: ClientBuilder) -> ClientBuilder {
    builder.ejection(u32::MAX, LONG, LONG)
}

fn busy() -> Mood {
    Mood::Say(503, &[("retry-after", "7")], String::new())
}

fn error(status: u16) -> Mood {
    Mood::Say(status, &[], String::new())
}

#[test]
fn who_cannot_be_reached_has_not_begun() {
    let (gone, there) = (Fake::start(), Fake::start());
    let caller = Caller::new(&[&gone, &there], patient);
    drop(gone);
    assert_eq!(caller.ask_often(8), 8);
    assert_eq!(there.executions(), 8);
}

#[test]
fn each_try_says_how_long_there_is_left() {
    let fakes = [Fake::start(), Fake::start()];
    fakes.iter().for_each(|fake| fake.is_in(busy()));
    let caller = Caller::new(&[&fakes[0], &fakes[1]], |builder| {
        patient(builder).deadline(LONG)
    });
    caller.failure();
    let mut waits = [fakes[0].waits_us(), fakes[1].waits_us()].concat();
    waits.sort_unstable();
    let [second, first] = waits[..] else {
        panic!("each is asked once: {waits:?}");
    };
    assert!(0 < second && second < first, "{waits:?}");
    assert!(u128::from(first) <= LONG.as_micros(), "{waits:?}");
}

#[test]
fn who_is_busy_has_not_begun_and_comes_last_for_a_while() {
    let (busy_one, there) = (Fake::start(), Fake::start());
    busy_one.is_in(busy());
    let caller = Caller::new(&[&busy_one, &there], patient);
    assert_eq!(caller.ask_often(20), 20);
    assert_eq!((busy_one.executions(), there.executions()), (0, 20));
    let figures = caller.client.snapshot();
    assert!(figures.retries <= 1, "{figures:?}");
    assert_eq!(figures.replicas[0].failures, 0);
}

#[test]
fn when_all_are_busy_the_caller_is_told_when_to_come_back() {
    let fakes = [Fake::start(), Fake::start()];
    fakes.iter().for_each(|fake| fake.is_in(busy()));
    let caller = Caller::new(&[&fakes[0], &fakes[1]], patient);
    match caller.failure() {
        InferErrorKind::Unavailable { retry_after, .. } => {
            assert_eq!(retry_after, Duration::from_secs(7));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(caller.client.snapshot().retries, 1);
}

#[test]
fn what_may_have_begun_is_not_sent_again() {
    for mood in [Mood::BreakOff, error(500), error(503)] {
        let fakes = [Fake::start(), Fake::start()];
        fakes.iter().for_each(|fake| fake.is_in(mood.clone()));
        let caller = Caller::new(&[&fakes[0], &fakes[1]], patient);
        for times in 1..=6 {
            assert!(matches!(caller.failure(), InferErrorKind::Failed(_)));
            let executions = fakes[0].executions() + fakes[1].executions();
            assert_eq!(executions, times, "{mood:?}");
        }
        assert_eq!(caller.client.snapshot().retries, 0);
    }
}

#[test]
fn a_service_that_says_that_it_is_late_is_no_failure_of_its_own() {
    let fake = Fake::start();
    fake.is_in(error(504));
    let caller = Caller::new(&[&fake], patient);
    for _ in 0..10 {
        assert!(matches!(
            caller.failure(),
            InferErrorKind::DeadlinePassed { .. }
        ));
    }
    assert_eq!(caller.states(), ["closed"], "it had no time");
    assert_eq!(caller.client.snapshot().replicas[0].outstanding, 0);
}

#[test]
fn an_idempotent_model_is_asked_at_another_replica() {
    for mood in [Mood::BreakOff, error(500)] {
        let fakes = [Fake::start(), Fake::start()];
        fakes[0].is_in(mood.clone());
        let change = |builder| patient(builder).idempotent("echo");
        let caller = Caller::new(&[&fakes[0], &fakes[1]], change);
        assert_eq!(caller.ask_often(8), 8, "{mood:?}");
        assert_eq!(fakes[1].executions(), 8);
        assert_eq!(
            fakes[0].executions() as u64,
            caller.client.snapshot().retries
        );
    }
}

#[test]
fn an_outage_is_not_made_worse_by_retries() {
    let fakes = [Fake::start(), Fake::start()];
    fakes.iter().for_each(|fake| fake.is_in(error(500)));
    let change = |builder| patient(builder).idempotent("echo").retry_ratio(0.1);
    let caller = Caller::new(&[&fakes[0], &fakes[1]], change);
    assert_eq!(caller.ask_often(500), 0);
    let executions = fakes[0].executions() + fakes[1].executions();
    // A tenth of the requests, and one a second for the ten seconds that the budget remembers.
    assert!((501..=560).contains(&executions), "{executions}");
}
