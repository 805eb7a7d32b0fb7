//! Redis as a broker: the lists, claims and results of kombu and Celery, beside Python's own workers.
//!
//! Source: `kombu/transport/redis.py` of kombu 5.7. What differs is what loses messages there:
//!
//! | kombu | here |
//! | --- | --- |
//! | takes a message and notes it as unacknowledged in two steps: a crash between them loses it | one step, a script in the server |
//! | counts the visibility timeout from the claim: longer tasks run twice | renews claims while they are held |
//! | acknowledges by the delivery tag, which a restored message keeps: the first holder takes the claim of the second away | acknowledges only the claim that it wrote |
//! | gives all copies that an exchange makes of a message one delivery tag: their holders take each other's claims | gives each a tag of its own, when it sends and when it claims |
//! | restores claims after the visibility timeout, an hour | does that too; and claims of its own kind once they are not renewed, half a minute |
//! | stores the result, acknowledges and sends what follows one after the other | one step, if results are in the same database |
//!
//! A claim is told by its score in `unacked_index`: a time, whose microseconds are its holder's.

mod claim;
mod client;
mod ears;
mod held;
mod inboxes;
mod keys;
mod lease;
mod link;
mod lookup;
mod manage;
mod master;
mod parts;
mod place;
mod remote;
mod resend;
mod restore;
mod results;
mod scripts;
mod send;
mod sentinel;
mod settings;
mod settle;
mod target;
mod trouble;
mod writes;

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ears::Ears;
use held::{Held, Holding};
use inboxes::Inboxes;
use keys::Keys;
use link::Link;
pub(crate) use results::RedisResults;
pub use settings::RedisSettings;
use writes::Writes;

use crate::broker::{
    Broker, BrokerError, BrokerFuture, Claim, ClaimRequest, Enqueue, Enqueued, Found, Lease,
    ListFilter, Listed, QueueCount, Renewal, Revocation, Settled, Settlement,
};
use crate::celery::backend::ResultBackend;
use crate::celery::results::Results;
use crate::message::{Message, Meta, Priority, TaskId};
use crate::remote::Remote;

/// A Redis server as a broker, which Python's Celery shares. Clones share a connection.
///
/// ```no_run
/// use std::sync::Arc;
/// use siding_tasks::{BrokerUrl, RawJson, Redis, RedisSettings, Tasks};
///
/// # async fn connect() -> Result<(), Box<dyn std::error::Error>> {
/// let BrokerUrl::Redis(url) = "redis://127.0.0.1:6379/0".parse()? else {
///     unreachable!("it is a URL of Redis")
/// };
/// let tasks = Tasks::new();
/// tasks.connect(Arc::new(Redis::connect(RedisSettings::new(url)).await?));
/// let sum = tasks.send_task::<i64>("tasks.add", vec![RawJson::of(&2)?, RawJson::of(&3)?], []).await?;
/// # Ok(()) }
/// ```
///
/// # What it promises
///
/// That of [`Broker`], as far as the server keeps what it has acknowledged: that is set there (`appendonly`, replication).
/// A task that a Python worker runs has Celery's promises instead.
///
/// Redis 6 or later, or Valkey. Keys share no hash tag, so a cluster is no broker, as for kombu.
#[derive(Clone)]
pub struct Redis(Arc<Shared>);

struct Shared {
    settings: RedisSettings,
    keys: Keys,
    link: Arc<Link>,
    ears: Arc<Ears>,
    /// Results in the same database, which are written with the acknowledgement.
    beside: Option<Arc<RedisResults>>,
    results: Arc<dyn Results>,
    holding: Holding,
    inboxes: Inboxes,
    /// The lists that the last claim asked for, and the mark of what it left there.
    looked: Mutex<(Vec<String>, String)>,
    /// Whether messages of lost workers are being looked for.
    restoring: AtomicBool,
    /// Queues that Python has been told of.
    declared: Mutex<std::collections::HashSet<String>>,
}

impl Redis {
    /// Connects to a server; results are in the same database.
    ///
    /// # Errors
    /// When it cannot be reached, or refuses the user or the password.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn connect(settings: RedisSettings) -> Result<Self, BrokerError> {
        Self::open(settings, None).await
    }

    /// Like [`connect`](Self::connect), with results elsewhere: in another database, or nowhere.
    ///
    /// # Errors
    /// As [`connect`](Self::connect), for either server.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn connect_with(
        settings: RedisSettings,
        results: ResultBackend,
    ) -> Result<Self, BrokerError> {
        // Beside each other they are written in one step.
        if let ResultBackend::Redis(other) = &results
            && other.url == settings.url
        {
            let settings = RedisSettings {
                result_key_prefix: other.result_key_prefix.clone(),
                result_expires: other.result_expires,
                result_extended: other.result_extended,
                ..settings
            };
            return Self::open(settings, None).await;
        }
        let results = results.open().await?;
        Self::open(settings, Some(results)).await
    }

    async fn open(
        settings: RedisSettings,
        results: Option<Arc<dyn Results>>,
    ) -> Result<Self, BrokerError> {
        let keys = Keys::new(&settings);
        let link = Arc::new(Link::new(&settings.url, settings.response_timeout)?);
        link.connection().await?;
        let ears = Ears::new(&link);
        let beside = results.is_none().then(|| {
            let (link, ears) = (Arc::clone(&link), Arc::clone(&ears));
            let results = RedisResults::beside(keys.clone(), settings.clone(), link, ears);
            Arc::new(results)
        });
        let results = match (results, &beside) {
            (Some(results), _) => results,
            (None, Some(beside)) => Arc::clone(beside) as Arc<dyn Results>,
            (None, None) => unreachable!("results are beside unless they are elsewhere"),
        };
        Ok(Self(Arc::new(Shared {
            settings,
            keys,
            link,
            ears,
            beside,
            results,
            holding: Holding::default(),
            inboxes: Inboxes::default(),
            looked: Mutex::default(),
            restoring: AtomicBool::new(false),
            declared: Mutex::default(),
        })))
    }
}

