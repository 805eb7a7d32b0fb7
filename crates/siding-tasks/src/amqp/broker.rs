//! RabbitMQ as a broker: all parts of it together.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::control::Control;
use super::held::give_back;
use super::intake::Intake;
use super::lead::Leads;
use super::link::Link;
use super::results::Rpc;
use super::revoked::Revoked;
use super::sender::Sender;
use super::settings::AmqpSettings;
use super::shared::Shared;
use super::{settle, spawn};
use crate::broker::{
    Broker, BrokerError, BrokerFuture, Claim, ClaimRequest, Enqueue, Enqueued, Found, Lease,
    ListFilter, Listed, QueueCount, Renewal, Revocation, Settled, Settlement,
};
use crate::celery::backend::ResultBackend;
use crate::celery::results::Results;
use crate::message::{Message, Meta, TaskId};
use crate::remote::Remote;

/// RabbitMQ as a broker, which Python's Celery shares. Clones share a connection.
///
/// Results go to whoever sent the task (`rpc://`), and only that process can see them.
///
/// # What is promised
/// A message is durable once it was sent: the server has confirmed it. It runs at least once. Its end is not one step, as
/// AMQP has none for all of it: the result is stored, then what follows is sent, then the message is taken out of its queue.
/// If the worker or the connection is lost in between, the task runs again, and what follows it may be sent twice, under
/// the same ids.
///
/// A lease lasts for as long as the connection that the message came by: when that is lost, so is the lease, and the server
/// delivers the message again.
///
/// # What it cannot do
/// A message of an id that is there already is taken once more, for RabbitMQ does not tell; there are no unique keys, no
/// lists of tasks, and no dead letters of failed tasks to send again. Chords need another result backend. A message that
/// cannot be understood is moved to the queue `<queue>.dead`, with the reason in its headers.
///
/// # Cancellation
/// Dropping a future gives up the answer; what was asked for may still happen. Messages that a claim took on are claimed by
/// the next one.
///
/// ```no_run
/// use std::sync::Arc;
/// use siding_tasks::{Amqp, AmqpSettings, BrokerUrl, Tasks};
///
/// # async fn connect() -> Result<(), Box<dyn std::error::Error>> {
/// let BrokerUrl::Amqp(url) = "amqp://guest:guest@127.0.0.1:5672//".parse()? else {
///     unreachable!("it is a URL of AMQP")
/// };
/// let tasks = Tasks::new();
/// tasks.connect(Arc::new(Amqp::connect(AmqpSettings::new(url)).await?));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Amqp(Arc<Shared>);

impl Amqp {
    /// Connects to the server, with results by `rpc://`. The connection is kept from then on: when it is lost, it is made
    /// again.
    ///
    /// # Errors
    /// When the server is not there, or does not let this user in.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn connect(settings: AmqpSettings) -> Result<Self, BrokerError> {
        Self::open(settings, None).await
    }

    /// Like [`connect`](Self::connect), with results elsewhere: in Redis, which counts chords too, or nowhere.
    ///
    /// # Errors
    /// As [`connect`](Self::connect), for either server.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn connect_with(
        settings: AmqpSettings,
        results: ResultBackend,
    ) -> Result<Self, BrokerError> {
        let results = results.open().await?;
        Self::open(settings, Some(results)).await
    }

    async fn open(
        settings: AmqpSettings,
        results: Option<Arc<dyn Results>>,
    ) -> Result<Self, BrokerError> {
        let link = Arc::new(Link::open(Arc::new(settings)).await?);
        let (results, rpc) = match results {
            Some(results) => (results, None),
            None => {
                let rpc = Arc::new(Rpc::new(Arc::clone(&link)));
                (Arc::clone(&rpc) as Arc<dyn Results>, Some(rpc))
            }
        };
        let sender = Sender {
            results,
            routes: link.settings().routes.clone(),
        };
        let revoked = Arc::new(Revoked::default());
        let intake = Arc::new(Intake::new(sender.clone(), Arc::clone(&revoked)));
        let tidy = spawn(Arc::clone(&intake).tidy(Arc::clone(&link)));
        let tell = spawn(tell_changes(Arc::clone(&link), Arc::clone(&intake)));
        Ok(Self(Arc::new(Shared {
            control: Arc::new(Control {
                link: Arc::clone(&link),
            }),
            link,
            intake,
            sender,
            rpc,
            revoked,
            leads: Leads::default(),
            tasks: [tidy, tell],
        })))
    }

    /// Ends the connection. What workers hold is delivered to others; later requests fail with [`BrokerError::Closed`].
    pub async fn close(&self) {
        for task in &self.0.tasks {
            task.abort();
        }
        if let Some(rpc) = &self.0.rpc {
            rpc.close().await;
        }
        self.0.link.close().await;
        self.0.intake.arrivals.tell();
    }
}

