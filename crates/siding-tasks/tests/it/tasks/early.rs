//! Messages that a broker delivers before their eta.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use siding_runtime::Builder;
use siding_tasks::{
    Clock, ManualClock, Message, RawJson, Renewal, Revocation, Settlement, Tasks, Timestamp,
    Worker, WorkerError,
};

use super::scripted::{Asked, Heard, Scripted};
use crate::support::{PATIENCE, START};

const HOUR: Duration = Duration::from_secs(3_600);

/// A lease that is renewed soon.
const SHORT: Duration = Duration::from_millis(60);

/// How long those wait that are due soon, on a clock that stands still until a test moves it.
const SOON: Duration = Duration::from_millis(20);

/// Tasks on a clock that stands still, and a task that says what it shows.
fn tasks() -> (Tasks, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(START));
    let tasks = Tasks::with_clock(Arc::clone(&clock) as Arc<_>);
    let shown = Arc::clone(&clock);
    tasks.register("clock", move || shown.now().as_millis());
    (tasks, clock)
}

/// Runs `test` beside a worker of `settings` on a scripted broker. The worker stops when the test has ended.
fn serve<F: Future>(
    tasks: &Tasks,
    settings: impl FnOnce(Worker) -> Worker,
    test: impl FnOnce(Arc<Scripted>, Heard) -> F,
) {
    let (broker, heard) = Scripted::new(None);
    tasks.connect(Arc::clone(&broker) as Arc<_>);
    let runtime = Builder::new().event_loop_threads(1).build().unwrap();
    let worker = settings(tasks.worker().name("w1@test"));
    runtime.block_on(async {
        let test = test(broker, heard);
        let served =
            worker.run(async { drop(tokio::time::timeout(PATIENCE, test).await.unwrap()) });
        let ended: Result<(), WorkerError> = served.await;
        ended.unwrap();
    });
}

fn message(wait: Duration) -> Message {
    Message {
        eta: Some(START.after(wait)),
        ..Message::new("clock")
    }
}

fn returned(settlement: &Settlement) -> Timestamp {
    let Settlement::Success { result, .. } = settlement else {
        panic!("{settlement:?}");
    };
    Timestamp::from_millis(RawJson::read(result).unwrap())
}

fn check_revoked(settlement: &Settlement, expected: &str) {
    let Settlement::Revoked { reason, .. } = settlement else {
        panic!("{settlement:?}");
    };
    assert_eq!(reason, expected);
}

#[test]
fn an_early_message_runs_when_it_is_due() {
    let (tasks, clock) = tasks();
    let settings = |worker: Worker| worker.lease(SHORT);
    serve(&tasks, settings, async |broker, mut heard| {
        let message = message(SOON);
        broker.deliver([message.clone()]);
        let held = Asked::Renew(vec![message.id.clone()]);
        heard.until(&held).await;
        clock.advance(SOON - Duration::from_millis(1));
        heard.until(&held).await;
        clock.advance(Duration::from_millis(1));
        let settlement = heard.settlement(&message.id).await;
        assert_eq!(Some(returned(&settlement)), message.eta);
    });
}

#[test]
fn early_messages_take_no_slot_and_their_leases_are_renewed() {
    let (tasks, _clock) = tasks();
    let settings = |worker: Worker| worker.concurrency(1).lease(SHORT);
    serve(&tasks, settings, async |broker, mut heard| {
        let early = [message(HOUR), message(HOUR)];
        let due = Message::new("clock");
        broker.deliver(early.iter().chain([&due]).cloned());
        returned(&heard.settlement(&due.id).await);
        let mut ids = early.map(|message| message.id);
        ids.sort();
        heard
            .wait(|asked| match asked {
                Asked::Renew(mut renewed) => {
                    renewed.sort();
                    (renewed == ids).then_some(())
                }
                _ => None,
            })
            .await;
    });
}