/// Writes `writes` in one step, and ends the claim of `held` with it. `false` when that claim is over, or a guard does not
/// hold: then nothing was written.
async fn commit(
    link: &Link,
    keys: &Keys,
    held: Option<&Held>,
    writes: &Writes,
) -> Result<bool, BrokerError> {
    let mut call = scripts::SETTLE.prepare_invoke();
    call.key(keys.unacked())
        .key(keys.unacked_index())
        .key(keys.leases())
        .key(keys.revoked());
    if keys.look_after() {
        call.key(keys.sent_texts()).key(keys.sent_looks());
    }
    match held {
        Some(held) => call
            .arg(&held.tag)
            .arg(&held.fence)
            .arg(held.message.id.as_str()),
        None => call.arg("").arg("").arg(""),
    };
    writes.add_to(&mut call);
    let (done, lost): (u8, Vec<usize>) = link.run(&call).await?;
    for push in lost
        .iter()
        .filter_map(|number| writes.pushes.get(number - 1))
    {
        let (id, place) = (&push.id, &push.place);
        tracing::error!(%id, "what follows a task could not be sent: {place} has no queue for it");
    }
    Ok(done == 1)
}

impl Broker for Redis {
    fn enqueue(&self, request: Enqueue) -> BrokerFuture<'_, Vec<Enqueued>> {
        Box::pin(async move { self.0.send(request).await })
    }

    fn claim(&self, request: ClaimRequest) -> BrokerFuture<'_, Claim> {
        Box::pin(async move {
            restore::start(&self.0);
            self.0.claim(request).await
        })
    }

    fn changed(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.0.changed())
    }

    fn renew(&self, leases: Vec<Lease>) -> BrokerFuture<'_, Vec<Renewal>> {
        Box::pin(async move { self.0.renew(&leases).await })
    }

    fn lease_max(&self) -> Duration {
        self.0.settings.visibility_timeout
    }

    fn started(&self, lease: Lease) -> BrokerFuture<'_, ()> {
        Box::pin(async move { self.0.started(&lease).await })
    }

    fn settle(&self, lease: Lease, settlement: Settlement) -> BrokerFuture<'_, Settled> {
        Box::pin(async move { self.0.settle(&lease, settlement).await })
    }

    fn release(&self, leases: Vec<Lease>) -> BrokerFuture<'_, ()> {
        Box::pin(async move { self.0.release(&leases).await })
    }

    fn revoke(&self, id: TaskId, revocation: Revocation) -> BrokerFuture<'_, ()> {
        Box::pin(async move { self.0.revoke(&id, revocation).await })
    }

    fn find(&self, id: TaskId) -> BrokerFuture<'_, Found> {
        self.0.results.find(id)
    }

    fn finished(&self, id: TaskId) -> BrokerFuture<'_, Meta> {
        self.0.results.finished(id)
    }

    fn leader(&self, name: String) -> BrokerFuture<'_, Option<String>> {
        Box::pin(async move { self.0.leader(&name).await })
    }

    fn lead(&self, name: String, holder: String, period: Duration) -> BrokerFuture<'_, bool> {
        Box::pin(async move { self.0.lead(&name, &holder, period).await })
    }

    fn resign(&self, name: String, holder: String) -> BrokerFuture<'_, ()> {
        Box::pin(async move { self.0.resign(&name, &holder).await })
    }

    fn overview(&self) -> BrokerFuture<'_, Vec<QueueCount>> {
        Box::pin(async move { self.0.overview().await })
    }

    fn list(&self, filter: ListFilter) -> BrokerFuture<'_, Vec<Listed>> {
        Box::pin(async move { self.0.list(&filter).await })
    }

    fn replay(&self, id: TaskId) -> BrokerFuture<'_, bool> {
        Box::pin(async move { self.0.replay(&id).await })
    }

    fn purge(&self, queue: Option<String>, limit: usize) -> BrokerFuture<'_, usize> {
        Box::pin(async move { self.0.purge(queue, limit).await })
    }

    /// On Redis, 0 comes first.
    fn priority_number(&self, priority: Priority) -> Priority {
        Priority::new(Priority::MAX.get() - priority.get()).unwrap_or_default()
    }

    fn route(&self, message: &mut Message) {
        self.0.settings.routes.apply(message);
    }

    fn remote(&self) -> Option<Arc<dyn Remote>> {
        Some(Arc::new(remote::RedisRemote(Arc::clone(&self.0))))
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis")
            .field("url", &self.settings.url)
            .field("key_prefix", &self.settings.key_prefix)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
