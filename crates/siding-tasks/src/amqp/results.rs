//! Results by `rpc://`: a worker sends the result of a task to the queue that the task's message names.
//!
//! That queue belongs to the process that sent the message, and only it reads there. Unlike Celery's, it outlives the
//! connection for a while, so that what is sent while the connection is lost is there when it is back.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use lapin::message::Delivery;
use lapin::options::{BasicConsumeOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, ShortString};
use tokio::sync::{Mutex, Notify};

use super::arrivals::next;
use super::link::{Link, State};
use super::publish::{Outgoing, Route};
use super::replies::Replies;
use super::session::Session;
use super::topology::{self, short};
use super::value::table;
use super::{Task, sender, spawn};
use crate::broker::{BrokerError, BrokerFuture, Found};
use crate::celery::document;
use crate::celery::parcel::{Parcel, Properties};
use crate::celery::results::Results;
use crate::message::{Message, Meta, TaskId};

/// The queue is deleted when nobody has read it for so long.
const LIFETIME_MS: i32 = 30 * 60 * 1_000;

/// How long to wait before the queue is asked for again, when the server did not give it.
const PAUSE: Duration = Duration::from_secs(1);

/// Results by `rpc://`.
#[derive(Debug)]
pub(super) struct Rpc {
    reader: Arc<Reader>,
    keeper: OnceLock<Task>,
}

/// Reads results for this process.
#[derive(Debug)]
struct Reader {
    link: Arc<Link>,
    /// Nobody else has one of this name.
    queue: String,
    replies: Arc<Replies>,
    /// Told when the consumer is gone while the connection is not.
    lost: Arc<Notify>,
    reading: Mutex<Option<Reading>>,
}

/// A consumer of results.
#[derive(Debug)]
struct Reading {
    session: u64,
    /// Has the consumer, and cancels it when it is dropped.
    task: Task,
}

impl Rpc {
    pub(super) fn new(link: Arc<Link>) -> Self {
        Self {
            reader: Arc::new(Reader {
                link,
                queue: uuid::Uuid::new_v4().to_string(),
                replies: Arc::default(),
                lost: Arc::default(),
                reading: Mutex::default(),
            }),
            keeper: OnceLock::new(),
        }
    }

    /// Makes sure that results are read: before the first message is sent that asks for one.
    pub(super) async fn read(&self, session: &Session) -> Result<(), BrokerError> {
        self.reader.read(session).await?;
        self.keeper
            .get_or_init(|| spawn(Arc::clone(&self.reader).keep_reading()));
        Ok(())
    }

    /// Deletes the queue.
    pub(super) async fn close(&self) {
        if self.keeper.get().is_some()
            && let Ok(Some(session)) = self.reader.link.now()
            && let Err(error) = topology::delete(&session, &self.reader.queue).await
        {
            tracing::debug!(%error, "the queue of results is left to expire");
        }
    }
}

impl Reader {
    /// Reads in every session, until this is dropped.
    async fn keep_reading(self: Arc<Self>) {
        let mut state = self.link.watch();
        loop {
            let now = state.borrow_and_update().clone();
            let mut failed = false;
            match now {
                State::Connected(session) => {
                    if let Err(error) = self.read(&session).await {
                        tracing::warn!(%error, "results are not read; trying again");
                        failed = true;
                    }
                }
                State::Lost => {}
                State::Closed => return,
            }
            tokio::select! {
                changed = state.changed() => if changed.is_err() { return },
                () = self.lost.notified() => {}
                () = tokio::time::sleep(PAUSE), if failed => {}
            }
        }
    }

    async fn read(&self, session: &Session) -> Result<(), BrokerError> {
        let mut reading = self.reading.lock().await;
        if let Some(now) = &*reading
            && now.session == session.number
            && !now.task.is_finished()
        {
            return Ok(());
        }
        let channel = session.channel().await?;
        let arguments = table([("x-expires", AMQPValue::LongInt(LIFETIME_MS))]);
        let made = channel.queue_declare(
            short(&self.queue)?,
            QueueDeclareOptions::durable(),
            arguments,
        );
        session.ask("make the queue of results", made).await?;
        let options = BasicConsumeOptions {
            no_ack: true,
            ..BasicConsumeOptions::default()
        };
        let consumer = channel.basic_consume(
            short(&self.queue)?,
            ShortString::default(),
            options,
            lapin::types::FieldTable::default(),
        );
        let mut consumer = session.ask("deliver results", consumer).await?;
        let (replies, lost) = (Arc::clone(&self.replies), Arc::clone(&self.lost));
        *reading = Some(Reading {
            session: session.number,
            task: spawn(async move {
                while let Some(delivery) = next(&mut consumer).await {
                    hear(&replies, &delivery);
                }
                lost.notify_one();
            }),
        });
        Ok(())
    }
}

/// A result, unless it is none.
fn hear(replies: &Replies, delivery: &Delivery) {
    match document::read(&delivery.data) {
        Ok(meta) => replies.add(meta),
        Err(error) => tracing::warn!(%error, "a result cannot be read"),
    }
}

impl Results for Rpc {
    fn store<'a>(&'a self, message: &'a Message, meta: &'a Meta) -> BrokerFuture<'a, ()> {
        Box::pin(async move {
            let Some(queue) = &message.reply_to else {
                return Ok(());
            };
            let session = self.reader.link.session().await?;
            sender::publish(&session, vec![reply(queue, meta)]).await
        })
    }

    fn find(&self, id: TaskId) -> BrokerFuture<'_, Found> {
        Box::pin(async move {
            let found = self.reader.replies.find(&id);
            Ok(found.map_or(Found::Unknown, Found::Known))
        })
    }

    fn finished(&self, id: TaskId) -> BrokerFuture<'_, Meta> {
        Box::pin(async move { Ok(self.reader.replies.finished(&id).await) })
    }

    fn reply_to(&self) -> Option<String> {
        Some(self.reader.queue.clone())
    }
}

/// A result on its way to whoever sent the message. If they are gone, it is dropped.
fn reply(queue: &str, meta: &Meta) -> Outgoing {
    let parcel = Parcel {
        headers: BTreeMap::new(),
        properties: Properties {
            correlation_id: Some(meta.id.as_str().to_owned()),
            delivery_mode: 1,
            ..Properties::default()
        },
        content_type: "application/json".to_owned(),
        content_encoding: "utf-8".to_owned(),
        body: document::write(meta, None).into_bytes(),
    };
    Outgoing {
        route: Route::Optional,
        ..Outgoing::to_queue(queue, &parcel)
    }
}
