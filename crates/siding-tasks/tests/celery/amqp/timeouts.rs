//! The server's consumer timeout: it closes a channel whose deliveries are not acknowledged in time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use siding_tasks::{Broker as _, Renewal, Settled, Tasks};
use tokio::sync::Semaphore;

use super::log::Log;
use super::support::*;
use crate::fleet::Running;
use crate::node::CONSUMER_TIMEOUT;

/// What the log says when the server has closed a channel for it.
const TOLD: &str = "longer than RabbitMQ's consumer timeout";

/// A worker without a free slot, and one that waits for an eta, keep their tasks over several timeouts.
#[test]
fn what_takes_longer_than_the_consumer_timeout_runs_once() {
    Space::on_node(async |space, _node| {
        let log = Log::listen();
        let (runs, may_end) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
        let tasks = Tasks::new();
        let long = tasks.register("long", {
            let (runs, may_end) = (Arc::clone(&runs), Arc::clone(&may_end));
            move || {
                let (runs, may_end) = (Arc::clone(&runs), Arc::clone(&may_end));
                async move {
                    runs.fetch_add(1, Ordering::Relaxed);
                    drop(may_end.acquire().await);
                    7
                }
            }
        });
        let long = long.queue(&space.queue);
        let count = tasks.register("count", {
            let counted = Arc::new(AtomicUsize::new(0));
            move || {
                let counted = Arc::clone(&counted);
                async move { counted.fetch_add(1, Ordering::Relaxed) + 1 }
            }
        });
        let count = count.queue(&space.queue);
        let broker = Arc::new(space.connect().await);
        tasks.connect(broker.clone());
        let worker = tasks.worker().queues([&*space.queue]).concurrency(1);
        let worker = Running::start(worker);

        let long = long.delay(()).await.unwrap();
        eventually(async || (runs.load(Ordering::Relaxed) == 1).then_some(())).await;
        // Far enough to be held through two timeouts, and too near to be parked.
        let later = count.apply_async(()).countdown(3 * CONSUMER_TIMEOUT);
        let later = later.await.unwrap();
        // The second time shows that it had come back here, and was held again.
        log.says(TOLD, 2).await;
        may_end.add_permits(1);
        assert_eq!(long.get(DEADLINE).await.unwrap(), 7);
        assert_eq!(later.get(DEADLINE).await.unwrap(), 1);
        // What comes after them counts on.
        let last = count.delay(()).await.unwrap();
        assert_eq!(last.get(DEADLINE).await.unwrap(), 2);
        assert_eq!(runs.load(Ordering::Relaxed), 1);
        worker.stop().await;
        broker.close().await;
        assert_eq!(ready(&space.direct, &space.queue).await, 0);
    });
}

#[test]
fn a_lease_goes_on_when_its_message_comes_back() {
    Space::on_node(async |space, _node| {
        let log = Log::listen();
        let broker = space.connect().await;
        send(&broker, vec![space.message("add")]).await;
        let delivery = space.claim_one(&broker).await;
        log.says(TOLD, 1).await;
        let milliseconds = format!("{} ms", CONSUMER_TIMEOUT.as_millis());
        for text in [&*milliseconds, "Set consumer_timeout in rabbitmq.conf"] {
            assert_eq!(log.count(text), 1, "{text}");
        }
        let renewed = broker.renew(vec![delivery.lease.clone()]).await.unwrap();
        assert_eq!(renewed, [Renewal::Held]);
        log.says("has come back to this worker", 1).await;
        let claim = broker.claim(space.request(5)).await.unwrap();
        assert_eq!(claim.deliveries, []);
        let settled = broker.settle(delivery.lease, success(&5)).await.unwrap();
        assert_eq!(settled, Settled::Done);
        broker.close().await;
        assert_eq!(ready(&space.direct, &space.queue).await, 0);
    });
}

/// It says that it was delivered before, and what the first one says of it does not count.
#[test]
fn what_went_to_another_worker_is_settled_there() {
    Space::on_node(async |space, _node| {
        let log = Log::listen();
        let (first, second) = (space.connect().await, space.connect().await);
        send(&first, vec![space.message("add")]).await;
        let lost = space.claim_one(&first).await;
        let again = space.claim_one(&second).await;
        // The first has heard of it, too.
        log.says(TOLD, 1).await;
        assert_eq!((&again.message.id, again.deliveries), (&lost.message.id, 2));
        let late = first.settle(lost.lease.clone(), success(&6));
        let settled = second.settle(again.lease, success(&5)).await.unwrap();
        assert_eq!(settled, Settled::Done);
        assert_eq!(late.await.unwrap(), Settled::Refused);
        let renewed = first.renew(vec![lost.lease]).await.unwrap();
        assert_eq!(renewed, [Renewal::Lost]);
        let meta = first.finished(lost.message.id).await.unwrap();
        assert_eq!(meta.result.unwrap().get(), "5");
        assert_eq!(ready(&space.direct, &space.queue).await, 0);
    });
}