#[test]
fn those_that_are_due_together_run_as_slots_allow() {
    let (tasks, clock) = tasks();
    let running = Arc::new(tokio::sync::Semaphore::new(1));
    tasks.register("alone", move || {
        let running = Arc::clone(&running);
        async move {
            let alone = running.try_acquire().is_ok();
            tokio::task::yield_now().await;
            alone
        }
    });
    serve(
        &tasks,
        |worker| worker.concurrency(1).lease(SHORT),
        async |broker, mut heard| {
            let early = message(SOON);
            let messages: Vec<_> = (0..20)
                .map(|_| Message {
                    task: "alone".to_owned(),
                    id: siding_tasks::TaskId::new(),
                    ..early.clone()
                })
                .collect();
            broker.deliver(messages.clone());
            heard.renewal(messages.len()).await;
            clock.advance(SOON);
            let mut left = messages.len();
            heard
                .wait(|asked| {
                    if let Asked::Settle(_, settlement) = asked {
                        let Settlement::Success { result, .. } = *settlement else {
                            panic!("{settlement:?}");
                        };
                        assert_eq!(result.get(), "true");
                        left -= 1;
                    }
                    (left == 0).then_some(())
                })
                .await;
        },
    );
}

#[test]
fn a_worker_that_stops_gives_early_messages_back_at_once() {
    let (tasks, _clock) = tasks();
    let (broker, mut heard) = Scripted::new(None);
    tasks.connect(Arc::clone(&broker) as Arc<_>);
    let runtime = Builder::new().event_loop_threads(1).build().unwrap();
    runtime.block_on(async {
        let message = message(HOUR);
        broker.deliver([message.clone()]);
        let held = Asked::Renew(vec![message.id.clone()]);
        let worker = tasks.worker().stop_limit(HOUR).lease(SHORT);
        let worker = worker.run(heard.until(&held));
        tokio::time::timeout(PATIENCE, worker)
            .await
            .unwrap()
            .unwrap();
        heard.until(&Asked::Release(message.id)).await;
    });
}

#[test]
fn a_revoked_early_message_ends_at_once() {
    for revocation in [Revocation::Ignore, Revocation::Terminate] {
        let (tasks, _clock) = tasks();
        let settings = |worker: Worker| worker.lease(SHORT);
        serve(&tasks, settings, async |broker, mut heard| {
            let message = message(HOUR);
            broker.deliver([message.clone()]);
            broker.answer(&message.id, Renewal::Revoked(revocation));
            check_revoked(&heard.settlement(&message.id).await, "revoked");
        });
    }
}

#[test]
fn an_early_message_whose_lease_is_lost_is_forgotten() {
    let (tasks, _clock) = tasks();
    let settings = |worker: Worker| worker.lease(SHORT).early_max(1);
    serve(&tasks, settings, async |broker, mut heard| {
        let lost = message(HOUR);
        broker.deliver([lost.clone()]);
        broker.answer(&lost.id, Renewal::Lost);
        heard.until(&Asked::Renew(vec![lost.id.clone()])).await;
        // Its place is free again, which the next one shows.
        let next = message(Duration::ZERO);
        broker.deliver([next.clone()]);
        heard
            .wait(|asked| match asked {
                Asked::Settle(id, _) | Asked::Release(id) => {
                    assert_ne!(id, lost.id);
                    Some(())
                }
                _ => None,
            })
            .await;
    });
}

#[test]
fn what_expires_before_it_is_due_does_not_run() {
    let (tasks, clock) = tasks();
    let settings = |worker: Worker| worker.lease(SHORT);
    serve(&tasks, settings, async |broker, mut heard| {
        let early = message(SOON);
        let message = Message {
            expires: early.eta,
            ..early
        };
        broker.deliver([message.clone()]);
        heard.renewal(1).await;
        clock.advance(SOON);
        check_revoked(&heard.settlement(&message.id).await, "expired");
    });
}

#[test]
fn a_worker_that_holds_as_many_as_it_may_claims_when_one_is_due() {
    let (tasks, clock) = tasks();
    let settings = |worker: Worker| worker.early_max(2).lease(SHORT);
    serve(&tasks, settings, async |broker, mut heard| {
        let due = Message::new("clock");
        broker.deliver([message(SOON), message(HOUR), due.clone()]);
        assert_eq!(heard.claim().await.limit, 2);
        heard
            .wait(|asked| match asked {
                Asked::Renew(held) => (held.len() == 2).then_some(()),
                asked => panic!("{asked:?}"),
            })
            .await;
        clock.advance(SOON);
        assert_eq!(heard.claim().await.limit, 1);
        heard.settlement(&due.id).await;
    });
}
