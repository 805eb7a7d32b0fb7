//! Messages that cannot be understood: moved to a queue of their own, where somebody can look at them.

use lapin::options::BasicAckOptions;

use super::arrivals::Arrived;
use super::publish::{Outgoing, Route};
use super::session::Session;
use super::topology::{self, Missing};
use super::value::{name, text};
use super::{error, sender};
use crate::broker::BrokerError;
use crate::celery::parcel::Refusal;
use crate::celery::results::Results;
use crate::message::{Exception, Message, Meta, State, Timestamp};

/// Moves a message to `<queue>.dead`, with the reason in its headers, and fails its task if that is known.
pub(super) async fn bury(
    session: &Session,
    results: &dyn Results,
    arrived: &Arrived,
    refusal: &Refusal,
) -> Result<(), BrokerError> {
    let room = arrived.queue.floor_char_boundary(255 - ".dead".len());
    let grave = format!("{}.dead", &arrived.queue[..room]);
    tracing::error!(
        queue = &*arrived.queue,
        moved_to = grave,
        id = refusal.id.as_ref().map(|id| id.as_str()),
        task = refusal.task,
        why = refusal.why,
        "a message cannot be understood"
    );
    topology::ensure(session, &grave, &Missing::durable_queue()).await?;
    sender::publish(session, vec![letter(arrived, grave, &refusal.why)]).await?;
    fail(results, arrived, refusal).await?;
    let acked = arrived.delivery.acker.ack(BasicAckOptions::default()).await;
    acked
        .map(drop)
        .map_err(|error| error::failed("take back a message", &error))
}

/// The message as it came, and why it is dead.
fn letter(arrived: &Arrived, grave: String, why: &str) -> Outgoing {
    let delivery = &arrived.delivery;
    let mut headers = delivery.properties.headers().clone().unwrap_or_default();
    let now = Timestamp::now().to_string();
    for (key, value) in [
        ("x-siding-why", why),
        ("x-siding-queue", &arrived.queue),
        ("x-siding-died-at", &now),
    ] {
        if let Some(key) = name(key) {
            headers.insert(key, text(value));
        }
    }
    Outgoing {
        exchange: String::new(),
        routing_key: grave,
        route: Route::Required,
        properties: delivery
            .properties
            .clone()
            .with_headers(headers)
            .with_delivery_mode(2),
        body: delivery.data.clone(),
    }
}

/// Whoever waits for the task's result hears of it.
async fn fail(
    results: &dyn Results,
    arrived: &Arrived,
    refusal: &Refusal,
) -> Result<(), BrokerError> {
    let Some(id) = refusal.id.clone() else {
        return Ok(());
    };
    let task = refusal.task.clone().unwrap_or_default();
    let reply_to = arrived.delivery.properties.reply_to().as_ref();
    let message = Message {
        id: id.clone(),
        reply_to: reply_to.map(|queue| queue.as_str().to_owned()),
        ..Message::new(task.clone())
    };
    let meta = Meta {
        state: State::Failure,
        exception: Some(Exception {
            exc_type: "DecodeError".to_owned(),
            exc_module: "kombu.exceptions".to_owned(),
            message: refusal.why.clone(),
        }),
        date_done: Some(Timestamp::now()),
        ..Meta::pending(id, task)
    };
    results.store(&message, &meta).await
}
