//! Broadcasts to workers like this one: what is said on a channel goes into a list that one worker has for itself, and is
//! claimed from there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::time::Instant;

use super::Shared;
use super::ears::Subscription;
use super::place::{self, INBOX};
use crate::broker::{BrokerError, ClaimRequest};
use crate::celery::envelope;
use crate::message::{Destination, Priority};

/// A worker that has claimed nothing for so long is gone; one that is busy all the time claims nothing either.
const GONE: Duration = Duration::from_secs(24 * 3_600);

/// How often it is seen whether the worker is gone.
const LOOK: Duration = Duration::from_secs(1);

/// How long a list is kept that nobody claims from and nothing comes into, in milliseconds.
const KEPT_MILLIS: u64 = 24 * 3_600_000;

/// A worker, and the queue that it has for itself.
type Owner = (String, String);

/// The lists of workers that hear broadcasts.
#[derive(Debug, Default)]
pub(super) struct Inboxes(Mutex<HashMap<Owner, Inbox>>);

#[derive(Debug)]
struct Inbox {
    /// As kombu calls the queue of a `Broadcast`.
    queue: String,
    claimed_at: Instant,
}

impl Inboxes {
    /// Nothing is left half done under the lock.
    fn inboxes(&self) -> MutexGuard<'_, HashMap<Owner, Inbox>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The queue of a worker that claims now.
    fn claimed(&self, owner: &Owner) -> Option<String> {
        let mut inboxes = self.inboxes();
        let inbox = inboxes.get_mut(owner)?;
        inbox.claimed_at = Instant::now();
        Some(inbox.queue.clone())
    }

    /// Forgets a worker that is gone, and says whether it is.
    fn forget_gone(&self, owner: &Owner) -> bool {
        let mut inboxes = self.inboxes();
        let gone = inboxes
            .get(owner)
            .is_none_or(|inbox| inbox.claimed_at.elapsed() > GONE);
        if gone {
            inboxes.remove(owner);
        }
        gone
    }
}

impl Shared {
    /// The queues of a request, as they are here: each declared, and that of a broadcast as this worker has it.
    pub(super) async fn served(
        self: &Arc<Self>,
        request: &ClaimRequest,
    ) -> Result<Vec<String>, BrokerError> {
        let mut queues = Vec::with_capacity(request.queues.len());
        for queue in &request.queues {
            match self.settings.task_queues.broadcast(queue) {
                Some(from) => queues.push(self.inbox(&request.worker, queue, from).await),
                None => {
                    self.declare_queue(queue).await?;
                    queues.push(queue.clone());
                }
            }
        }
        Ok(queues)
    }

    /// The queue that a worker has for itself; it listens from when this returns.
    async fn inbox(self: &Arc<Self>, worker: &str, queue: &str, from: &Destination) -> String {
        let owner = (worker.to_owned(), queue.to_owned());
        if let Some(queue) = self.inboxes.claimed(&owner) {
            return queue;
        }
        let queue = format!("{INBOX}{}", uuid::Uuid::new_v4());
        // As kombu has it, `#` is any text there too.
        let channel = place::channel(&self.keys, from).replace('#', "*");
        let news = self.ears.subscribe(channel, true).await;
        let inbox = Inbox {
            queue: queue.clone(),
            claimed_at: Instant::now(),
        };
        self.inboxes.inboxes().insert(owner.clone(), inbox);
        let listening = listen(Arc::downgrade(self), owner, queue.clone(), news);
        drop(crate::background::spawn(listening));
        queue
    }

    /// Puts what was said into the list of a worker. What is no message is put aside when it is claimed.
    async fn take_in(&self, queue: &str, text: &[u8]) -> Result<(), BrokerError> {
        let priority = std::str::from_utf8(text)
            .ok()
            .and_then(|text| envelope::open(text).ok())
            .and_then(|(parcel, _)| Priority::new(parcel.properties.priority));
        let list = self.keys.list(queue, priority.unwrap_or_default());
        let mut commands = redis::pipe();
        commands
            .atomic()
            .lpush(&list, text)
            .ignore()
            .cmd("PEXPIRE")
            .arg(&list)
            .arg(KEPT_MILLIS)
            .ignore();
        self.link.pipe(&commands).await
    }

    async fn throw_away(&self, queue: String) -> Result<(), BrokerError> {
        let mut delete = redis::cmd("DEL");
        for (list, _) in self.keys.lists(&[queue]) {
            delete.arg(list);
        }
        self.link.query(&delete).await
    }
}

/// Listens until the worker is gone, or the broker.
async fn listen(shared: Weak<Shared>, owner: Owner, queue: String, mut news: Subscription) {
    loop {
        let heard = tokio::time::timeout(LOOK, news.next()).await;
        let Some(shared) = shared.upgrade() else {
            return;
        };
        if shared.inboxes.forget_gone(&owner) {
            if let Err(error) = shared.throw_away(queue).await {
                tracing::debug!(%error, "the list of a worker that is gone expires by itself");
            }
            return;
        }
        if let Ok(text) = heard
            && let Err(error) = shared.take_in(&queue, &text).await
        {
            tracing::warn!(queue = owner.1, %error, "a broadcast was heard and is lost");
        }
    }
}
