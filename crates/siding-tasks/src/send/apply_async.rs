//! One call with options of its own.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::time::Duration;

use super::{Canvas, SendError, enqueue};
use crate::broker::{Enqueue, Enqueued};
use crate::canvas::number_priorities;
use crate::message::{
    Destination, Exchange, Message, Priority, RawJson, Signature, TaskId, Timestamp,
};
use crate::result::AsyncResult;
use crate::tasks::Tasks;

/// A call with options of its own, sent when it is awaited. What it does not say, the task's own options do.
///
/// ```
/// # use std::time::Duration;
/// # async fn send(report: siding_tasks::Task<(u64,), String>) -> Result<(), Box<dyn std::error::Error>> {
/// let result = report
///     .apply_async(7)
///     .countdown(Duration::from_secs(60))
///     .expires_in(Duration::from_secs(3600))
///     .unique("report of 7")
///     .await?;
/// if result.is_duplicate() {
///     println!("{} is on its way already", result.id());
/// }
/// # Ok(()) }
/// ```
#[must_use = "a call is not sent unless it is awaited"]
pub struct ApplyAsync<T> {
    tasks: Tasks,
    message: Result<Message, SendError>,
    priority: Option<Priority>,
    marker: PhantomData<fn() -> T>,
}

impl<T> ApplyAsync<T> {
    pub(crate) fn new(
        tasks: Tasks,
        message: Result<Message, SendError>,
        priority: Option<Priority>,
    ) -> Self {
        Self {
            tasks,
            message,
            priority,
            marker: PhantomData,
        }
    }

    fn set(mut self, change: impl FnOnce(&mut Message)) -> Self {
        if let Ok(message) = &mut self.message {
            change(message);
        }
        self
    }

    /// It must not start before so long from now.
    pub fn countdown(self, delay: Duration) -> Self {
        let eta = self.tasks.now().after(delay);
        self.eta(eta)
    }

    /// It must not start earlier.
    pub fn eta(self, eta: Timestamp) -> Self {
        self.set(|message| message.eta = Some(eta))
    }

    /// It must not start later than so long from now: then it is revoked instead.
    pub fn expires_in(self, period: Duration) -> Self {
        let expires = self.tasks.now().after(period);
        self.expires(expires)
    }

    /// It must not start later: then it is revoked instead.
    pub fn expires(self, expires: Timestamp) -> Self {
        self.set(|message| message.expires = Some(expires))
    }

    /// How urgent it is.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = Some(priority);
        self
    }

    /// The queue that it waits in.
    pub fn queue(self, queue: impl Into<String>) -> Self {
        self.set(|message| {
            message.queue = queue.into();
            message.destination = None;
        })
    }

    /// The exchange that it is sent to, and its routing key: Celery's `apply_async(exchange=…, routing_key=…)`. Each queue that
    /// the exchange has for the key gets it, so that several workers may run it, under one id. That there is none is an error,
    /// [`BrokerError::Unroutable`](crate::BrokerError::Unroutable). Whether an exchange is direct or topic, the broker knows;
    /// that it is fanout is to be said. The embedded store has no exchanges.
    ///
    /// ```
    /// # async fn send(import: siding_tasks::Task<(u64,), ()>) -> Result<(), Box<dyn std::error::Error>> {
    /// use siding_tasks::Exchange;
    ///
    /// import.apply_async(7).exchange(Exchange::topic("media"), "media.video.new").await?;
    /// # Ok(()) }
    /// ```
    pub fn exchange(self, exchange: Exchange, routing_key: impl Into<String>) -> Self {
        let destination = Destination::new(exchange, routing_key);
        self.set(|message| message.destination = Some(destination))
    }

    /// Every worker runs it that has kombu's `Broadcast(name)` among its queues, and listens now. That there is none is no
    /// error. Throw the [result](Self::ignore_result) away: all of them have the same id.
    pub fn broadcast(self, name: impl Into<String>) -> Self {
        let destination = Destination::broadcast(name);
        self.set(|message| message.destination = Some(destination))
    }

    /// Its id. Sending the same id again sends nothing while it waits, runs, or has succeeded.
    pub fn task_id(self, id: impl Into<TaskId>) -> Self {
        self.set(|message| message.id = id.into())
    }

    /// While a task with the same key waits or runs, this one is not sent, and the result is the other one's.
    pub fn unique(self, key: impl Into<String>) -> Self {
        self.set(|message| message.unique_key = Some(key.into()))
    }

    /// After this long it is ended, as far as its lane can.
    pub fn time_limit(self, limit: Duration) -> Self {
        self.set(|message| message.time_limits.hard = Some(limit))
    }

    /// After this long it is asked to end.
    pub fn soft_time_limit(self, limit: Duration) -> Self {
        self.set(|message| message.time_limits.soft = Some(limit))
    }

    /// Throws its result away.
    pub fn ignore_result(self) -> Self {
        self.set(|message| message.ignore_result = true)
    }

    /// A header, which goes with it as it is.
    pub fn header(self, name: impl Into<String>, value: RawJson) -> Self {
        self.set(|message| drop(message.headers.insert(name.into(), value)))
    }

    /// Sends `next` with the result when it has succeeded.
    pub fn link<U>(mut self, next: Canvas<U>) -> Self {
        self.add(next, |message, next| message.embed.callbacks.push(next));
        self
    }

    /// Sends `next` with the id when it has failed for good.
    pub fn link_error<U>(mut self, next: Canvas<U>) -> Self {
        self.add(next, |message, next| message.embed.errbacks.push(next));
        self
    }

    fn add<U>(&mut self, next: Canvas<U>, add: impl FnOnce(&mut Message, Signature)) {
        let Ok(message) = &mut self.message else {
            return;
        };
        match next.frozen() {
            Ok(next) => add(message, next),
            Err(error) => self.message = Err(error),
        }
    }

    /// Sends it; it is durable when this returns.
    ///
    /// # Errors
    /// When there is no broker yet, an argument has no form in JSON, or the broker does not take it.
    ///
    /// # Cancellation
    /// Dropping the future gives up the answer; the call may have been sent.
    pub async fn send(self) -> Result<AsyncResult<T>, SendError> {
        let mut message = self.message?;
        let family = self.tasks.family();
        let broker = self.tasks.broker()?;
        let number = |priority| broker.priority_number(priority);
        if let Some(priority) = self.priority {
            message.priority = number(priority);
        }
        for next in [&mut message.embed.callbacks, &mut message.embed.errbacks] {
            for signature in next {
                *signature = number_priorities(signature.clone(), number)?;
            }
        }
        message.parent_id = family.parent;
        message.root_id = Some(family.root.unwrap_or_else(|| message.id.clone()));
        message.origin = family.origin;
        for (name, value) in family.headers {
            message.headers.entry(name).or_insert(value);
        }
        let id = message.id.clone();
        let request = Enqueue {
            messages: vec![message],
            chords: Vec::new(),
        };
        let sent = enqueue(&self.tasks, request).await?;
        Ok(match sent.into_iter().next() {
            Some(Enqueued::Duplicate(other)) => AsyncResult::duplicate(self.tasks, other),
            Some(Enqueued::Accepted | Enqueued::Revoked) | None => AsyncResult::new(self.tasks, id),
        })
    }
}

impl<T: 'static> IntoFuture for ApplyAsync<T> {
    type Output = Result<AsyncResult<T>, SendError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl<T> fmt::Debug for ApplyAsync<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ApplyAsync").field(&self.message).finish()
    }
}
