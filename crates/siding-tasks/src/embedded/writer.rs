//! The one thread that writes.
//!
//! Requests come over a bounded channel. The thread takes as many as are there, runs them in one transaction, makes that
//! durable by one write through to the disk, and only then answers. While it waits for the disk, the next group gathers:
//! the more callers there are, the more share one write.
//!
//! What need not survive the machine's end is not written through: whoever holds a lease or leads ends with the machine
//! that the file is on, and then nobody has. A group with nothing else in it waits for no disk.
//!
//! When a group fails, it is undone, and each of its requests runs again in a transaction of its own, so that one that
//! cannot be served (the disk is full, and it needs space) does not take others (which free some) down with it. A request
//! may therefore run more than once, and must not act on anything but the transaction.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use rusqlite::{Connection, ErrorCode};
use tokio::sync::{mpsc, oneshot};

use super::EmbeddedSettings;
use super::clock_jump::JumpGuard;
use super::error::explain;
use super::file;
use super::job::{Call, Durability, Job, Post};
use super::tx::{News, Tx};
use super::wake::Wake;
use crate::broker::BrokerError;

enum Order {
    Run(Box<dyn Job>),
    Close(oneshot::Sender<()>),
}

/// The way to the writer's thread, which ends with the last of these.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    orders: mpsc::Sender<Order>,
}

impl Writer {
    pub(super) fn start(
        conn: Connection,
        file: PathBuf,
        settings: EmbeddedSettings,
        wake: Arc<Wake>,
    ) -> std::io::Result<Self> {
        let (orders, inbox) = mpsc::channel(settings.waiting_requests.max(1));
        let thread = WriterThread {
            conn,
            file,
            durability: Durability::Power,
            jumps: JumpGuard::new(settings.clock.now()),
            settings,
            wake,
        };
        thread::Builder::new()
            .name("tasks-writer".to_owned())
            .spawn(move || thread.run(inbox))?;
        Ok(Self { orders })
    }

    /// Runs `run` in a transaction, perhaps more than once, and answers when that is durable.
    pub(super) async fn call<A, F>(&self, run: F) -> Result<A, BrokerError>
    where
        A: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> rusqlite::Result<A> + Send + 'static,
    {
        self.call_then(Durability::Power, run, |answer, _| answer)
            .await
    }

    /// The same without waiting for the disk.
    pub(super) async fn call_light<A, F>(&self, run: F) -> Result<A, BrokerError>
    where
        A: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> rusqlite::Result<A> + Send + 'static,
    {
        self.call_then(Durability::Processes, run, |answer, _| answer)
            .await
    }

    /// The same, with an answer that becomes something else once it is durable: something whose drop means something.
    pub(super) async fn call_then<A, B, F>(
        &self,
        durability: Durability,
        run: F,
        then: fn(A, &WeakWriter) -> B,
    ) -> Result<B, BrokerError>
    where
        A: Send + 'static,
        B: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> rusqlite::Result<A> + Send + 'static,
    {
        let (order, answer) = self.order(durability, run, then);
        let sent = self.orders.send(order).await;
        sent.map_err(|_| BrokerError::Closed)?;
        answer.await.unwrap_or(Err(BrokerError::Closed))
    }

    /// [`call`](Self::call) from a thread that may block.
    pub(super) fn call_blocking<A, F>(&self, run: F) -> Result<A, BrokerError>
    where
        A: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> rusqlite::Result<A> + Send + 'static,
    {
        let (order, answer) = self.order(Durability::Power, run, |answer, _| answer);
        let sent = self.orders.blocking_send(order);
        sent.map_err(|_| BrokerError::Closed)?;
        answer.blocking_recv().unwrap_or(Err(BrokerError::Closed))
    }

    /// Has `run` run if there is room, and waits for nothing.
    pub(super) fn try_post<F>(&self, run: F)
    where
        F: FnMut(&mut Tx<'_>) -> rusqlite::Result<()> + Send + 'static,
    {
        // Without room it does not happen.
        drop(self.orders.try_send(Order::Run(Box::new(Post(run)))));
    }

    /// Resolves when everything asked for before is done and the file is closed. What is asked for later is refused.
    pub(super) async fn close(&self) {
        let (closed, done) = oneshot::channel();
        if self.orders.send(Order::Close(closed)).await.is_ok() {
            // An error says the same: the thread has ended.
            drop(done.await);
        }
    }

    /// A handle that does not keep the thread alive.
    pub(super) fn downgrade(&self) -> WeakWriter {
        WeakWriter(self.orders.downgrade())
    }

    fn order<A, B, F>(
        &self,
        durability: Durability,
        run: F,
        then: fn(A, &WeakWriter) -> B,
    ) -> (Order, oneshot::Receiver<Result<B, BrokerError>>)
    where
        A: Send + 'static,
        B: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> rusqlite::Result<A> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let call = Call {
            run,
            answer: None,
            then,
            writer: self.downgrade(),
            durability,
            reply,
        };
        (Order::Run(Box::new(call)), answer)
    }
}

/// The way to the writer's thread as long as somebody else holds it open.
#[derive(Clone, Debug)]
pub(super) struct WeakWriter(mpsc::WeakSender<Order>);

impl WeakWriter {
    pub(super) fn upgrade(&self) -> Option<Writer> {
        self.0.upgrade().map(|orders| Writer { orders })
    }
}

