//! A broker that delivers what a test hands it, when it does, and tells what it was asked for.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use siding_tasks::{
    Broker, BrokerError, BrokerFuture, Claim, ClaimRequest, Delivery, Enqueue, Enqueued, Found,
    Lease, ListFilter, Listed, Message, Meta, QueueCount, Remote, Renewal, Revocation, Settled,
    Settlement, TaskId,
};
use tokio::sync::{Notify, mpsc};

/// What a worker asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Asked {
    Claim(ClaimRequest),
    Renew(Vec<TaskId>),
    Settle(TaskId, Box<Settlement>),
    Release(TaskId),
    Started(TaskId),
}

/// A broker that delivers what a test hands it, eta or not.
#[derive(Debug)]
pub(crate) struct Scripted {
    waiting: Mutex<Vec<Message>>,
    renewals: Mutex<HashMap<TaskId, Renewal>>,
    changed: Notify,
    asked: mpsc::UnboundedSender<Asked>,
    remote: Option<Arc<dyn Remote>>,
    /// Whether it never answers that it has heard of a start.
    pub(crate) deaf: AtomicBool,
}

impl Scripted {
    pub(crate) fn new(remote: Option<Arc<dyn Remote>>) -> (Arc<Self>, Heard) {
        let (asked, heard) = mpsc::unbounded_channel();
        let broker = Self {
            waiting: Mutex::default(),
            renewals: Mutex::default(),
            changed: Notify::new(),
            asked,
            remote,
            deaf: AtomicBool::new(false),
        };
        (Arc::new(broker), Heard(heard))
    }

    /// The next claims have these.
    pub(crate) fn deliver(&self, messages: impl IntoIterator<Item = Message>) {
        self.waiting.lock().unwrap().extend(messages);
        self.changed.notify_waiters();
    }

    /// From now on renewals of the lease on `id` are answered so.
    pub(crate) fn answer(&self, id: &TaskId, renewal: Renewal) {
        self.renewals.lock().unwrap().insert(id.clone(), renewal);
        self.changed.notify_waiters();
    }

    fn tell(&self, asked: Asked) {
        // A test may have seen enough.
        let _ = self.asked.send(asked);
    }
}

/// What a worker asked for, in order.
#[derive(Debug)]
pub(crate) struct Heard(mpsc::UnboundedReceiver<Asked>);

impl Heard {
    /// The first thing from now on that `pick` picks.
    pub(crate) async fn wait<T>(&mut self, mut pick: impl FnMut(Asked) -> Option<T>) -> T {
        loop {
            if let Some(picked) = pick(self.0.recv().await.unwrap()) {
                return picked;
            }
        }
    }

    /// How the work on `id` ended at the broker.
    pub(crate) async fn settlement(&mut self, id: &TaskId) -> Settlement {
        self.wait(|asked| match asked {
            Asked::Settle(settled, settlement) if settled == *id => Some(*settlement),
            _ => None,
        })
        .await
    }

    /// Waits until so many leases are renewed together.
    pub(crate) async fn renewal(&mut self, leases: usize) {
        self.wait(|asked| match asked {
            Asked::Renew(renewed) => (renewed.len() == leases).then_some(()),
            _ => None,
        })
        .await;
    }

    pub(crate) async fn claim(&mut self) -> ClaimRequest {
        self.wait(|asked| match asked {
            Asked::Claim(request) => Some(request),
            _ => None,
        })
        .await
    }

    /// Waits until `asked`, and fails when it settles anything before.
    pub(crate) async fn until(&mut self, wanted: &Asked) {
        self.wait(|asked| {
            assert!(!matches!(asked, Asked::Settle(..)), "{asked:?}");
            (asked == *wanted).then_some(())
        })
        .await;
    }
}

fn ready<'a, T: Send + 'a>(answer: T) -> BrokerFuture<'a, T> {
    Box::pin(std::future::ready(Ok(answer)))
}

fn unsupported<'a, T: Send + 'a>() -> BrokerFuture<'a, T> {
    let error = BrokerError::Unsupported("no test asks for it".to_owned());
    Box::pin(std::future::ready(Err(error)))
}

impl Broker for Scripted {
    fn enqueue(&self, request: Enqueue) -> BrokerFuture<'_, Vec<Enqueued>> {
        ready(vec![Enqueued::Accepted; request.messages.len()])
    }

    fn claim(&self, request: ClaimRequest) -> BrokerFuture<'_, Claim> {
        let mut waiting = self.waiting.lock().unwrap();
        let limit = request.limit.min(waiting.len());
        let deliveries = waiting.drain(..limit).map(|message| Delivery {
            lease: Lease {
                id: message.id.clone(),
                token: 1,
                period: request.lease,
            },
            message,
            deliveries: 1,
        });
        let deliveries = deliveries.collect();
        self.tell(Asked::Claim(request));
        ready(Claim {
            deliveries,
            next_at: None,
        })
    }

    fn changed(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.changed.notified())
    }

    fn renew(&self, leases: Vec<Lease>) -> BrokerFuture<'_, Vec<Renewal>> {
        let renewals = self.renewals.lock().unwrap();
        let answers = leases
            .iter()
            .map(|lease| renewals.get(&lease.id).copied().unwrap_or(Renewal::Held))
            .collect();
        self.tell(Asked::Renew(
            leases.into_iter().map(|lease| lease.id).collect(),
        ));
        ready(answers)
    }

    fn started(&self, lease: Lease) -> BrokerFuture<'_, ()> {
        self.tell(Asked::Started(lease.id));
        if self.deaf.load(Ordering::SeqCst) {
            return Box::pin(std::future::pending());
        }
        ready(())
    }

    fn settle(&self, lease: Lease, settlement: Settlement) -> BrokerFuture<'_, Settled> {
        self.tell(Asked::Settle(lease.id, Box::new(settlement)));
        ready(Settled::Done)
    }

    fn release(&self, leases: Vec<Lease>) -> BrokerFuture<'_, ()> {
        for lease in leases {
            self.tell(Asked::Release(lease.id));
        }
        ready(())
    }

    fn revoke(&self, _: TaskId, _: Revocation) -> BrokerFuture<'_, ()> {
        unsupported()
    }

    fn find(&self, _: TaskId) -> BrokerFuture<'_, Found> {
        ready(Found::Unknown)
    }

    fn finished(&self, _: TaskId) -> BrokerFuture<'_, Meta> {
        unsupported()
    }

    fn lead(&self, _: String, _: String, _: Duration) -> BrokerFuture<'_, bool> {
        ready(false)
    }

    fn resign(&self, _: String, _: String) -> BrokerFuture<'_, ()> {
        ready(())
    }

    fn overview(&self) -> BrokerFuture<'_, Vec<QueueCount>> {
        ready(Vec::new())
    }

    fn list(&self, _: ListFilter) -> BrokerFuture<'_, Vec<Listed>> {
        ready(Vec::new())
    }

    fn replay(&self, _: TaskId) -> BrokerFuture<'_, bool> {
        unsupported()
    }

    fn purge(&self, _: Option<String>, _: usize) -> BrokerFuture<'_, usize> {
        unsupported()
    }

    fn remote(&self) -> Option<Arc<dyn Remote>> {
        self.remote.clone()
    }
}
