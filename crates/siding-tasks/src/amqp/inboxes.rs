//! Broadcasts: queues that a worker has for itself, each bound to a fanout exchange.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lapin::options::{QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};

use super::exchanges;
use super::session::Session;
use super::topology::{self, short};
use super::value::table;
use crate::broker::{BrokerError, ClaimRequest};
use crate::message::Destination;

/// What the names of such queues begin with, as in kombu.
const INBOX: &str = "bcast.";

/// How long such a queue is kept while nobody consumes from it: that of a worker that is gone, or busy all the time.
const KEPT_MILLIS: i32 = 24 * 3_600_000;

/// Whether a queue is one that a worker has for itself.
pub(super) fn is_inbox(queue: &str) -> bool {
    queue.starts_with(INBOX)
}

/// The queues that workers have for themselves.
#[derive(Debug, Default)]
pub(super) struct Inboxes(Mutex<HashMap<Owner, Inbox>>);

/// A worker, and the queue that it serves.
type Owner = (String, String);

#[derive(Clone, Debug)]
struct Inbox {
    /// The connection that it is of. Until the server has seen that one is lost, it gives its queues to no other.
    session: u64,
    queue: String,
    from: Destination,
}

impl Inboxes {
    /// Nothing is left half done under the lock.
    fn inboxes(&self) -> MutexGuard<'_, HashMap<Owner, Inbox>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The queues of a request, that of a broadcast as the worker has it.
    pub(super) fn served(&self, session: &Session, request: &ClaimRequest) -> Vec<String> {
        let served = request.queues.iter().map(|queue| {
            let owner = || (request.worker.clone(), queue.clone());
            match session.settings.task_queues.broadcast(queue) {
                Some(from) => self.inbox(session.number, owner(), from),
                None => queue.clone(),
            }
        });
        served.collect()
    }

    fn inbox(&self, session: u64, owner: Owner, from: &Destination) -> String {
        let new = || Inbox {
            session,
            queue: format!("{INBOX}{}", uuid::Uuid::new_v4()),
            from: from.clone(),
        };
        let mut inboxes = self.inboxes();
        let inbox = inboxes.entry(owner).or_insert_with(new);
        if inbox.session != session {
            *inbox = new();
        }
        inbox.queue.clone()
    }

    /// Makes sure that a queue is there to consume from.
    pub(super) async fn ensure(&self, session: &Session, queue: &str) -> Result<(), BrokerError> {
        let inbox = {
            let inboxes = self.inboxes();
            inboxes.values().find(|inbox| inbox.queue == queue).cloned()
        };
        match inbox {
            Some(inbox) => make(session, &inbox).await,
            None => topology::ensure_task_queue(session, queue).await,
        }
    }
}

/// It lives as long as the connection; kombu's lives as long as it has a consumer, and here those come and go.
async fn make(session: &Session, inbox: &Inbox) -> Result<(), BrokerError> {
    let Inbox { queue, from, .. } = inbox;
    let exchange = &from.exchange;
    topology::ensure(session, &exchange.name, &exchanges::missing(exchange)).await?;
    let channel = session.channel().await?;
    let options = QueueDeclareOptions {
        exclusive: true,
        ..QueueDeclareOptions::default()
    };
    let arguments = table([("x-expires", AMQPValue::LongInt(KEPT_MILLIS))]);
    let made = channel.queue_declare(short(queue)?, options, arguments);
    session.ask("make a queue for broadcasts", made).await?;
    let bound = channel.queue_bind(
        short(queue)?,
        short(&exchange.name)?,
        short(&from.routing_key)?,
        QueueBindOptions::default(),
        FieldTable::default(),
    );
    session.ask("bind a queue for broadcasts", bound).await?;
    let closed = channel.close(200, "done".into());
    session.ask("close a channel", closed).await
}