struct WriterThread {
    conn: Connection,
    file: PathBuf,
    settings: EmbeddedSettings,
    /// What the next commit promises.
    durability: Durability,
    jumps: JumpGuard,
    wake: Arc<Wake>,
}

impl WriterThread {
    fn run(mut self, mut inbox: mpsc::Receiver<Order>) {
        file::patience(&self.file, &self.settings).here();
        let mut group = Vec::new();
        let mut closing = None;
        while let Some(first) = inbox.blocking_recv() {
            let mut next = Some(first);
            while let Some(order) = next {
                match order {
                    Order::Run(job) => group.push(job),
                    Order::Close(closed) => {
                        inbox.close();
                        closing = Some(closed);
                    }
                }
                next = (group.len() < self.settings.group)
                    .then(|| inbox.try_recv().ok())
                    .flatten();
            }
            self.serve(&mut group);
        }
        // The file is closed before anybody is told so.
        drop(self);
        drop(closing);
    }

    fn serve(&mut self, group: &mut Vec<Box<dyn Job>>) {
        group.retain(|job| job.is_wanted());
        if group.is_empty() {
            return;
        }
        let outcome = self.transact(group);
        match outcome {
            Ok(news) => self.answer(group.drain(..), &news),
            Err(error) if group.len() > 1 && !is_locked(&error) => {
                tracing::debug!(%error, requests = group.len(), "a group failed; its requests run one by one");
                for job in group.drain(..) {
                    self.serve_alone(job);
                }
            }
            Err(error) => self.refuse(group.drain(..), &error),
        }
    }

    fn serve_alone(&mut self, job: Box<dyn Job>) {
        let mut alone = [job];
        let outcome = self.transact(&mut alone);
        match outcome {
            Ok(news) => self.answer(alone, &news),
            Err(error) => self.refuse(alone, &error),
        }
    }

    /// Everything in `group`, or nothing.
    fn transact(&mut self, group: &mut [Box<dyn Job>]) -> rusqlite::Result<News> {
        let outcome = self.attempt(group);
        if outcome.is_err() && !self.conn.is_autocommit() {
            // SQLite undoes by itself after some errors, and leaves it to us after others.
            if let Err(error) = self.conn.execute_batch("ROLLBACK") {
                tracing::error!(%error, file = %self.file.display(), "failed to roll back");
            }
        }
        outcome
    }

    fn attempt(&mut self, group: &mut [Box<dyn Job>]) -> rusqlite::Result<News> {
        self.promise(group)?;
        let mut tx = Tx::begin(&self.conn, &self.settings)?;
        self.jumps.check(&mut tx)?;
        for job in group {
            job.run(&mut tx)?;
        }
        let now = tx.now;
        let news = tx.commit()?;
        self.jumps.committed(now);
        Ok(news)
    }

    /// Has the next commit promise as much as any in `group` does.
    fn promise(&mut self, group: &[Box<dyn Job>]) -> rusqlite::Result<()> {
        let wanted = group.iter().map(|job| job.durability()).max();
        let wanted = wanted.unwrap_or(Durability::Power);
        if wanted != self.durability {
            let synchronous = wanted.synchronous();
            self.conn.pragma_update(None, "synchronous", synchronous)?;
            self.durability = wanted;
        }
        Ok(())
    }

    fn answer(&self, group: impl IntoIterator<Item = Box<dyn Job>>, news: &News) {
        // Others first: a process may end as soon as it has its answer.
        self.wake.tell(news);
        for job in group {
            job.answer(Ok(()));
        }
    }

    fn refuse(&self, group: impl IntoIterator<Item = Box<dyn Job>>, error: &rusqlite::Error) {
        let reason = explain(&self.file, error);
        tracing::warn!(%error, "the task store could not serve a request");
        for job in group {
            job.answer(Err(reason.clone()));
        }
    }
}

/// Somebody else has the lock: one by one, each request would wait for it once more.
fn is_locked(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use super::*;
    use crate::embedded::file;

    const NORMAL: i64 = 1;
    const FULL: i64 = 2;

    fn synchronous(tx: &mut Tx<'_>) -> rusqlite::Result<i64> {
        tx.value("PRAGMA synchronous", [])
    }

    #[tokio::test]
    async fn whoever_is_promised_the_disk_is_written_through_to_it() {
        let dir = tempfile::TempDir::new().unwrap();
        let settings = EmbeddedSettings::default();
        let (file, conn) = file::open(dir.path(), &settings).unwrap();
        let (_ears, doorbell) = UnixDatagram::pair().unwrap();
        let wake = Arc::new(Wake::new(doorbell, None));
        let writer = Writer::start(conn, file, settings, wake).unwrap();
        assert_eq!(writer.call(synchronous).await.unwrap(), FULL);
        assert_eq!(writer.call_light(synchronous).await.unwrap(), NORMAL);
        assert_eq!(writer.call(synchronous).await.unwrap(), FULL);
        // While the first of these holds the writer up, the others gather behind it.
        let (gathered, go_on) = std::sync::mpsc::channel::<()>();
        let go_on = std::sync::Mutex::new(go_on);
        let hold = writer.call_light(move |_| {
            let _ = go_on.lock().unwrap().recv();
            Ok(())
        });
        let release = async move { drop(gathered) };
        let (held, light, durable, ()) = tokio::join!(
            hold,
            writer.call_light(synchronous),
            writer.call(synchronous),
            release
        );
        held.unwrap();
        assert_eq!((light.unwrap(), durable.unwrap()), (FULL, FULL));
    }
}
