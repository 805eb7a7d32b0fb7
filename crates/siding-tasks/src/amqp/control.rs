//! Events and remote control, in Celery's exchanges.
//!
//! | exchange | kind | carries |
//! | --- | --- | --- |
//! | `celeryev` | topic, durable | events, by their type |
//! | `celery.pidbox` | fanout | what is said to all workers |
//! | `reply.celery.pidbox`, or as the request says | direct | their answers |

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use lapin::message::Delivery;
use lapin::options::{
    BasicConsumeOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Consumer, ExchangeKind};
use tokio::sync::mpsc;

use super::arrivals::next;
use super::link::{Link, State};
use super::publish::{Outgoing, Route};
use super::session::Session;
use super::topology::{self, Missing, short};
use super::value::{self, table};
use super::{Task, spawn};
use crate::broker::{BrokerError, BrokerFuture};
use crate::message::RawJson;
use crate::remote::{Broadcast, BrokerInfo, Listener, Remote};

const EVENTS: &str = "celeryev";
const PIDBOX: &str = "celery.pidbox";

/// So many broadcasts wait to be heard; further ones are dropped.
const UNHEARD: usize = 1_000;

/// How long to wait before the queue is asked for again. It may still belong to a connection that is lost.
const PAUSE: Duration = Duration::from_secs(1);

/// Events and remote control.
#[derive(Clone, Debug)]
pub(super) struct Control {
    pub(super) link: Arc<Link>,
}

fn transient(kind: ExchangeKind) -> Missing {
    Missing::Exchange(kind, ExchangeDeclareOptions::default())
}

fn outgoing(
    exchange: &str,
    routing_key: String,
    headers: &BTreeMap<String, RawJson>,
    body: &RawJson,
) -> Outgoing {
    let properties = BasicProperties::default()
        .with_content_type("application/json".into())
        .with_content_encoding("utf-8".into())
        .with_delivery_mode(1)
        .with_priority(0)
        .with_headers(value::headers(headers));
    Outgoing {
        exchange: exchange.to_owned(),
        routing_key,
        route: Route::Optional,
        properties,
        body: body.get().as_bytes().to_vec(),
    }
}

impl Control {
    /// What is said now is of no use later: without a connection it is not said.
    async fn say(&self, kind: Missing, message: Outgoing) -> Result<(), BrokerError> {
        let Some(session) = self.link.now()? else {
            return Err(BrokerError::Unavailable(
                "there is no connection to the AMQP server now".to_owned(),
            ));
        };
        topology::ensure(&session, &message.exchange, &kind).await?;
        session.publish_loosely(&message).await
    }
}

impl Remote for Control {
    fn publish(
        &self,
        routing_key: String,
        hostname: String,
        event: RawJson,
    ) -> BrokerFuture<'_, ()> {
        Box::pin(async move {
            let mut headers = BTreeMap::new();
            if let Ok(hostname) = RawJson::of(&hostname) {
                headers.insert("hostname".to_owned(), hostname);
            }
            let message = outgoing(EVENTS, routing_key, &headers, &event);
            let kind = Missing::durable_exchange(ExchangeKind::Topic);
            self.say(kind, message).await
        })
    }

    fn listen(&self, hostname: String) -> Box<dyn Listener> {
        let (heard, broadcasts) = mpsc::channel(UNHEARD);
        let pidbox = Pidbox {
            link: Arc::clone(&self.link),
            queue: format!("{hostname}.{PIDBOX}"),
            heard,
        };
        Box::new(Ear {
            hostname,
            broadcasts,
            _keeper: spawn(pidbox.keep_listening()),
        })
    }

    fn broadcast(&self, request: Broadcast) -> BrokerFuture<'_, ()> {
        Box::pin(async move {
            let message = outgoing(PIDBOX, String::new(), &request.headers, &request.body);
            self.say(transient(ExchangeKind::Fanout), message).await
        })
    }

    fn answer(
        &self,
        exchange: String,
        routing_key: String,
        answer: Broadcast,
    ) -> BrokerFuture<'_, ()> {
        Box::pin(async move {
            let message = outgoing(&exchange, routing_key, &answer.headers, &answer.body);
            self.say(transient(ExchangeKind::Direct), message).await
        })
    }

    fn info(&self) -> BrokerInfo {
        self.link.settings().info()
    }
}

