//! The store as a broker.

use std::fmt;
use std::future::Future;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::bell::{self, Bell, Ears};
use super::claim::{self, Claimed, Delivered};
use super::end;
use super::error::OpenError;
use super::job::Durability;
use super::live::{self, Batch};
use super::manage;
use super::peers::Peers;
use super::reader::Reader;
use super::settle::{self, Outcome};
use super::wake::Wake;
use super::writer::{WeakWriter, Writer};
use super::{Clock, EmbeddedSettings, file, lease, read, workers};
use crate::broker::{
    Broker, BrokerError, BrokerFuture, Claim, ClaimRequest, Delivery, Enqueue, Enqueued, Found,
    Lease, ListFilter, Listed, QueueCount, Renewal, Revocation, Settled, Settlement,
};
use crate::message::{Meta, TaskId, wire};
use crate::worker::WorkerSnapshot;

/// A [`Broker`] in one file, `tasks.db`, in a directory on a local disk. Any number of processes may have it open.
///
/// Dropping it ends its threads once they have done what was asked of them; [`close`](Self::close) waits for that.
///
/// # Cancellation
/// Dropping a future gives up the answer. Of what waits to be written then, nothing happens; a claim whose answer nobody
/// takes is released.
///
/// ```
/// # async fn example(dir: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
/// use siding_tasks::{Broker, Embedded, EmbeddedSettings, Enqueue, Message};
///
/// let store = Embedded::open(dir, EmbeddedSettings::default())?;
/// let message = Message::new("mail.send");
/// store.enqueue(Enqueue { messages: vec![message], chords: vec![] }).await?;
/// store.close().await;
/// # Ok(())
/// # }
/// ```
pub struct Embedded {
    writer: Writer,
    finder: Reader,
    scanner: Reader,
    wake: Arc<Wake>,
    clock: Arc<dyn Clock>,
    _bell: Bell,
}

impl Embedded {
    /// Opens the store in `dir`, and makes both where they are missing. Blocks for some milliseconds.
    ///
    /// # Errors
    /// When the directory cannot be made or written to or is on a network file system; when the file is damaged, of another
    /// program or of a later version.
    pub fn open(dir: impl AsRef<Path>, settings: EmbeddedSettings) -> Result<Self, OpenError> {
        let dir = dir.as_ref();
        let start = |error| OpenError::Start {
            dir: dir.to_owned(),
            error,
        };
        let (file, conn) = file::open(dir, &settings)?;
        let finder = Reader::start("tasks-finder", dir, &file, &settings)?;
        let scanner = Reader::start("tasks-scanner", dir, &file, &settings)?;
        let (doorbell, ring) = UnixDatagram::pair().map_err(start)?;
        doorbell.set_nonblocking(true).map_err(start)?;
        ring.set_nonblocking(true).map_err(start)?;
        let (peers, socket) = match Peers::join(dir.join("wake")) {
            Ok((peers, socket)) => (Some(peers), Some(socket)),
            Err(error) => {
                tracing::warn!(%error, dir = %dir.display(), "other processes cannot wake this one; it looks for itself");
                (None, None)
            }
        };
        let wake = Arc::new(Wake::new(ring, peers));
        let ears = Ears {
            socket,
            doorbell,
            conn: file::open_reader(&file, &settings)?,
            patience: file::patience(&file, &settings),
            safety_net: settings.safety_net,
            tidy: settings.tidy,
        };
        let clock = Arc::clone(&settings.clock);
        let writer = Writer::start(conn, file, settings, Arc::clone(&wake)).map_err(start)?;
        let bell = bell::start(ears, Arc::clone(&wake), writer.downgrade());
        Ok(Self {
            writer,
            finder,
            scanner,
            wake,
            clock,
            _bell: bell.map_err(start)?,
        })
    }

    /// Opens a store that is there already, for those who look at one and are not to make one by a slip of the pen.
    ///
    /// # Errors
    /// As [`open`](Self::open), and when there is none in `dir`.
    pub fn open_existing(
        dir: impl AsRef<Path>,
        settings: EmbeddedSettings,
    ) -> Result<Self, OpenError> {
        let dir = dir.as_ref();
        match file::exists(dir) {
            Ok(false) => Err(OpenError::Missing {
                dir: dir.to_owned(),
            }),
            // What cannot be looked at is explained by opening it.
            Ok(true) | Err(_) => Self::open(dir, settings),
        }
    }

