//! What carries the messages of a fleet.

use std::sync::Arc;

use lapin::{Connection, ConnectionProperties};
use serde_json::{Value, json};
use siding_tasks::{Amqp, Broker, Redis, RedisSettings, ResultBackend};

use super::Space;
use super::space::REDIS;
use crate::amqp::support::{self, Host};

/// What carries messages, and where results are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Over {
    /// Both in one database.
    Redis,
    /// RabbitMQ, with results that go back to the client: `rpc://`.
    RabbitMq,
    /// RabbitMQ, with results in Redis.
    RabbitMqAndRedis,
}

impl Over {
    /// Whether results are kept, so that anybody can ask for them, and chords be counted.
    pub(crate) fn keeps_results(self) -> bool {
        self != Self::RabbitMq
    }

    /// A virtual host, where messages need one.
    pub(super) fn host(self) -> Result<Option<Host>, String> {
        match self {
            Self::Redis => Ok(None),
            Self::RabbitMq | Self::RabbitMqAndRedis => Host::make().map(Some),
        }
    }
}

/// Siding's broker on the server of this URL, with its results where `over` says.
pub(crate) async fn connect(url: &str, over: Over, redis: RedisSettings) -> Arc<dyn Broker> {
    if over == Over::Redis {
        return Arc::new(Redis::connect(redis).await.unwrap());
    }
    let mut settings = support::settings(url);
    settings.routes.clone_from(&redis.routes);
    let amqp = match over.keeps_results() {
        true => Amqp::connect_with(settings, ResultBackend::Redis(Box::new(redis))).await,
        false => Amqp::connect(settings).await,
    };
    Arc::new(amqp.unwrap())
}

impl Space {
    /// Siding's broker here, over connections of its own.
    pub(crate) async fn connect(&self) -> Arc<dyn Broker> {
        connect(&self.broker_url(), self.over, self.settings.clone()).await
    }

    /// Where Celery's messages and results are.
    pub(super) fn places(&self) -> Value {
        let broker = self.broker_url();
        let results = match self.over.keeps_results() {
            true => REDIS,
            false => "rpc://",
        };
        json!({"broker_url": broker, "result_backend": results})
    }

    /// How many messages of the usual priority wait in a queue, and are in nobody's hands.
    pub(crate) async fn waiting(&self, queue: &str) -> usize {
        let Some(host) = &self.host else {
            return self.ask("LLEN", queue, &[]);
        };
        let properties = ConnectionProperties::default();
        let connection = Connection::connect(&host.url(), properties).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        support::ready(&channel, queue).await as usize
    }

    pub(crate) fn broker_url(&self) -> String {
        match &self.host {
            Some(host) => host.url(),
            None => REDIS.to_owned(),
        }
    }
}