/// Hears broadcasts, in every session.
struct Pidbox {
    link: Arc<Link>,
    queue: String,
    heard: mpsc::Sender<Broadcast>,
}

impl Pidbox {
    async fn keep_listening(self) {
        let mut state = self.link.watch();
        loop {
            let now = state.borrow_and_update().clone();
            let listening = match now {
                State::Connected(session) => self.listen(&session).await.map(Some),
                State::Lost => Ok(None),
                State::Closed => return,
            };
            let pause = async {
                match listening {
                    Ok(Some(consumer)) => self.hear_all(consumer).await,
                    Ok(None) => std::future::pending().await,
                    Err(error) => {
                        tracing::warn!(%error, "remote control is not heard; trying again");
                    }
                }
                // The consumer is gone while the connection is not, or the server did not give it.
                tokio::time::sleep(PAUSE).await;
            };
            tokio::select! {
                changed = state.changed() => if changed.is_err() { return },
                () = pause => {}
            }
        }
    }

    async fn hear_all(&self, mut consumer: Consumer) {
        while let Some(delivery) = next(&mut consumer).await {
            hear(&self.heard, delivery);
        }
    }

    async fn listen(&self, session: &Session) -> Result<Consumer, BrokerError> {
        topology::ensure(session, PIDBOX, &transient(ExchangeKind::Fanout)).await?;
        let channel = session.channel().await?;
        let options = QueueDeclareOptions {
            exclusive: true,
            auto_delete: true,
            ..QueueDeclareOptions::default()
        };
        let arguments = table([
            ("x-expires", AMQPValue::LongInt(10_000)),
            ("x-message-ttl", AMQPValue::LongInt(300_000)),
        ]);
        let queue = short(&self.queue)?;
        let made = channel.queue_declare(queue.clone(), options, arguments);
        session
            .ask("make the queue of remote control", made)
            .await?;
        let bound = channel.queue_bind(
            queue.clone(),
            PIDBOX.into(),
            ShortString::default(),
            QueueBindOptions::default(),
            FieldTable::default(),
        );
        session
            .ask("bind the queue of remote control", bound)
            .await?;
        let options = BasicConsumeOptions {
            no_ack: true,
            ..BasicConsumeOptions::default()
        };
        let consumer = channel.basic_consume(
            queue,
            ShortString::default(),
            options,
            FieldTable::default(),
        );
        session.ask("deliver remote control", consumer).await
    }
}

fn hear(heard: &mpsc::Sender<Broadcast>, delivery: Delivery) {
    let body = String::from_utf8(delivery.data).ok();
    let Some(body) = body.and_then(|body| RawJson::parse(body).ok()) else {
        tracing::warn!("a message of remote control is no JSON");
        return;
    };
    let broadcast = Broadcast {
        headers: value::parcel(&delivery.properties, Vec::new()).headers,
        body,
    };
    if heard.try_send(broadcast).is_err() {
        tracing::warn!("a message of remote control is dropped: too many wait");
    }
}

/// What a worker hears with.
struct Ear {
    hostname: String,
    broadcasts: mpsc::Receiver<Broadcast>,
    _keeper: Task,
}

impl Listener for Ear {
    fn next(&mut self) -> Pin<Box<dyn Future<Output = Broadcast> + Send + '_>> {
        Box::pin(async move {
            match self.broadcasts.recv().await {
                Some(broadcast) => broadcast,
                // The broker was closed.
                None => std::future::pending().await,
            }
        })
    }
}

impl fmt::Debug for Ear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ear")
            .field("hostname", &self.hostname)
            .finish_non_exhaustive()
    }
}
