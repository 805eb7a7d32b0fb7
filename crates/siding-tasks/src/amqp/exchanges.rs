//! Sending to exchanges of one's own, and what is bound to them.
//!
//! A server that is asked to publish to an exchange which it has not closes the channel. So it is asked for the exchange first;
//! and as it may be deleted in between, nothing else is published on that channel.

use std::collections::BTreeSet;

use lapin::ExchangeKind as Kind;

use super::publish::{Outgoing, Receipt, Route};
use super::session::Session;
use super::topology::{self, Missing};
use super::value;
use crate::broker::BrokerError;
use crate::celery::parcel::Parcel;
use crate::message::{Destination, Exchange, ExchangeKind};

/// The exchange as it is made when it is missing: as kombu makes it.
pub(super) fn missing(exchange: &Exchange) -> Missing {
    Missing::durable_exchange(match exchange.kind {
        ExchangeKind::Direct => Kind::Direct,
        ExchangeKind::Topic => Kind::Topic,
        ExchangeKind::Fanout => Kind::Fanout,
    })
}

/// `parcel` on its way to an exchange, which is there.
pub(super) async fn outgoing(
    session: &Session,
    to: &Destination,
    parcel: Parcel,
) -> Result<Outgoing, BrokerError> {
    let exchange = &to.exchange;
    for queue in session.settings.task_queues.bound_to(exchange) {
        topology::ensure_task_queue(session, queue).await?;
    }
    if to.is_broadcast() {
        // Nobody need listen.
        topology::ensure(session, &exchange.name, &missing(exchange)).await?;
    } else if !topology::find(session, &exchange.name, &missing(exchange)).await? {
        return Err(BrokerError::Unroutable(format!(
            "the AMQP server has no exchange {:?}; start the worker that makes it, or bind a queue to it in `task_queues`",
            exchange.name
        )));
    }
    Ok(Outgoing {
        exchange: exchange.name.clone(),
        routing_key: to.routing_key.clone(),
        route: match to.is_broadcast() {
            true => Route::Optional,
            false => Route::Required,
        },
        properties: value::properties(&parcel),
        body: parcel.body,
    })
}

/// Publishes. An exchange may have been deleted since it was seen; then the next message looks for it again.
pub(super) async fn publish(session: &Session, all: Vec<Outgoing>) -> Result<(), BrokerError> {
    if all.is_empty() {
        return Ok(());
    }
    let receipts = session.publish_to_exchanges(all.clone()).await;
    let receipts = receipts.inspect_err(|_| {
        for message in &all {
            topology::doubt_exchange(session, &message.exchange);
        }
    })?;
    if receipts.contains(&Receipt::Refused) {
        return Err(topology::refused());
    }
    let lost = all
        .iter()
        .zip(&receipts)
        .filter(|(_, receipt)| matches!(receipt, Receipt::Unroutable(_)));
    let lost: BTreeSet<_> = lost
        .map(|(message, _)| {
            format!(
                "{:?} with the routing key {:?}",
                message.exchange, message.routing_key
            )
        })
        .collect();
    match lost.is_empty() {
        true => Ok(()),
        false => Err(BrokerError::Unroutable(format!(
            "no queue is bound to the exchange {}; start the worker that serves one, or bind one in `task_queues`",
            lost.into_iter().collect::<Vec<_>>().join(", ")
        ))),
    }
}
