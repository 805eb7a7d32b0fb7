//! One connection to the server, from when it is there until it is lost.

use std::collections::HashSet;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lapin::options::{BasicPublishOptions, BasicQosOptions};
use lapin::{Acker, Channel, Connection, ConnectionProperties};
use tokio::sync::OnceCell;

use super::leased::Grip;
use super::publish::{self, Outbox, Outgoing, Receipt, Together};
use super::scout::{Asking, Scout};
use super::settings::AmqpSettings;
use super::value::name;
use super::{closures, error};
use crate::broker::BrokerError;

/// One connection to the server. What is held by it is lost with it.
pub(super) struct Session {
    /// Later ones have greater numbers.
    pub(super) number: u64,
    pub(super) settings: Arc<AmqpSettings>,
    connection: Arc<Connection>,
    outbox: Outbox,
    /// For exchanges of one's own, which may be missing.
    exchanges: Outbox,
    scout: Scout,
    /// Asked from time to time whether the server is still there.
    probe: Channel,
    /// For what needs no confirm: events and remote control.
    loose: tokio::sync::Mutex<Option<Channel>>,
    /// Queues and exchanges that are known to be there.
    known: Mutex<HashSet<String>>,
    /// Whether messages can be parked; see [`delay`](super::delay).
    pub(super) delay: OnceCell<bool>,
    /// What goes on beside, for as long as this is there.
    tasks: Mutex<Vec<super::Task>>,
}

/// Opens channels on a session's connection.
#[derive(Clone)]
pub(super) struct Opener {
    connection: Arc<Connection>,
    settings: Arc<AmqpSettings>,
}

impl Opener {
    pub(super) async fn channel(&self) -> Result<Channel, BrokerError> {
        let opened = self.connection.create_channel();
        bounded(&self.settings, "open a channel", opened).await
    }
}

/// The answer to what was asked, or why there is none in time.
pub(super) async fn bounded<T>(
    settings: &AmqpSettings,
    what: &str,
    asked: impl Future<Output = lapin::Result<T>>,
) -> Result<T, BrokerError> {
    match tokio::time::timeout(settings.response_timeout, asked).await {
        Ok(answer) => answer.map_err(|error| error::failed(what, &error)),
        Err(_) => Err(error::silent(what, settings)),
    }
}

/// Connects.
pub(super) async fn connect(settings: &Arc<AmqpSettings>) -> Result<Connection, BrokerError> {
    let properties =
        ConnectionProperties::default().with_connection_name(settings.name.as_str().into());
    let runtime = lapin::runtime::default_runtime()
        .map_err(|error| error::not_connected(settings, &error))?;
    let tls = settings.tls()?;
    let connected = Connection::connect_uri_with_config(settings.uri(), properties, tls, runtime);
    match tokio::time::timeout(settings.response_timeout, connected).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => Err(error::not_connected(settings, &error)),
        Err(_) => Err(error::silent("accept a connection", settings)),
    }
}

impl Session {
    /// Connects.
    pub(super) async fn open(
        settings: &Arc<AmqpSettings>,
        number: u64,
    ) -> Result<Self, BrokerError> {
        let connection = Arc::new(connect(settings).await?);
        let opened = connection.create_channel();
        let probe = bounded(settings, "open a channel", opened).await?;
        let (outbox, requests) = publish::outbox();
        let (exchanges, alone) = publish::outbox();
        let session = Self {
            number,
            settings: Arc::clone(settings),
            connection,
            outbox,
            exchanges,
            scout: Scout::new(Arc::clone(settings)),
            probe,
            loose: tokio::sync::Mutex::default(),
            known: Mutex::default(),
            delay: OnceCell::new(),
            tasks: Mutex::default(),
        };
        let mut tasks = publish::start(&session, &requests, Together::Many);
        tasks.extend(publish::start(&session, &alone, Together::One));
        tasks.push(closures::watch(session.connection.events_listener()));
        *session.tasks.lock().unwrap_or_else(PoisonError::into_inner) = tasks;
        Ok(session)
    }

    pub(super) fn opener(&self) -> Opener {
        Opener {
            connection: Arc::clone(&self.connection),
            settings: Arc::clone(&self.settings),
        }
    }

