//! A broker that says aloud what was acknowledged.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use siding_tasks::{
    Broker, BrokerFuture, Claim, ClaimRequest, Embedded, Enqueue, Enqueued, Found, Lease,
    ListFilter, Listed, Meta, QueueCount, Renewal, Revocation, Settled, Settlement, TaskId,
};

use super::victim::say;

#[derive(Debug)]
pub(super) struct Witness(pub(super) Embedded);

/// Methods that say nothing.
macro_rules! silent {
    ($($name:ident($($arg:ident: $ty:ty),*) -> $answer:ty;)*) => {
        $(fn $name(&self, $($arg: $ty),*) -> BrokerFuture<'_, $answer> {
            self.0.$name($($arg),*)
        })*
    };
}

impl Broker for Witness {
    fn settle(&self, lease: Lease, settlement: Settlement) -> BrokerFuture<'_, Settled> {
        Box::pin(async move {
            let id = lease.id.clone();
            let settled = self.0.settle(lease, settlement).await?;
            if settled == Settled::Done {
                say("done", &id);
            }
            Ok(settled)
        })
    }

    fn changed(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.0.changed()
    }

    silent! {
        enqueue(request: Enqueue) -> Vec<Enqueued>;
        claim(request: ClaimRequest) -> Claim;
        renew(leases: Vec<Lease>) -> Vec<Renewal>;
        release(leases: Vec<Lease>) -> ();
        revoke(id: TaskId, revocation: Revocation) -> ();
        find(id: TaskId) -> Found;
        finished(id: TaskId) -> Meta;
        lead(name: String, holder: String, period: Duration) -> bool;
        resign(name: String, holder: String) -> ();
        overview() -> Vec<QueueCount>;
        list(filter: ListFilter) -> Vec<Listed>;
        replay(id: TaskId) -> bool;
        purge(queue: Option<String>, limit: usize) -> usize;
    }
}
