//! What workers tell each other and those who watch them: events, and remote control.

mod address;
mod allowed;
mod clock;
mod companion;
mod control;
mod event;
mod herald;
mod panel;
mod reporter;
mod sent;
mod shown;
mod system;
mod usage;

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

pub use allowed::{RemoteControl, UnknownMethod};
pub(crate) use companion::Companion;
pub(crate) use sent::SentEvents;

use crate::broker::BrokerFuture;
use crate::message::RawJson;

/// Carries events and remote control between workers and those who watch them, as Celery has them.
///
/// # Cancellation
/// Dropping a future gives up the answer; what was asked for may still happen.
pub trait Remote: fmt::Debug + Send + Sync + 'static {
    /// Publishes an event of the worker `hostname`, or a list of events. `routing_key` is such as `worker.heartbeat`, or
    /// `task.multi` for a list.
    fn publish(
        &self,
        routing_key: String,
        hostname: String,
        event: RawJson,
    ) -> BrokerFuture<'_, ()>;

    /// Listens to what is broadcast to workers, as `hostname`, from now on, across lost connections.
    fn listen(&self, hostname: String) -> Box<dyn Listener>;

    /// Broadcasts to all workers.
    fn broadcast(&self, request: Broadcast) -> BrokerFuture<'_, ()>;

    /// Answers a broadcast: sends `answer` to the exchange and the routing key that its `reply_to` said.
    fn answer(
        &self,
        exchange: String,
        routing_key: String,
        answer: Broadcast,
    ) -> BrokerFuture<'_, ()>;

    /// What may be told of the connection. Never a secret.
    fn info(&self) -> BrokerInfo;
}

/// Listens to broadcasts. Dropping it ends that.
pub trait Listener: fmt::Debug + Send {
    /// The next broadcast. Dropping the future loses none.
    fn next(&mut self) -> Pin<Box<dyn Future<Output = Broadcast> + Send + '_>>;
}

/// A message of remote control.
#[derive(Clone, Debug, PartialEq)]
pub struct Broadcast {
    /// Its headers: `clock`, `expires`, `ticket`.
    pub headers: BTreeMap<String, RawJson>,
    /// Its body: an object.
    pub body: RawJson,
}

/// What may be told of a connection to a broker. Never a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerInfo {
    /// `redis`, `sentinel` or `amqp`.
    pub transport: &'static str,
    /// The server, or the first sentinel.
    pub hostname: String,
    /// Its port.
    pub port: u16,
    /// All sentinels, as URLs.
    pub alternates: Vec<String>,
    /// The user, if there is one.
    pub userid: Option<String>,
    /// The virtual host, or the number of the database.
    pub virtual_host: String,
    /// Whether it speaks TLS.
    pub ssl: bool,
}
