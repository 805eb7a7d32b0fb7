//! Sending tasks.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::error::unsendable;
use super::publish::{Outgoing, Receipt};
use super::session::Session;
use super::topology;
use super::{address, delay, exchanges};
use crate::broker::{BrokerError, Enqueue};
use crate::celery::pack;
use crate::celery::parcel::Parcel;
use crate::celery::results::Results;
use crate::message::{Message, RawJson, Timestamp};
use crate::routes::TaskRoutes;

/// Sends tasks.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    pub(super) results: Arc<dyn Results>,
    pub(super) routes: TaskRoutes,
}

impl Sender {
    /// Whether all of it can be sent at all.
    pub(super) fn check(&self, request: &Enqueue) -> Result<(), BrokerError> {
        if let Some(message) = request
            .messages
            .iter()
            .find(|message| message.unique_key.is_some())
        {
            return Err(BrokerError::Unsupported(format!(
                "the task {} was sent with a unique key, which AMQP queues know nothing of; leave the key out, or use the \
                 embedded store or Redis as the broker",
                message.task
            )));
        }
        if !request.chords.is_empty() && self.results.chords().is_none() {
            return Err(BrokerError::Unsupported(
                "chords need a result backend that counts: --result-backend redis://…".to_owned(),
            ));
        }
        Ok(())
    }

    /// Sends all of it: answers when the server has confirmed every message.
    pub(super) async fn send(
        &self,
        session: &Session,
        request: Enqueue,
    ) -> Result<(), BrokerError> {
        self.check(&request)?;
        if let Some(chords) = self.results.chords() {
            for (group, parts) in &request.chords {
                chords.begin(group, *parts).await?;
            }
        }
        let now = Timestamp::now();
        let mut straight = Vec::with_capacity(request.messages.len());
        let mut routed = Vec::new();
        for mut message in request.messages {
            let parcel = self.parcel(session, &mut message)?;
            if let Some(to) = &message.destination {
                routed.push(exchanges::outgoing(session, to, parcel).await?);
            } else {
                topology::ensure_task_queue(session, &message.queue).await?;
                straight.push(delay::outgoing(session, &message, parcel, now).await);
            }
        }
        // These may lead nowhere; then nothing else was sent.
        exchanges::publish(session, routed).await?;
        publish(session, straight).await
    }

    /// Says where `message` goes if it says neither a queue nor an exchange, and which exchange if its queue is a broadcast.
    pub(super) fn route(&self, session: &Session, message: &mut Message) {
        self.routes.apply(message);
        session.settings.task_queues.apply(message);
    }

    /// `message` as it is sent, with all that it says about where.
    fn parcel(&self, session: &Session, message: &mut Message) -> Result<Parcel, BrokerError> {
        self.route(session, message);
        if let Some(reply_to) = &message.reply_to {
            address::address(&mut message.embed, reply_to);
        }
        answer_to_the_same(message)?;
        pack::pack(message).map_err(|error| unsendable(&message.task, &error))
    }
}

/// Has the rest of a chain answer to whoever the chain's first task answers to, as Celery does: another worker sends it, which
/// would have it answer to itself.
fn answer_to_the_same(message: &mut Message) -> Result<(), BrokerError> {
    let Some(reply_to) = &message.reply_to else {
        return Ok(());
    };
    let reply_to = RawJson::of(reply_to).map_err(|error| BrokerError::Broken(error.to_string()))?;
    for next in &mut message.embed.chain {
        let others = &mut next.options.others;
        others
            .entry("reply_to".to_owned())
            .or_insert_with(|| reply_to.clone());
    }
    Ok(())
}

/// Publishes, and once more what found no queue: it may have been deleted since it was seen.
pub(super) async fn publish(session: &Session, all: Vec<Outgoing>) -> Result<(), BrokerError> {
    let mut left = all;
    for attempt in 0..2 {
        let receipts = session.publish(left.clone()).await?;
        if receipts.contains(&Receipt::Refused) {
            return Err(topology::refused());
        }
        let unroutable = |receipt: &Receipt| matches!(receipt, Receipt::Unroutable(_));
        let routed: BTreeSet<usize> = (0..left.len())
            .filter(|at| !receipts.get(*at).is_some_and(unroutable))
            .collect();
        let mut at = 0..;
        left.retain(|_| at.next().is_some_and(|at| !routed.contains(&at)));
        if left.is_empty() {
            return Ok(());
        }
        if attempt == 0 {
            for message in left.iter().filter(|message| message.exchange.is_empty()) {
                topology::doubt_queue(session, &message.routing_key);
                topology::ensure_task_queue(session, &message.routing_key).await?;
            }
        }
    }
    let keys: BTreeSet<_> = left
        .into_iter()
        .map(|message| message.routing_key)
        .collect();
    Err(BrokerError::Unavailable(format!(
        "the AMQP server has no queue for messages to {keys:?}, though it was made; somebody deletes it, or a policy expires it"
    )))
}
