//! Deliveries that came and that nobody has looked at yet.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_core::Stream as _;
use lapin::Consumer;
use lapin::message::Delivery;
use tokio::sync::watch;

/// Deliveries that came and that nobody has looked at yet, and who is told of them.
#[derive(Debug)]
pub(super) struct Arrivals {
    waiting: Mutex<VecDeque<Arrived>>,
    changed: watch::Sender<u64>,
}

/// A delivery.
#[derive(Debug)]
pub(super) struct Arrived {
    pub(super) queue: Arc<str>,
    pub(super) delivery: Delivery,
}

impl Arrivals {
    pub(super) fn new() -> Self {
        Self {
            waiting: Mutex::default(),
            changed: watch::Sender::new(0),
        }
    }

    /// Nothing is left half done under the lock.
    fn waiting(&self) -> MutexGuard<'_, VecDeque<Arrived>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// There may be something to claim.
    pub(super) fn tell(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    /// A future that resolves when there may be something to claim since this call.
    pub(super) fn changed(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut changes = self.changed.subscribe();
        async move {
            if changes.changed().await.is_err() {
                // There will be nothing any more.
                std::future::pending::<()>().await;
            }
        }
    }

    /// The oldest that can still be settled. It comes back unless it is [kept](Taken::keep).
    pub(super) fn take(&self) -> Option<Taken<'_>> {
        let mut waiting = self.waiting();
        loop {
            let arrived = waiting.pop_front()?;
            if arrived.delivery.acker.usable() {
                return Some(Taken {
                    arrived: Some(arrived),
                    arrivals: self,
                });
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting().is_empty()
    }

    /// Takes in what a consumer gets, until there will be no more.
    pub(super) async fn fill(self: Arc<Self>, mut consumer: Consumer, queue: Arc<str>) {
        while let Some(delivery) = next(&mut consumer).await {
            let queue = Arc::clone(&queue);
            self.waiting().push_back(Arrived { queue, delivery });
            self.tell();
        }
        self.tell();
    }
}

/// A delivery in somebody's hands. If they drop it, it waits again.
#[derive(Debug)]
pub(super) struct Taken<'a> {
    arrived: Option<Arrived>,
    arrivals: &'a Arrivals,
}

impl Taken<'_> {
    pub(super) fn get(&self) -> Option<&Arrived> {
        self.arrived.as_ref()
    }

    /// It does not wait any more.
    pub(super) fn keep(mut self) -> Option<Arrived> {
        self.arrived.take()
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if let Some(arrived) = self.arrived.take() {
            self.arrivals.waiting().push_front(arrived);
        }
    }
}

/// The next delivery; `None` when the consumer was cancelled, or its channel is gone.
pub(super) async fn next(consumer: &mut Consumer) -> Option<Delivery> {
    let next = std::future::poll_fn(|context| Pin::new(&mut *consumer).poll_next(context));
    next.await.and_then(Result::ok)
}
