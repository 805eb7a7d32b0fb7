//! Replicas that fail: where requests go meanwhile, and how they come back.

use std::time::Duration;

use siding::inference::{Client, InferErrorKind};

use super::Caller;
use super::fake::{Fake, Mood};
use crate::support::{DEADLINE, eventually, nobody};

const LONG: Duration = Duration::from_secs(3_600);

#[test]
fn the_replica_with_the_fewest_outstanding_requests_is_asked() {
    let fakes = [Fake::start(), Fake::start(), Fake::start()];
    fakes.iter().for_each(|fake| fake.is_in(Mood::Wait));
    let caller = Caller::new(&[&fakes[0], &fakes[1], &fakes[2]], |builder| builder);
    let mut asking = Vec::new();
    for requests in 1..=9 {
        asking.push(caller.begin());
        eventually("it is under way", || {
            let under_way = fakes.iter().map(Fake::under_way);
            (under_way.sum::<usize>() == requests).then_some(())
        });
    }
    assert_eq!(
        [3; 3],
        [0, 1, 2].map(|index: usize| fakes[index].under_way())
    );
    // One answers faster: it gets what comes next.
    fakes[1].go_on(2);
    eventually("two are answered", || {
        (fakes[1].under_way() == 1).then_some(())
    });
    eventually("it is known", || {
        let replicas = caller.client.snapshot().replicas;
        (replicas[1].outstanding == 1).then_some(())
    });
    for under_way in [2, 3] {
        asking.push(caller.begin());
        eventually("it is under way", || {
            (fakes[1].under_way() == under_way).then_some(())
        });
    }
    fakes.iter().for_each(|fake| fake.go_on(9));
    for asking in asking {
        assert!(caller.end(asking).is_ok());
    }
}

#[test]
fn equals_are_chosen_by_lot() {
    let fakes = [Fake::start(), Fake::start()];
    let caller = Caller::new(&[&fakes[0], &fakes[1]], |builder| builder);
    assert_eq!(caller.ask_often(200), 200);
    // Either alone has less than 60 once in about ten million runs.
    assert!(fakes.iter().all(|fake| fake.executions() >= 60));
}

#[test]
fn a_failing_replica_is_left_alone_and_comes_back() {
    let fakes = [Fake::start(), Fake::start()];
    let caller = Caller::new(&[&fakes[0], &fakes[1]], |builder| builder);
    fakes[0].is_ready(false);
    fakes[0].is_in(Mood::Say(500, &[], "oh".to_owned()));
    let failed = eventually("it is left alone", || {
        let failed = 50 - caller.ask_often(50);
        (caller.states() == ["open", "closed"]).then_some(failed)
    });
    assert!(failed >= 3);
    let executions = fakes[0].executions();
    eventually("it is asked whether it is ready", || {
        (fakes[0].probes() >= 3).then_some(())
    });
    assert_eq!(caller.ask_often(50), 50);
    assert_eq!(fakes[0].executions(), executions, "it was left alone");
    let figures = caller.client.snapshot();
    assert_eq!(
        (figures.state.as_str(), figures.replicas[0].ejections),
        ("closed", 1)
    );
    let (_, why) = figures.replicas[0].last_error.clone().expect("an error");
    assert_eq!(why, "is not ready: status 503");

    fakes[0].is_in(Mood::Echo);
    fakes[0].is_ready(true);
    eventually("it may be tried", || {
        (caller.states()[0] == "half-open").then_some(())
    });
    eventually("it is well again", || {
        assert_eq!(caller.ask_often(1), 1);
        (caller.states() == ["closed"; 2]).then_some(())
    });
}

#[test]
fn a_replica_that_is_ready_in_name_only_gets_one_request_on_trial() {
    let fake = Fake::start();
    fake.is_in(Mood::Say(500, &[], String::new()));
    let caller = Caller::new(&[&fake], |builder| builder);
    assert_eq!(caller.ask_often(3), 0);
    eventually("it may be tried", || {
        (caller.states() == ["half-open"]).then_some(())
    });
    fake.is_in(Mood::Wait);
    let trial = caller.begin();
    eventually("the trial is under way", || {
        (fake.under_way() == 1).then_some(())
    });
    for _ in 0..5 {
        assert!(matches!(
            caller.failure(),
            InferErrorKind::Unavailable { .. }
        ));
    }
    assert_eq!(fake.executions(), 4);
    fake.go_on(1);
    assert!(caller.end(trial).is_ok());
    assert_eq!(caller.states(), ["closed"]);
}

#[test]
fn when_all_are_left_alone_nothing_is_sent_and_nobody_waits() {
    let address = nobody();
    let url = format!("http://me:hush@{address}");
    let builder = Client::builder("models")
        .replica(url)
        .ejection(3, LONG, LONG);
    let caller = Caller::of(builder);
    for _ in 0..3 {
        match caller.failure() {
            InferErrorKind::Unavailable { why, .. } => {
                assert!(
                    why.contains("cannot be reached") && why.contains("refused"),
                    "{why}"
                );
            }
            other => panic!("{other:?}"),
        }
    }
    // Somebody who would answer is there now, and is not asked before the time is over.
    let fake = Fake::start_at(address);
    match caller.failure() {
        InferErrorKind::Unavailable { why, retry_after } => {
            assert!(
                why.contains(&address.to_string()) && !why.contains("hush"),
                "{why}"
            );
            assert!(retry_after > Duration::from_secs(3_500), "{retry_after:?}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(
        (fake.connections(), caller.client.snapshot().state.as_str()),
        (0, "open")
    );
    assert!(!format!("{:?}", caller.client).contains("hush"));
}

#[test]
fn a_service_that_is_restarted_is_found_again() {
    let fake = Fake::start();
    let address = fake.address();
    let caller = Caller::new(&[&fake], |builder| builder);
    assert_eq!(caller.ask_often(1), 1);
    drop(fake);
    eventually("it is left alone", || {
        assert_eq!(caller.ask_often(1), 0);
        (caller.states() == ["open"]).then_some(())
    });
    let _fake = Fake::start_at(address);
    eventually("it is found again", || caller.ask().ok());
    assert!(
        caller.client.snapshot().deadline_passed == 0,
        "{DEADLINE:?}"
    );
}