/// A change of the connection is one of what there is to claim, and of who holds what.
async fn tell_changes(link: Arc<Link>, intake: Arc<Intake>) {
    let mut state = link.watch();
    while state.changed().await.is_ok() {
        intake.arrivals.tell();
    }
}

impl fmt::Debug for Amqp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Amqp")
            .field("server", &self.0.link.settings().info())
            .finish_non_exhaustive()
    }
}

impl Broker for Amqp {
    fn enqueue(&self, request: Enqueue) -> BrokerFuture<'_, Vec<Enqueued>> {
        Box::pin(self.0.enqueue_all(request))
    }

    fn claim(&self, request: ClaimRequest) -> BrokerFuture<'_, Claim> {
        Box::pin(async move {
            match self.0.link.now()? {
                Some(session) => match self.0.intake.claim(&session, &request).await {
                    Err(BrokerError::Unavailable(_)) if !session.is_connected() => {
                        Ok(Claim::default())
                    }
                    claim => claim,
                },
                // `changed` resolves when the connection is back.
                None => Ok(Claim::default()),
            }
        })
    }

    fn changed(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.0.intake.arrivals.changed())
    }

    fn renew(&self, leases: Vec<Lease>) -> BrokerFuture<'_, Vec<Renewal>> {
        Box::pin(async move { Ok(leases.iter().map(|lease| self.0.renew_one(lease)).collect()) })
    }

    fn started(&self, lease: Lease) -> BrokerFuture<'_, ()> {
        Box::pin(async move {
            match self.0.intake.held.find(&lease) {
                Some(leased) => settle::started(&self.0.sender, &leased).await,
                None => Ok(()),
            }
        })
    }

    fn settle(&self, lease: Lease, settlement: Settlement) -> BrokerFuture<'_, Settled> {
        Box::pin(self.0.settle_one(lease, settlement))
    }

    fn release(&self, leases: Vec<Lease>) -> BrokerFuture<'_, ()> {
        Box::pin(async move {
            let held = &self.0.intake.held;
            let leased = leases.iter().filter_map(|lease| held.remove(lease));
            give_back(leased.map(|leased| leased.grip().into_acker()).collect()).await;
            Ok(())
        })
    }

    fn revoke(&self, id: TaskId, revocation: Revocation) -> BrokerFuture<'_, ()> {
        Box::pin(self.0.revoke_one(id, revocation))
    }

    fn find(&self, id: TaskId) -> BrokerFuture<'_, Found> {
        self.0.sender.results.find(id)
    }

    fn finished(&self, id: TaskId) -> BrokerFuture<'_, Meta> {
        self.0.sender.results.finished(id)
    }

    fn lead(&self, name: String, holder: String, period: Duration) -> BrokerFuture<'_, bool> {
        Box::pin(async move {
            let session = self.0.link.session().await?;
            self.0.leads.lead(&session, &name, &holder, period).await
        })
    }

    fn resign(&self, name: String, holder: String) -> BrokerFuture<'_, ()> {
        Box::pin(async move {
            let session = self.0.link.session().await?;
            self.0.leads.resign(&session, &name, &holder).await
        })
    }

    fn overview(&self) -> BrokerFuture<'_, Vec<QueueCount>> {
        Box::pin(self.0.count())
    }

    fn list(&self, _filter: ListFilter) -> BrokerFuture<'_, Vec<Listed>> {
        Box::pin(std::future::ready(Err(BrokerError::Unsupported(
            "AMQP queues cannot be read without taking messages out; the counts by queue can be had, `celery inspect` and \
             Flower show what workers have, and a task's result is found by its id"
                .to_owned(),
        ))))
    }

    fn replay(&self, _id: TaskId) -> BrokerFuture<'_, bool> {
        Box::pin(std::future::ready(Err(BrokerError::Unsupported(
            "failed tasks are not kept in AMQP queues, so they cannot be sent again by their ids; messages that could not be \
             understood are in the queues that end in `.dead`"
                .to_owned(),
        ))))
    }

    fn purge(&self, queue: Option<String>, limit: usize) -> BrokerFuture<'_, usize> {
        Box::pin(self.0.purge_all(queue, limit))
    }

    fn route(&self, message: &mut Message) {
        self.0.sender.routes.apply(message);
    }

    fn remote(&self) -> Option<Arc<dyn Remote>> {
        Some(Arc::clone(&self.0.control) as Arc<dyn Remote>)
    }
}
