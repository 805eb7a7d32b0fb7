use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::{Instant, advance};

use super::{Entering, Gate, GateError, Permit};
use crate::lane::RefusalReason;

fn poll(entering: &mut Entering) -> Poll<Result<Permit, GateError>> {
    Pin::new(entering).poll(&mut Context::from_waker(Waker::noop()))
}

#[track_caller]
fn permit(entering: &mut Entering) -> Permit {
    match poll(entering) {
        Poll::Ready(Ok(permit)) => permit,
        other => panic!("{other:?}"),
    }
}

#[test]
fn lets_in_as_many_as_there_are_permits_in_order() {
    let gate = Gate::new(2, 2);
    let [mut a, mut b, mut c, mut d] = [(); 4].map(|()| gate.enter(None));
    let (first, _second) = (permit(&mut a), permit(&mut b));
    assert!(poll(&mut c).is_pending() && poll(&mut d).is_pending());
    drop(first);
    let _third = permit(&mut c);
    assert!(poll(&mut d).is_pending());
    let figures = gate.snapshot();
    assert_eq!((figures.running, figures.waiting), (2, 1));
}

#[test]
fn refuses_at_once_when_every_place_is_taken() {
    let gate = Gate::new(1, 1);
    let _both = (gate.enter(None), gate.enter(None));
    let refused = poll(&mut gate.enter(None));
    let Poll::Ready(Err(GateError::Refused {
        reason: RefusalReason::Full,
        retry_after,
    })) = refused
    else {
        panic!("{refused:?}");
    };
    assert!(retry_after >= Duration::from_secs(1));
    assert_eq!(gate.snapshot().refused, 1);
}

#[test]
fn whoever_leaves_gives_its_place_to_the_next() {
    let gate = Gate::new(1, 2);
    let mut first = gate.enter(None);
    let (second, mut third) = (gate.enter(None), gate.enter(None));
    let held = permit(&mut first);
    drop(second);
    drop(held);
    assert_eq!(gate.snapshot().running, 1);
    drop(permit(&mut third));
    assert_eq!((gate.snapshot().running, gate.snapshot().waiting), (0, 0));
}

#[test]
fn a_permit_that_nobody_came_for_goes_to_the_next() {
    let gate = Gate::new(1, 2);
    let (first, mut second) = (gate.enter(None), gate.enter(None));
    // It has the permit and was not polled since.
    drop(first);
    let _permit = permit(&mut second);
    assert_eq!(gate.snapshot().service_time, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_passed_is_told_when_a_permit_comes_free() {
    let gate = Gate::new(1, 2);
    let held = gate.enter(None).await.expect("it is free");
    let deadline = Instant::now() + Duration::from_millis(10);
    let mut late = gate.enter(Some(deadline.into_std()));
    let mut next = gate.enter(None);
    advance(Duration::from_millis(20)).await;
    drop(held);
    let passed = GateError::DeadlinePassed {
        waited: Duration::from_millis(20),
    };
    assert!(matches!(poll(&mut late), Poll::Ready(Err(error)) if error == passed));
    let _permit = permit(&mut next);
}

#[tokio::test(start_paused = true)]
async fn under_overload_the_newest_goes_first_and_the_oldest_are_refused() {
    let gate = Gate::new(1, 1_000);
    let mut served = Vec::new();
    let mut waiting = Vec::new();
    let mut running = gate.enter(None).await.ok();
    for number in 0..1_000_u32 {
        waiting.push((number, gate.enter(None)));
        advance(Duration::from_millis(5)).await;
        if number % 4 == 3 {
            drop(running.take());
            waiting.retain_mut(|(number, entering)| match poll(entering) {
                Poll::Ready(Ok(permit)) => {
                    running = Some(permit);
                    served.push(*number);
                    false
                }
                Poll::Ready(Err(_)) => false,
                Poll::Pending => true,
            });
        }
    }
    assert!(gate.snapshot().overloaded && gate.snapshot().refused > 100);
    assert_eq!(served.last(), Some(&999));
}
