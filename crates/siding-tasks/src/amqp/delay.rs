//! Messages whose eta is far, parked in RabbitMQ itself, as Celery's native delayed delivery does.
//!
//! There are 28 queues whose messages live for 2^n seconds and then go to the exchange of the level below. A message's
//! routing key begins with its delay in seconds as 28 bits, the highest first: at each level, a 1 leads into the queue, a 0
//! past it. Below the lowest level, `celery_delayed_delivery` gives it to the queue that ends its routing key.
//!
//! Source: `kombu/transport/native_delayed_delivery.py`.

use lapin::ExchangeKind;
use lapin::options::{ExchangeBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};

use super::error::failed;
use super::publish::{Outgoing, Route};
use super::session::Session;
use super::topology::{self, Missing, short};
use super::value::{self, table, text};
use crate::broker::BrokerError;
use crate::celery::parcel::Parcel;
use crate::message::{Message, Timestamp};

const LEVELS: u32 = 28;

const DELIVERY: &str = "celery_delayed_delivery";

/// What all delays need beside the name of a queue: 28 bits and as many dots.
const PREFIX_BYTES: usize = 2 * LEVELS as usize;

/// `parcel`, which is `message`, on its way: parked until its eta if that is far and it can be, else to its queue, whose
/// worker holds it.
pub(super) async fn outgoing(
    session: &Session,
    message: &Message,
    mut parcel: Parcel,
    now: Timestamp,
) -> Outgoing {
    let queue = &message.queue;
    let far = message.eta.filter(|eta| is_far(session, *eta, now));
    if let Some(eta) = far
        && fits(queue)
        && is_ready(session, queue).await
    {
        // RabbitMQ would count it anew in each queue on the way; the header tells the worker.
        parcel.properties.expiration = None;
        return Outgoing {
            exchange: level(LEVELS - 1),
            routing_key: routing_key(queue, eta.since(now).as_secs()),
            route: Route::Required,
            properties: value::properties(&parcel),
            body: parcel.body,
        };
    }
    Outgoing::to_queue(queue, &parcel)
}

/// Whether an eta is so far that no worker should hold its message.
pub(super) fn is_far(session: &Session, eta: Timestamp, now: Timestamp) -> bool {
    eta.since(now) > session.settings.park_beyond
}

/// Whether a message that came early can be parked after all.
pub(super) async fn can_park(session: &Session, queue: &str) -> bool {
    fits(queue) && is_ready(session, queue).await
}

/// Whether a queue's name leaves room for the bits, and is no pattern.
fn fits(queue: &str) -> bool {
    let pattern = |word: &str| word == "*" || word == "#";
    queue.len() + PREFIX_BYTES <= 255 && !queue.split('.').any(pattern)
}

fn level(number: u32) -> String {
    format!("celery_delayed_{number}")
}

/// The delay as bits, and the queue.
fn routing_key(queue: &str, seconds: u64) -> String {
    let seconds = seconds.min((1 << LEVELS) - 1);
    let mut key = String::with_capacity(PREFIX_BYTES + queue.len());
    for bit in (0..LEVELS).rev() {
        key.push(if seconds >> bit & 1 == 1 { '1' } else { '0' });
        key.push('.');
    }
    key.push_str(queue);
    key
}

/// Whether messages for `queue` can be parked: the first one of a session makes what that needs.
async fn is_ready(session: &Session, queue: &str) -> bool {
    let ready = session.delay.get_or_init(|| async {
        match make(session).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(
                    %error,
                    "messages with a far eta are not parked in the AMQP server but held by workers"
                );
                false
            }
        }
    });
    if !*ready.await {
        return false;
    }
    let binding = format!("delay of {queue}");
    if session.knows(&binding) {
        return true;
    }
    // Celery binds with `#.queue`, which also matches what is meant for another queue whose name ends so.
    let key = format!("{}{queue}", "*.".repeat(LEVELS as usize));
    match topology::bind(session, queue, DELIVERY, &key).await {
        Ok(()) => {
            session.learn(&binding);
            true
        }
        Err(error) => {
            tracing::warn!(queue, %error, "messages of this queue with a far eta are held by workers");
            false
        }
    }
}

/// Makes all levels that are missing.
async fn make(session: &Session) -> Result<(), BrokerError> {
    let topic = Missing::durable_exchange(ExchangeKind::Topic);
    topology::ensure(session, DELIVERY, &topic).await?;
    for number in 0..LEVELS {
        let this = level(number);
        let below = number
            .checked_sub(1)
            .map_or_else(|| DELIVERY.to_owned(), level);
        topology::ensure(session, &this, &topic).await?;
        let queue = Missing::Queue(QueueDeclareOptions::durable(), arguments(number, &below));
        topology::ensure(session, &this, &queue).await?;
        let stars = "*.".repeat((LEVELS - 1 - number) as usize);
        topology::bind(session, &this, &this, &format!("{stars}1.#")).await?;
        bind_exchange(session, &below, &this, &format!("{stars}0.#")).await?;
    }
    Ok(())
}

/// As Celery makes them unless told otherwise.
fn arguments(number: u32, below: &str) -> FieldTable {
    let lifetime_ms = 1_000_i64 << number;
    let lifetime = match i32::try_from(lifetime_ms) {
        Ok(lifetime) => AMQPValue::LongInt(lifetime),
        Err(_) => AMQPValue::LongLongInt(lifetime_ms),
    };
    table([
        ("x-queue-type", text("quorum")),
        ("x-overflow", text("reject-publish")),
        ("x-message-ttl", lifetime),
        ("x-dead-letter-exchange", text(below)),
        ("x-dead-letter-strategy", text("at-least-once")),
    ])
}

async fn bind_exchange(
    session: &Session,
    destination: &str,
    source: &str,
    key: &str,
) -> Result<(), BrokerError> {
    let channel = session.scout().await?;
    let bound = channel.exchange_bind(
        short(destination)?,
        short(source)?,
        short(key)?,
        ExchangeBindOptions::default(),
        FieldTable::default(),
    );
    let bound = session
        .ask("bind an exchange", async { Ok(bound.await) })
        .await?;
    bound.map_err(|error| failed("bind an exchange of delayed delivery", &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_routing_key_is_the_delay_in_bits() {
        assert_eq!(
            routing_key("celery", 10),
            "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.1.0.celery"
        );
        let longest = "1.".repeat(28);
        assert_eq!(routing_key("q", u64::MAX), format!("{longest}q"));
    }

    #[test]
    fn only_names_that_fit_are_parked() {
        assert!(fits("celery") && fits("a.b-#.c") && fits(&"q".repeat(199)));
        assert!(!fits(&"q".repeat(200)) && !fits("a.#") && !fits("*"));
    }
}