    /// Resolves when everything that was asked for is done and the file is closed for writing. Later requests are refused
    /// with [`BrokerError::Closed`].
    pub async fn close(&self) {
        self.writer.close().await;
    }

    /// Deletes what has outlived its time, in small batches, and says how many tasks that were. The store does it by
    /// itself each [`tidy`](EmbeddedSettings::tidy).
    ///
    /// # Errors
    /// As [`Broker::enqueue`].
    pub async fn tidy(&self) -> Result<usize, BrokerError> {
        let mut deleted = 0;
        loop {
            let batch = self.writer.call_light(|tx| manage::tidy(tx)).await?;
            deleted += batch;
            if batch < manage::TIDIED {
                return Ok(deleted);
            }
        }
    }

    async fn claim_all(&self, request: ClaimRequest) -> Result<Claim, BrokerError> {
        let period = request.lease;
        let claimed = self.writer.call_then(
            Durability::Processes,
            move |tx| claim::claim(tx, &request),
            Unclaimed::new,
        );
        let claimed = claimed.await?.take();
        let mut deliveries = Vec::with_capacity(claimed.deliveries.len());
        for delivered in claimed.deliveries {
            let lease = lease_of(&delivered, period);
            match wire::read(&delivered.text) {
                Ok(message) => deliveries.push(Delivery {
                    lease,
                    message,
                    deliveries: delivered.deliveries,
                }),
                Err(error) => self.bury(lease, &error).await?,
            }
        }
        Ok(Claim {
            deliveries,
            next_at: claimed.next_at,
        })
    }

    /// What cannot be read must not come back for ever.
    async fn bury(&self, lease: Lease, error: &wire::WireError) -> Result<(), BrokerError> {
        tracing::error!(task = %lease.id, %error, "a stored message cannot be read; it is a dead letter now");
        let settlement = Settlement::Failure {
            exception: end::unreadable(error),
            traceback: None,
            children: Vec::new(),
            successors: Enqueue::default(),
        };
        let _: Settled = self.settle(lease, settlement).await?;
        Ok(())
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedded")
            .field("finder", &self.finder)
            .finish_non_exhaustive()
    }
}

fn lease_of(delivered: &Delivered, period: Duration) -> Lease {
    Lease {
        id: delivered.id.clone(),
        token: delivered.token.unsigned_abs(),
        period,
    }
}

/// Deliveries on their way to whoever asked for them. If nobody takes them, they are given back.
struct Unclaimed {
    claimed: Claimed,
    writer: WeakWriter,
}

impl Unclaimed {
    fn new(claimed: Claimed, writer: &WeakWriter) -> Self {
        Self {
            claimed,
            writer: writer.clone(),
        }
    }

    fn take(mut self) -> Claimed {
        std::mem::take(&mut self.claimed)
    }
}

impl Drop for Unclaimed {
    fn drop(&mut self) {
        let deliveries = self.claimed.deliveries.iter();
        let leases = deliveries.map(|one| lease_of(one, Duration::ZERO));
        let leases = leases.collect::<Vec<_>>();
        if leases.is_empty() {
            return;
        }
        if let Some(writer) = self.writer.upgrade() {
            // Without room they come back when their leases have run out.
            writer.try_post(move |tx| leases.iter().try_for_each(|one| lease::release(tx, one)));
        }
    }
}

fn not_json(error: &serde_json::Error) -> BrokerError {
    BrokerError::Broken(format!("a message cannot be written as JSON: {error}"))
}

