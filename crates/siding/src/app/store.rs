//! Where tasks are kept.

use std::fmt;
use std::sync::Arc;

#[cfg(feature = "amqp")]
use siding_tasks::{Amqp, AmqpSettings, AmqpUrl};
#[cfg(any(feature = "redis", feature = "amqp"))]
use siding_tasks::{BackendUrl, BrokerUrl, ResultBackend};
use siding_tasks::{Broker, Embedded, EmbeddedSettings};
#[cfg(feature = "redis")]
use siding_tasks::{Redis, RedisSettings, RedisUrl};

#[cfg(any(feature = "redis", feature = "amqp"))]
use super::celery::CelerySettings;

use super::running::StartError;
use super::settings::TaskSettings;

/// Opens what keeps the tasks: connects to the broker, or opens the embedded store in the data directory, which is made where
/// it is missing. Runs on the runtime, which connections live on.
pub(super) async fn open(settings: &TaskSettings) -> Result<Arc<dyn Broker>, StartError> {
    match connect(settings).await? {
        Some(broker) => Ok(broker),
        None => Ok(Arc::new(Embedded::open(
            &settings.data,
            EmbeddedSettings::default(),
        )?)),
    }
}

/// The same for somebody who wants to see what is in it: an embedded store must be there.
pub(super) async fn open_existing(settings: &TaskSettings) -> Result<Arc<dyn Broker>, StartError> {
    match connect(settings).await? {
        Some(broker) => Ok(broker),
        None => Ok(Arc::new(Embedded::open_existing(
            &settings.data,
            EmbeddedSettings::default(),
        )?)),
    }
}

/// The broker, if there is to be one.
async fn connect(settings: &TaskSettings) -> Result<Option<Arc<dyn Broker>>, StartError> {
    match &settings.broker {
        None => Ok(None),
        #[cfg(feature = "redis")]
        Some(BrokerUrl::Redis(url)) => on_redis(url, &settings.celery).await.map(Some),
        #[cfg(feature = "amqp")]
        Some(BrokerUrl::Amqp(url)) => over_amqp(url, settings).await.map(Some),
        Some(other) => Err(left_out(other)),
    }
}

#[cfg(feature = "amqp")]
async fn over_amqp(url: &AmqpUrl, settings: &TaskSettings) -> Result<Arc<dyn Broker>, StartError> {
    let mut broker = AmqpSettings::new(url.clone());
    broker.queues.clone_from(&settings.queues);
    let connected = match &settings.celery.result_backend {
        None | Some(BackendUrl::Rpc) => Amqp::connect(broker).await,
        Some(backend) => Amqp::connect_with(broker, results(backend, &settings.celery)?).await,
    };
    match connected {
        Ok(broker) => Ok(Arc::new(broker)),
        Err(error) => Err(StartError::Broker(error)),
    }
}

#[cfg(feature = "redis")]
async fn on_redis(url: &RedisUrl, celery: &CelerySettings) -> Result<Arc<dyn Broker>, StartError> {
    let broker = redis_settings(url, celery);
    let connected = match &celery.result_backend {
        None => Redis::connect(broker).await,
        Some(backend) => Redis::connect_with(broker, results(backend, celery)?).await,
    };
    match connected {
        Ok(broker) => Ok(Arc::new(broker)),
        Err(error) => Err(StartError::Broker(error)),
    }
}

/// Where results go that are not where the broker has them unasked.
#[cfg(any(feature = "redis", feature = "amqp"))]
fn results(url: &BackendUrl, celery: &CelerySettings) -> Result<ResultBackend, StartError> {
    match url {
        #[cfg(feature = "redis")]
        BackendUrl::Redis(url) => Ok(ResultBackend::Redis(Box::new(redis_settings(url, celery)))),
        BackendUrl::Disabled => Ok(ResultBackend::Disabled),
        other => Err(left_out(other)),
    }
}

#[cfg(feature = "redis")]
fn redis_settings(url: &RedisUrl, celery: &CelerySettings) -> RedisSettings {
    let mut settings = RedisSettings::new(url.clone());
    settings.key_prefix.clone_from(&celery.key_prefix);
    settings.result_key_prefix.clone_from(&celery.key_prefix);
    settings.visibility_timeout = celery.visibility_timeout;
    settings.result_expires = celery.result_expires;
    settings
}

/// What is said of a URL that this program was built without.
fn left_out(url: &impl fmt::Display) -> StartError {
    let url = url.to_string();
    let feature = match url.starts_with("redis") {
        true => "redis",
        false => "amqp",
    };
    StartError::LeftOut { url, feature }
}
