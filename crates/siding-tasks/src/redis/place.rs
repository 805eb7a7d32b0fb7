//! Where messages go: to a list, to what is bound to an exchange, or to everybody who listens.
//!
//! Source: `kombu/transport/virtual/exchange.py` and `_put_fanout` of `kombu/transport/redis.py`, kombu 5.7.

use std::fmt;

use redis::ScriptInvocation;

use super::keys::Keys;
use crate::message::{Destination, ExchangeKind, Message, Priority};

/// What the names of queues begin with that a worker has for itself, to hear broadcasts.
pub(super) const INBOX: &str = "bcast.";

/// Whether a queue is one that a worker has for itself.
pub(super) fn is_inbox(queue: &str) -> bool {
    queue.starts_with(INBOX)
}

/// Where a message goes; the scripts that send find out what that comes to, in the step that sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Into this list.
    List(String),
    /// Into the lists of the queues that an exchange has for a routing key.
    Bound {
        exchange: String,
        routing_key: String,
        /// kombu's table of the exchange, and what stands between the parts of a binding.
        bindings: String,
        separator: String,
        /// What stands before and after a queue's name in the name of a list.
        around: (String, String),
    },
    /// To all who listen to this channel.
    Channel(String),
    /// There is none for it any more.
    Nowhere,
}

impl Place {
    /// Where `message` goes.
    pub(super) fn of(keys: &Keys, message: &Message) -> Self {
        match &message.destination {
            None => Self::List(keys.list(&message.queue, message.priority)),
            Some(to) if to.is_broadcast() => Self::Channel(channel(keys, to)),
            Some(to) => {
                let Destination {
                    exchange,
                    routing_key,
                } = to;
                Self::bound(keys, &exchange.name, routing_key, message.priority)
            }
        }
    }

    /// Where a message of a worker that is gone came from. Of a broadcast, nobody else will run its part.
    pub(super) fn before(
        keys: &Keys,
        exchange: &str,
        routing_key: &str,
        priority: Priority,
    ) -> Self {
        if !exchange.is_empty() {
            return Self::bound(keys, exchange, routing_key, priority);
        }
        match is_inbox(routing_key) {
            true => Self::Nowhere,
            false => Self::List(keys.list(routing_key, priority)),
        }
    }

    fn bound(keys: &Keys, exchange: &str, routing_key: &str, priority: Priority) -> Self {
        Self::Bound {
            exchange: exchange.to_owned(),
            routing_key: routing_key.to_owned(),
            bindings: keys.binding(exchange),
            separator: keys.separator().to_owned(),
            around: keys.around(priority),
        }
    }

    /// Adds it to the arguments of a script.
    pub(super) fn add_to(&self, call: &mut ScriptInvocation<'_>) {
        match self {
            Self::List(list) => call.arg("list").arg(list),
            Self::Channel(channel) => call.arg("channel").arg(channel),
            Self::Nowhere => call.arg("nowhere"),
            Self::Bound {
                routing_key,
                bindings,
                separator,
                around: (before, after),
                ..
            } => {
                let call = call.arg("bound").arg(bindings).arg(routing_key);
                call.arg(separator).arg(before).arg(after)
            }
        };
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List(list) => write!(f, "the list {list:?}"),
            Self::Channel(channel) => write!(f, "the channel {channel:?}"),
            Self::Nowhere => f.write_str("a worker that is gone"),
            Self::Bound {
                exchange,
                routing_key,
                ..
            } => write!(
                f,
                "the exchange {exchange:?}, asked for the routing key {routing_key:?},"
            ),
        }
    }
}

/// The channel of a broadcast; of who listens, the pattern of channels.
pub(super) fn channel(keys: &Keys, to: &Destination) -> String {
    keys.channel(&to.exchange.name, &to.routing_key)
}

/// The regular expression that kombu matches routing keys with, in the binding of a topic exchange: `*` is one word, `#` any
/// text.
pub(super) fn pattern(bound: &Destination) -> String {
    if bound.exchange.kind != ExchangeKind::Topic {
        return String::new();
    }
    let words = bound.routing_key.split('.').map(|word| match word {
        "*" => r"[^\.]+".to_owned(),
        "#" => ".*?".to_owned(),
        word => escaped(word),
    });
    format!("^{}$", words.collect::<Vec<_>>().join(r"\."))
}

/// As kombu's `escape_regex` does, which leaves `*` and `#` as they are.
fn escaped(word: &str) -> String {
    let mut escaped = String::with_capacity(word.len());
    for c in word.chars() {
        if !c.is_alphanumeric() && !"#*".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Exchange;

    #[test]
    fn patterns_are_kombus() {
        for (key, expected) in [
            ("media.#", r"^media\..*?$"),
            ("*.video-2", r"^[^\.]+\.video\-2$"),
            ("#", "^.*?$"),
            ("a_b", r"^a\_b$"),
        ] {
            let bound = Destination::new(Exchange::topic("media"), key);
            assert_eq!(pattern(&bound), expected, "{key}");
        }
        let direct = Destination::new(Exchange::direct("media"), "a.#");
        assert_eq!(pattern(&direct), "");
    }
}
