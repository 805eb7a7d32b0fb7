//! A broker that fails on demand.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use siding_tasks::{
    Broker, BrokerError, BrokerFuture, Claim, ClaimRequest, Enqueue, Enqueued, Found, Lease,
    ListFilter, Listed, Meta, QueueCount, Renewal, Revocation, Settled, Settlement, TaskId,
};
use tokio::sync::{Mutex, mpsc};

/// How many of each kind of requests fail from now on.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pub(crate) claims: AtomicUsize,
    pub(crate) settlements: AtomicUsize,
    /// Whether it cannot tell tasks apart.
    pub(crate) blind: AtomicBool,
    /// Leases are renewed while nobody holds this.
    pub(crate) renewing: Mutex<()>,
    /// Workers hear that they lost a lease while nobody holds this.
    pub(crate) losing: Mutex<()>,
}

/// What a worker asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Asked {
    Claim(usize),
    Settle(TaskId, Result<Settled, String>),
    Release(Vec<TaskId>),
}

/// A broker that fails on demand, and tells what it was asked for.
pub(crate) struct Faulty {
    pub(crate) inner: Arc<dyn Broker>,
    pub(crate) faults: Arc<Faults>,
    pub(crate) asked: mpsc::UnboundedSender<Asked>,
}

impl Faulty {
    fn tell(&self, asked: Asked) {
        // A test may have seen enough.
        let _ = self.asked.send(asked);
    }
}

fn fail(left: &AtomicUsize) -> Result<(), BrokerError> {
    let less = |left: usize| left.checked_sub(1);
    match left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less) {
        Ok(_) => Err(BrokerError::Unavailable("the disk is full".to_owned())),
        Err(_) => Ok(()),
    }
}

impl fmt::Debug for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faulty")
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}

impl Broker for Faulty {
    fn enqueue(&self, request: Enqueue) -> BrokerFuture<'_, Vec<Enqueued>> {
        self.inner.enqueue(request)
    }

    fn claim(&self, mut request: ClaimRequest) -> BrokerFuture<'_, Claim> {
        Box::pin(async move {
            fail(&self.faults.claims)?;
            let limit = request.limit;
            if self.faults.blind.load(Ordering::SeqCst) {
                request.quotas.clear();
            }
            let claim = self.inner.claim(request).await?;
            self.tell(Asked::Claim(limit));
            Ok(claim)
        })
    }

    fn changed(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.inner.changed()
    }

    fn renew(&self, leases: Vec<Lease>) -> BrokerFuture<'_, Vec<Renewal>> {
        Box::pin(async move {
            let renewing = self.faults.renewing.lock().await;
            let answers = self.inner.renew(leases).await?;
            drop(renewing);
            if answers.contains(&Renewal::Lost) {
                drop(self.faults.losing.lock().await);
            }
            Ok(answers)
        })
    }

    fn settle(&self, lease: Lease, settlement: Settlement) -> BrokerFuture<'_, Settled> {
        Box::pin(async move {
            let id = lease.id.clone();
            let settled = match fail(&self.faults.settlements) {
                Ok(()) => self.inner.settle(lease, settlement).await,
                Err(error) => Err(error),
            };
            self.tell(Asked::Settle(
                id,
                settled.as_ref().copied().map_err(ToString::to_string),
            ));
            settled
        })
    }

    fn release(&self, leases: Vec<Lease>) -> BrokerFuture<'_, ()> {
        Box::pin(async move {
            let ids = leases.iter().map(|lease| lease.id.clone()).collect();
            self.inner.release(leases).await?;
            self.tell(Asked::Release(ids));
            Ok(())
        })
    }

    fn revoke(&self, id: TaskId, revocation: Revocation) -> BrokerFuture<'_, ()> {
        self.inner.revoke(id, revocation)
    }

    fn find(&self, id: TaskId) -> BrokerFuture<'_, Found> {
        self.inner.find(id)
    }

    fn finished(&self, id: TaskId) -> BrokerFuture<'_, Meta> {
        self.inner.finished(id)
    }

    fn lead(&self, name: String, holder: String, period: Duration) -> BrokerFuture<'_, bool> {
        self.inner.lead(name, holder, period)
    }

    fn resign(&self, name: String, holder: String) -> BrokerFuture<'_, ()> {
        self.inner.resign(name, holder)
    }

    fn overview(&self) -> BrokerFuture<'_, Vec<QueueCount>> {
        self.inner.overview()
    }

    fn list(&self, filter: ListFilter) -> BrokerFuture<'_, Vec<Listed>> {
        self.inner.list(filter)
    }

    fn replay(&self, id: TaskId) -> BrokerFuture<'_, bool> {
        self.inner.replay(id)
    }

    fn purge(&self, queue: Option<String>, limit: usize) -> BrokerFuture<'_, usize> {
        self.inner.purge(queue, limit)
    }
}
