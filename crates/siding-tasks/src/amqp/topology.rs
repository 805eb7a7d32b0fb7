//! Queues and exchanges, declared as Celery does, and never against what is there.
//!
//! A declaration that differs from what is there is an error. So each is first asked for passively, and made only when it is
//! missing. What is there is used as it is: classic, quorum, with priorities.

use lapin::ExchangeKind;
use lapin::options::{
    ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::protocol::AMQPSoftError;
use lapin::types::{FieldTable, ShortString};

use super::error::{failed, refusal};
use super::session::Session;
use super::value::name;
use super::{exchanges, inboxes};
use crate::broker::BrokerError;

/// How many messages wait in a queue, and how many consumers it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct QueueState {
    pub(super) messages: u32,
    pub(super) consumers: u32,
}

/// A queue or exchange, as it is made when it is missing.
#[derive(Clone, Debug)]
pub(super) enum Missing {
    Queue(QueueDeclareOptions, FieldTable),
    Exchange(ExchangeKind, ExchangeDeclareOptions),
}

impl Missing {
    /// As Celery makes queues of tasks.
    pub(super) fn durable_queue() -> Self {
        Self::Queue(QueueDeclareOptions::durable(), FieldTable::default())
    }

    /// An exchange that outlives the server.
    pub(super) fn durable_exchange(kind: ExchangeKind) -> Self {
        let options = ExchangeDeclareOptions {
            durable: true,
            ..ExchangeDeclareOptions::default()
        };
        Self::Exchange(kind, options)
    }

    fn key(&self, called: &str) -> String {
        match self {
            Self::Queue(..) => format!("queue {called}"),
            Self::Exchange(..) => format!("exchange {called}"),
        }
    }
}

/// The name, unless AMQP has no room for it.
pub(super) fn short(text: &str) -> Result<ShortString, BrokerError> {
    name(text).ok_or_else(|| {
        BrokerError::Unsupported(format!(
            "the name {text:?} is too long: AMQP has room for 255 bytes"
        ))
    })
}

/// The state of a queue; `None` when there is none of this name.
pub(super) async fn look(
    session: &Session,
    queue: &str,
) -> Result<Option<QueueState>, BrokerError> {
    let channel = session.scout().await?;
    let passive = QueueDeclareOptions {
        passive: true,
        ..QueueDeclareOptions::default()
    };
    let asked = channel.queue_declare(short(queue)?, passive, FieldTable::default());
    let answer = session
        .ask("look at a queue", async { Ok(asked.await) })
        .await?;
    match answer {
        Ok(found) => Ok(Some(QueueState {
            messages: found.message_count(),
            consumers: found.consumer_count(),
        })),
        Err(error) => match refusal(&error) {
            Some(AMQPSoftError::NOTFOUND) => Ok(None),
            // Somebody has it for themselves: it is there.
            Some(AMQPSoftError::RESOURCELOCKED) => Ok(Some(QueueState {
                messages: 0,
                consumers: 1,
            })),
            _ => Err(failed(&format!("show the queue {queue:?}"), &error)),
        },
    }
}

/// Makes sure that a queue of tasks is there, and bound to the exchanges that it is said to be bound to.
pub(super) async fn ensure_task_queue(session: &Session, queue: &str) -> Result<(), BrokerError> {
    if inboxes::is_inbox(queue) {
        // Its worker makes it, and takes it along.
        return Ok(());
    }
    let mut bindings = session.settings.task_queues.bindings(queue).peekable();
    let is_made = ensure(session, queue, &Missing::durable_queue()).await?;
    if is_made && bindings.peek().is_none() {
        bind_as_celery(session, queue).await;
    }
    for bound in bindings {
        let binding = format!("binding of {queue} to {bound}");
        if is_made || !session.knows(&binding) {
            let exchange = &bound.exchange;
            ensure(session, &exchange.name, &exchanges::missing(exchange)).await?;
            bind(session, queue, &exchange.name, &bound.routing_key).await?;
            session.learn(&binding);
        }
    }
    Ok(())
}

/// Whether something is there.
pub(super) async fn find(
    session: &Session,
    called: &str,
    what: &Missing,
) -> Result<bool, BrokerError> {
    let key = what.key(called);
    let found = session.knows(&key) || exists(session, called, what).await?;
    if found {
        session.learn(&key);
    }
    Ok(found)
}