    /// A channel for what the server may refuse.
    pub(super) async fn scout(&self) -> Result<Asking, BrokerError> {
        self.scout.channel().await
    }

    /// A new channel, for what the server does not refuse.
    pub(super) async fn channel(&self) -> Result<Channel, BrokerError> {
        self.opener().channel().await
    }

    /// The answer to what was asked, or why there is none in time.
    pub(super) async fn ask<T>(
        &self,
        what: &str,
        asked: impl Future<Output = lapin::Result<T>>,
    ) -> Result<T, BrokerError> {
        bounded(&self.settings, what, asked).await
    }

    /// What a message is held by that came on a channel of this session.
    pub(super) fn grip(&self, acker: Acker) -> Grip {
        Grip::new(acker, self.connection.status().clone())
    }

    /// Whether the connection is there, as far as is known.
    pub(super) fn is_connected(&self) -> bool {
        self.connection.status().connected()
    }

    /// Asks the server whether it is there.
    pub(super) async fn probe(&self) -> lapin::Result<()> {
        if self.connection.status().blocked() {
            // The server has told us to be silent until its memory or disk has room again.
            return Ok(());
        }
        self.probe.basic_qos(0, BasicQosOptions::default()).await
    }

    /// Publishes messages and waits until the server has confirmed them.
    pub(super) async fn publish(
        &self,
        messages: Vec<Outgoing>,
    ) -> Result<Vec<Receipt>, BrokerError> {
        self.take_messages()?;
        self.outbox.publish(&self.settings, messages).await
    }

    /// The same to exchanges that may be missing: that they are does not concern other requests.
    pub(super) async fn publish_to_exchanges(
        &self,
        messages: Vec<Outgoing>,
    ) -> Result<Vec<Receipt>, BrokerError> {
        self.take_messages()?;
        self.exchanges.publish(&self.settings, messages).await
    }

    /// Whether the server takes messages now.
    fn take_messages(&self) -> Result<(), BrokerError> {
        if self.connection.status().blocked() {
            return Err(BrokerError::Unavailable(format!(
                "the AMQP server at {} takes no messages now: its memory or its disk is nearly full (`rabbitmqctl status` \
                 shows the alarms)",
                self.settings.server()
            )));
        }
        Ok(())
    }

    /// Publishes a message that may be lost.
    pub(super) async fn publish_loosely(&self, message: &Outgoing) -> Result<(), BrokerError> {
        let (Some(exchange), Some(key)) = (name(&message.exchange), name(&message.routing_key))
        else {
            return Err(BrokerError::Unsupported(
                "the name of an exchange or a routing key is too long: AMQP has room for 255 bytes"
                    .to_owned(),
            ));
        };
        let mut loose = self.loose.lock().await;
        let channel = match loose.take().filter(|channel| channel.status().connected()) {
            Some(channel) => channel,
            None => self.channel().await?,
        };
        let published = channel.basic_publish(
            exchange,
            key,
            BasicPublishOptions::default(),
            &message.body,
            message.properties.clone(),
        );
        self.ask("take a message", published).await?;
        *loose = Some(channel);
        Ok(())
    }

    /// Nothing is left half done under the lock.
    fn known(&self) -> MutexGuard<'_, HashSet<String>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a queue or exchange is known to be there.
    pub(super) fn knows(&self, what: &str) -> bool {
        self.known().contains(what)
    }

    /// A queue or exchange is there.
    pub(super) fn learn(&self, what: &str) {
        self.known().insert(what.to_owned());
    }

    /// A queue or exchange may be gone.
    pub(super) fn forget(&self, what: &str) {
        self.known().remove(what);
    }

    /// Says goodbye to the server.
    pub(super) async fn close(&self) {
        let closed = self.connection.close(200, "closed".into());
        if let Err(error) = self.ask("close the connection", closed).await {
            tracing::debug!(%error, "the connection to the AMQP server ended by itself");
        }
        self.scout.close().await;
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("number", &self.number)
            .field("connected", &self.is_connected())
            .finish_non_exhaustive()
    }
}
