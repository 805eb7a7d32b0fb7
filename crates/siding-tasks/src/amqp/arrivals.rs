//! Deliveries that came and that nobody has looked at yet.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lapin::ConsumerDelegate;
use lapin::message::{Delivery, DeliveryResult};
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

    /// What consumers of `queue` tell, for as long as `live`.
    pub(super) fn delegate(self: &Arc<Self>, queue: &str, live: &Arc<AtomicBool>) -> Delegate {
        Delegate {
            arrivals: Arc::clone(self),
            queue: queue.into(),
            live: Arc::clone(live),
        }
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

/// Hears what a consumer gets.
pub(super) struct Delegate {
    arrivals: Arc<Arrivals>,
    queue: Arc<str>,
    live: Arc<AtomicBool>,
}

impl ConsumerDelegate for Delegate {
    /// All is done before the future is polled: deliveries stay in their order.
    fn on_new_delivery(
        &self,
        delivery: DeliveryResult,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        match delivery {
            Ok(Some(delivery)) => {
                let queue = Arc::clone(&self.queue);
                let arrived = Arrived { queue, delivery };
                self.arrivals.waiting().push_back(arrived);
            }
            // The consumer was cancelled, or its channel is gone. Pairs with the load in `Consumption::is_live`.
            Ok(None) | Err(_) => self.live.store(false, Ordering::Release),
        }
        self.arrivals.tell();
        Box::pin(std::future::ready(()))
    }
}

impl fmt::Debug for Delegate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delegate")
            .field("queue", &self.queue)
            .finish_non_exhaustive()
    }
}