/// Makes sure that something is there, and says whether it was made.
pub(super) async fn ensure(
    session: &Session,
    called: &str,
    missing: &Missing,
) -> Result<bool, BrokerError> {
    let key = missing.key(called);
    if session.knows(&key) {
        return Ok(false);
    }
    let made = !exists(session, called, missing).await? && make(session, called, missing).await?;
    session.learn(&key);
    Ok(made)
}

/// A queue may be gone: it is looked for again.
pub(super) fn doubt_queue(session: &Session, queue: &str) {
    session.forget(&Missing::durable_queue().key(queue));
}

/// An exchange may be gone: it is looked for again.
pub(super) fn doubt_exchange(session: &Session, exchange: &str) {
    session.forget(&Missing::durable_exchange(ExchangeKind::Direct).key(exchange));
}

/// What is said when a queue takes no message.
pub(super) fn refused() -> BrokerError {
    BrokerError::Unavailable(
        "a queue of the AMQP server takes no more messages: it is full, or its server has failed"
            .to_owned(),
    )
}

async fn exists(session: &Session, called: &str, missing: &Missing) -> Result<bool, BrokerError> {
    let Missing::Exchange(kind, _) = missing else {
        return Ok(look(session, called).await?.is_some());
    };
    let channel = session.scout().await?;
    let passive = ExchangeDeclareOptions {
        passive: true,
        ..ExchangeDeclareOptions::default()
    };
    let asked =
        channel.exchange_declare(short(called)?, kind.clone(), passive, FieldTable::default());
    let answer = session
        .ask("look at an exchange", async { Ok(asked.await) })
        .await?;
    match answer {
        Ok(()) => Ok(true),
        Err(error) if refusal(&error) == Some(&AMQPSoftError::NOTFOUND) => Ok(false),
        Err(error) => Err(failed(&format!("show the exchange {called:?}"), &error)),
    }
}

/// Makes it, unless somebody else just has.
async fn make(session: &Session, called: &str, missing: &Missing) -> Result<bool, BrokerError> {
    let channel = session.scout().await?;
    let called_short = short(called)?;
    let made = async {
        Ok(match missing {
            Missing::Queue(options, arguments) => channel
                .queue_declare(called_short, *options, arguments.clone())
                .await
                .map(drop),
            Missing::Exchange(kind, options) => {
                channel
                    .exchange_declare(called_short, kind.clone(), *options, FieldTable::default())
                    .await
            }
        })
    };
    match session.ask("make a queue or exchange", made).await? {
        Ok(()) => Ok(true),
        Err(error) if refusal(&error) == Some(&AMQPSoftError::PRECONDITIONFAILED) => Ok(false),
        Err(error) => Err(failed(&format!("make {}", missing.key(called)), &error)),
    }
}

/// Binds a queue to the direct exchange of its name, which Celery's own clients do not need, but others may.
async fn bind_as_celery(session: &Session, queue: &str) {
    let bound = async {
        let exchange = Missing::durable_exchange(ExchangeKind::Direct);
        ensure(session, queue, &exchange).await?;
        bind(session, queue, queue, queue).await
    };
    if let Err(error) = bound.await {
        tracing::debug!(queue, %error, "the queue is not bound to an exchange of its name");
    }
}

/// Binds a queue to an exchange.
pub(super) async fn bind(
    session: &Session,
    queue: &str,
    exchange: &str,
    key: &str,
) -> Result<(), BrokerError> {
    let channel = session.scout().await?;
    let bound = channel.queue_bind(
        short(queue)?,
        short(exchange)?,
        short(key)?,
        QueueBindOptions::default(),
        FieldTable::default(),
    );
    session
        .ask(&format!("bind the queue {queue:?}"), bound)
        .await
}

/// Deletes a queue.
pub(super) async fn delete(session: &Session, queue: &str) -> Result<(), BrokerError> {
    let channel = session.scout().await?;
    let deleted = channel.queue_delete(short(queue)?, QueueDeleteOptions::default());
    session.ask("delete a queue", deleted).await.map(drop)
}
