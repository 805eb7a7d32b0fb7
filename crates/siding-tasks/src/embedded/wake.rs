//! Telling those who wait, in this process and in others.
//!
//! Each process has a datagram socket in `<data>/wake/`. Who has committed something that others may wait for sends each
//! socket what is new. A socket that nobody listens on any more is removed. A message that is lost, because the other's
//! queue is full, is made up for by the safety net in [`bell`](super::bell).

use std::collections::HashMap;
use std::os::unix::net::UnixDatagram;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{oneshot, watch};

use super::peers::Peers;
use super::tx::News;
use crate::message::TaskId;

/// A datagram has no more than this, so that it fits everywhere.
const DATAGRAM: usize = 4_000;

/// Says in a datagram's first byte that something changed.
const CHANGED: u8 = b'c';
const UNCHANGED: u8 = b'-';

/// Who waits, and who is to be told.
#[derive(Debug)]
pub(super) struct Wake {
    changed: watch::Sender<u64>,
    waiters: Mutex<Waiters>,
    waiting: AtomicUsize,
    /// Interrupts the bell's thread.
    doorbell: UnixDatagram,
    /// Other processes, if they can be reached.
    peers: Option<Peers>,
}

#[derive(Debug, Default)]
struct Waiters {
    last: u64,
    by_task: HashMap<TaskId, Vec<(u64, oneshot::Sender<()>)>>,
}

impl Wake {
    pub(super) fn new(doorbell: UnixDatagram, peers: Option<Peers>) -> Self {
        Self {
            changed: watch::Sender::new(0),
            waiters: Mutex::default(),
            waiting: AtomicUsize::new(0),
            doorbell,
            peers,
        }
    }

    /// What is new, to everybody.
    pub(super) fn tell(&self, news: &News) {
        if news.is_empty() {
            return;
        }
        if let Some(peers) = &self.peers {
            peers.send(&datagrams(news));
        }
        self.tell_here(news);
    }

    /// What is new, to this process.
    fn tell_here(&self, news: &News) {
        if news.changed {
            self.changed.send_modify(|count| *count += 1);
        }
        if news.finished.is_empty() {
            return;
        }
        let mut waiters = self.waiters();
        for id in &news.finished {
            waiters.by_task.remove(id);
        }
    }

    /// Everybody here is to look again.
    pub(super) fn tell_everything(&self) {
        self.changed.send_modify(|count| *count += 1);
        self.waiters().by_task.clear();
    }

    /// What a datagram says.
    pub(super) fn hear(&self, datagram: &[u8]) {
        let Some((first, ids)) = datagram.split_first() else {
            return;
        };
        let ids = ids.split(|byte| *byte == b'\n').filter(|id| !id.is_empty());
        self.tell_here(&News {
            changed: *first == CHANGED,
            finished: ids
                .map(|id| TaskId::from(String::from_utf8_lossy(id).into_owned()))
                .collect(),
        });
    }

    /// A future that resolves when something has changed since this call.
    pub(super) fn changed(&self) -> impl Future<Output = ()> + Send + '_ {
        let mut changes = self.changed.subscribe();
        async move {
            let _waiting = self.wait();
            // It cannot fail: the sender is in `self`.
            drop(changes.changed().await);
        }
    }

    /// Resolves when `id` may have ended since this call.
    pub(super) fn finished(&self, id: TaskId) -> impl Future<Output = ()> + Send + '_ {
        let (told, end) = oneshot::channel();
        let key = {
            let mut waiters = self.waiters();
            waiters.last += 1;
            let key = waiters.last;
            let others = waiters.by_task.entry(id.clone()).or_default();
            others.push((key, told));
            key
        };
        let registered = Registered {
            wake: self,
            id,
            key,
        };
        async move {
            let _registered = registered;
            let _waiting = self.wait();
            // The sender is dropped instead of used.
            drop(end.await);
        }
    }

    /// Whether anybody waits.
    pub(super) fn is_awaited(&self) -> bool {
        // SeqCst with `wait`: either the bell sees who waits, or it is interrupted after it has looked.
        self.waiting.load(Ordering::SeqCst) > 0
    }

    fn wait(&self) -> Waiting<'_> {
        if self.waiting.fetch_add(1, Ordering::SeqCst) == 0 {
            self.interrupt();
        }
        Waiting(self)
    }

    /// Has the bell's thread look around.
    pub(super) fn interrupt(&self) {
        // A full queue interrupts as well.
        drop(self.doorbell.send(&[]));
    }

    fn waiters(&self) -> MutexGuard<'_, Waiters> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who waits for anything.
struct Waiting<'a>(&'a Wake);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

/// One who waits for a task.
struct Registered<'a> {
    wake: &'a Wake,
    id: TaskId,
    key: u64,
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        let mut waiters = self.wake.waiters();
        if let Some(others) = waiters.by_task.get_mut(&self.id) {
            others.retain(|(key, _)| *key != self.key);
            if others.is_empty() {
                waiters.by_task.remove(&self.id);
            }
        }
    }
}

/// As many datagrams as it takes.
fn datagrams(news: &News) -> Vec<Vec<u8>> {
    let first = if news.changed { CHANGED } else { UNCHANGED };
    let mut datagrams = vec![vec![first]];
    for id in &news.finished {
        let id = id.as_str().as_bytes();
        if datagrams
            .last()
            .is_some_and(|last| last.len() + id.len() + 1 > DATAGRAM)
        {
            datagrams.push(vec![UNCHANGED]);
        }
        if let Some(last) = datagrams.last_mut() {
            last.extend_from_slice(id);
            last.push(b'\n');
        }
    }
    datagrams
}
