//! Exchanges: where a message goes that is not sent straight to a queue.

use std::fmt;
use std::str::FromStr;

/// A named exchange, as kombu has them. It hands each message to the queues that are bound to it, by its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Its name.
    pub name: String,
    /// How it chooses queues.
    pub kind: ExchangeKind,
}

/// How an exchange chooses queues: Celery's `exchange_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExchangeKind {
    /// Those that are bound with the message's routing key.
    Direct,
    /// Those that are bound with a pattern that fits the routing key, word by word: `media.*.new`, `media.#`.
    Topic,
    /// All of them: a broadcast.
    Fanout,
}

impl ExchangeKind {
    /// As Celery writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Topic => "topic",
            Self::Fanout => "fanout",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Direct, Self::Topic, Self::Fanout]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

impl Exchange {
    /// A direct exchange.
    #[must_use]
    pub fn direct(name: impl Into<String>) -> Self {
        Self::of(ExchangeKind::Direct, name)
    }

    /// A topic exchange.
    #[must_use]
    pub fn topic(name: impl Into<String>) -> Self {
        Self::of(ExchangeKind::Topic, name)
    }

    /// A fanout exchange, such as that of kombu's `Broadcast(name)`.
    #[must_use]
    pub fn fanout(name: impl Into<String>) -> Self {
        Self::of(ExchangeKind::Fanout, name)
    }

    fn of(kind: ExchangeKind, name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            kind,
        }
    }
}

/// An exchange and a routing key: where a message goes that is not sent straight to a queue. Of a queue that is bound to an
/// exchange, the key is what it is bound with.
///
/// ```
/// use siding_tasks::{Destination, Exchange};
///
/// let videos: Destination = "topic://media/media.video".parse()?;
/// assert_eq!(videos, Destination::new(Exchange::topic("media"), "media.video"));
/// assert_eq!("fanout://reload".parse(), Ok(Destination::broadcast("reload")));
/// # Ok::<(), siding_tasks::DestinationError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The exchange.
    pub exchange: Exchange,
    /// What a direct or topic exchange chooses queues by.
    pub routing_key: String,
}

/// Why a text is no destination.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} names no exchange; write direct://EXCHANGE/KEY, topic://EXCHANGE/KEY or fanout://EXCHANGE"
)]
pub struct DestinationError(String);

impl Destination {
    /// The key of a broadcast: what Celery gives to a queue that says none, its `task_default_routing_key`.
    const BROADCAST_KEY: &str = "celery";

    /// An exchange and a routing key.
    #[must_use]
    pub fn new(exchange: Exchange, routing_key: impl Into<String>) -> Self {
        Self {
            exchange,
            routing_key: routing_key.into(),
        }
    }

    /// Every worker that has `Broadcast(name)` among its queues.
    #[must_use]
    pub fn broadcast(name: impl Into<String>) -> Self {
        Self::new(Exchange::fanout(name), Self::BROADCAST_KEY)
    }

    /// Whether everybody gets it who listens, and nobody need.
    #[cfg(feature = "celery")]
    pub(crate) fn is_broadcast(&self) -> bool {
        self.exchange.kind == ExchangeKind::Fanout
    }
}

/// As it is parsed.
impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Exchange { name, kind } = &self.exchange;
        write!(f, "{}://{name}/{}", kind.as_str(), self.routing_key)
    }
}

/// The kind, the exchange and the key, as in a URL: the name of an exchange has no `/` there. A fanout exchange may go without
/// a key, and then has Celery's.
impl FromStr for Destination {
    type Err = DestinationError;

    fn from_str(text: &str) -> Result<Self, DestinationError> {
        let error = || DestinationError(text.to_owned());
        let (kind, rest) = text.split_once("://").ok_or_else(error)?;
        let kind = ExchangeKind::parse(kind).ok_or_else(error)?;
        let (name, key) = match rest.split_once('/') {
            Some((name, key)) => (name, Some(key)),
            None => (rest, None),
        };
        let key = match (kind, key) {
            (_, Some(key)) => key,
            (ExchangeKind::Fanout, None) => Self::BROADCAST_KEY,
            (ExchangeKind::Direct | ExchangeKind::Topic, None) => return Err(error()),
        };
        if name.is_empty() {
            return Err(error());
        }
        Ok(Self::new(Exchange::of(kind, name), key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_read_as_it_is_shown() {
        for text in [
            "direct://media/video",
            "topic://media/media.*.#",
            "fanout://reload/a/b",
        ] {
            let read: Destination = text.parse().unwrap();
            assert_eq!(read.to_string(), text);
        }
    }

    #[test]
    fn what_names_no_exchange_is_refused() {
        for text in ["media", "topic://media", "topic:///key", "headers://x/y"] {
            let refused = text.parse::<Destination>().unwrap_err();
            assert!(refused.to_string().contains(text), "{refused}");
        }
    }
}