impl Broker for Embedded {
    fn enqueue(&self, request: Enqueue) -> BrokerFuture<'_, Vec<Enqueued>> {
        Box::pin(async move {
            live::for_queues(&request)?;
            let batch = Batch::new(request).map_err(|error| not_json(&error))?;
            self.writer.call(move |tx| live::accept(tx, &batch)).await
        })
    }

    fn claim(&self, request: ClaimRequest) -> BrokerFuture<'_, Claim> {
        Box::pin(self.claim_all(request))
    }

    fn changed(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.wake.changed())
    }

    fn renew(&self, leases: Vec<Lease>) -> BrokerFuture<'_, Vec<Renewal>> {
        Box::pin(async move {
            let renew = move |tx: &mut super::tx::Tx<'_>| {
                leases.iter().map(|one| lease::renew(tx, one)).collect()
            };
            self.writer.call_light(renew).await
        })
    }

    fn settle(&self, lease: Lease, settlement: Settlement) -> BrokerFuture<'_, Settled> {
        Box::pin(async move {
            let outcome = Outcome::new(&lease, settlement).map_err(|error| not_json(&error))?;
            self.writer
                .call(move |tx| settle::settle(tx, &lease, &outcome))
                .await
        })
    }

    fn release(&self, leases: Vec<Lease>) -> BrokerFuture<'_, ()> {
        Box::pin(async move {
            self.writer
                .call_light(move |tx| leases.iter().try_for_each(|one| lease::release(tx, one)))
                .await
        })
    }

    fn revoke(&self, id: TaskId, revocation: Revocation) -> BrokerFuture<'_, ()> {
        Box::pin(async move {
            self.writer
                .call(move |tx| manage::revoke(tx, &id, revocation))
                .await
        })
    }

    fn find(&self, id: TaskId) -> BrokerFuture<'_, Found> {
        Box::pin(async move { self.finder.call(move |conn| read::find(conn, &id)).await })
    }

    fn finished(&self, id: TaskId) -> BrokerFuture<'_, Meta> {
        Box::pin(async move {
            loop {
                // It is listened for before it is looked for, so that nothing is missed between the two.
                let told = self.wake.finished(id.clone());
                match self.find(id.clone()).await? {
                    Found::Known(meta) if meta.state.is_ready() => return Ok(meta),
                    Found::Known(_) | Found::Unknown => told.await,
                }
            }
        })
    }

    fn lead(&self, name: String, holder: String, period: Duration) -> BrokerFuture<'_, bool> {
        Box::pin(async move {
            self.writer
                .call_light(move |tx| manage::lead(tx, &name, &holder, period))
                .await
        })
    }

    fn resign(&self, name: String, holder: String) -> BrokerFuture<'_, ()> {
        Box::pin(async move {
            self.writer
                .call_light(move |tx| manage::resign(tx, &name, &holder))
                .await
        })
    }

    fn leader(&self, name: String) -> BrokerFuture<'_, Option<String>> {
        let now = self.clock.now();
        Box::pin(
            self.finder
                .call(move |conn| workers::leader(conn, &name, now)),
        )
    }

    fn report(&self, worker: WorkerSnapshot, period: Duration) -> BrokerFuture<'_, ()> {
        Box::pin(async move {
            self.writer
                .call_light(move |tx| workers::report(tx, &worker, period))
                .await
        })
    }

    fn leave(&self, holder: String) -> BrokerFuture<'_, ()> {
        Box::pin(async move {
            self.writer
                .call_light(move |tx| workers::leave(tx, &holder))
                .await
        })
    }

    fn workers(&self) -> BrokerFuture<'_, Vec<WorkerSnapshot>> {
        let now = self.clock.now();
        Box::pin(self.finder.call(move |conn| workers::list(conn, now)))
    }

    fn overview(&self) -> BrokerFuture<'_, Vec<QueueCount>> {
        Box::pin(self.scanner.call(read::overview))
    }

    fn list(&self, filter: ListFilter) -> BrokerFuture<'_, Vec<Listed>> {
        Box::pin(async move {
            self.scanner
                .call(move |conn| read::list(conn, &filter))
                .await
        })
    }

    fn replay(&self, id: TaskId) -> BrokerFuture<'_, bool> {
        Box::pin(async move { self.writer.call(move |tx| manage::replay(tx, &id)).await })
    }

    fn purge(&self, queue: Option<String>, limit: usize) -> BrokerFuture<'_, usize> {
        /// So many are ended in one transaction, to keep it short.
        const BATCH: usize = 200;
        Box::pin(async move {
            let mut purged = 0;
            while purged < limit {
                let queue = queue.clone();
                let wanted = BATCH.min(limit - purged);
                let ended = self
                    .writer
                    .call(move |tx| manage::purge(tx, queue.as_deref(), wanted))
                    .await?;
                purged += ended;
                if ended < wanted {
                    break;
                }
            }
            Ok(purged)
        })
    }
}
