//! Which exchanges queues are bound to: Celery's `task_queues`.

use std::str::FromStr;

#[cfg(feature = "celery")]
use crate::message::Message;
use crate::message::{Destination, DestinationError, Exchange};

/// The queues that are bound to exchanges of one's own: Celery's `task_queues`. Whoever serves such a queue, or sends to its
/// exchange, makes the exchange and the binding where they are missing. A queue that is not among them is sent to by its name.
///
/// ```
/// use siding_tasks::{Exchange, TaskQueues};
///
/// // Celery: [Queue("videos", Exchange("media", type="topic"), routing_key="media.video.#"), Broadcast("reload")]
/// let queues = TaskQueues::default()
///     .with("videos", Exchange::topic("media"), "media.video.#")
///     .with_broadcast("reload");
/// assert_eq!("videos=topic://media/media.video.#, reload=fanout://reload".parse(), Ok(queues));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskQueues(Vec<(String, Destination)>);

/// Why queues were refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QueueError {
    /// There is no queue, or no exchange.
    #[error("{0:?} binds no queue; write one such as videos=topic://media/media.video.#")]
    Binding(String),
    /// The exchange is none.
    #[error(transparent)]
    Exchange(#[from] DestinationError),
}

impl TaskQueues {
    /// Binds `queue` to `exchange` with `binding_key`; it may be bound several times. Every worker that serves a queue bound to
    /// a fanout exchange gets each message: see [`with_broadcast`](Self::with_broadcast).
    #[must_use]
    pub fn with(
        mut self,
        queue: impl Into<String>,
        exchange: Exchange,
        binding_key: impl Into<String>,
    ) -> Self {
        let bound = Destination::new(exchange, binding_key);
        self.0.push((queue.into(), bound));
        self
    }

    /// The queue `name` is kombu's `Broadcast(name)`: what is sent to it, every worker runs that serves it, and listens then.
    #[must_use]
    pub fn with_broadcast(mut self, name: impl Into<String>) -> Self {
        let name = name.into();
        self.0.push((name.clone(), Destination::broadcast(name)));
        self
    }
}

#[cfg(feature = "celery")]
impl TaskQueues {
    /// What `queue` is bound to, but for broadcasts.
    pub(crate) fn bindings<'a>(&'a self, queue: &'a str) -> impl Iterator<Item = &'a Destination> {
        self.0
            .iter()
            .filter(move |(name, bound)| name == queue && !bound.is_broadcast())
            .map(|(_, bound)| bound)
    }

    /// The queues that are bound to an exchange, but for broadcasts.
    pub(crate) fn bound_to<'a>(&'a self, exchange: &'a Exchange) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(_, bound)| bound.exchange.name == exchange.name && !bound.is_broadcast())
            .map(|(queue, _)| queue.as_str())
    }

    /// The exchange of a queue that every worker has for itself.
    pub(crate) fn broadcast(&self, queue: &str) -> Option<&Destination> {
        self.0
            .iter()
            .find(|(name, bound)| name == queue && bound.is_broadcast())
            .map(|(_, bound)| bound)
    }

    /// Sends a message for the queue of a broadcast to its exchange.
    pub(crate) fn apply(&self, message: &mut Message) {
        if message.destination.is_none() {
            message.destination = self.broadcast(&message.queue).cloned();
        }
    }
}

/// Pairs with commas between them.
impl FromStr for TaskQueues {
    type Err = QueueError;

    fn from_str(text: &str) -> Result<Self, QueueError> {
        let mut queues = Self::default();
        for pair in text
            .split(',')
            .map(str::trim)
            .filter(|pair| !pair.is_empty())
        {
            let (queue, bound) = pair
                .split_once('=')
                .filter(|(queue, _)| !queue.is_empty())
                .ok_or_else(|| QueueError::Binding(pair.to_owned()))?;
            queues.0.push((queue.to_owned(), bound.parse()?));
        }
        Ok(queues)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(feature = "celery")]
    use crate::message::ExchangeKind;

    #[test]
    fn what_binds_no_queue_is_named() {
        let said = |text: &str| text.parse::<TaskQueues>().unwrap_err().to_string();
        assert!(said("videos").starts_with("\"videos\" binds no queue"));
        assert!(said("videos=media").starts_with("\"media\" names no exchange"));
    }

    #[cfg(feature = "celery")]
    #[test]
    fn a_message_for_a_broadcast_goes_to_its_exchange() {
        let queues = TaskQueues::default()
            .with("videos", Exchange::topic("media"), "media.#")
            .with_broadcast("reload");
        let sent_to = |queue: &str| {
            let mut message = Message::new("task");
            message.queue = queue.to_owned();
            queues.apply(&mut message);
            message.destination
        };
        assert_eq!(sent_to("reload"), Some(Destination::broadcast("reload")));
        assert_eq!(sent_to("videos"), None);
        let bound: Vec<_> = queues.bindings("videos").collect();
        assert_eq!(bound[0].exchange.kind, ExchangeKind::Topic);
        assert_eq!(queues.bindings("reload").count(), 0);
    }
}
