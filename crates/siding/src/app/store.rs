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
    broker.routes.clone_from(&settings.celery.task_routes);
    broker.task_queues.clone_from(&settings.celery.task_queues);
    let connected = match results(&settings.celery)? {
        None => Amqp::connect(broker).await,
        Some(results) => Amqp::connect_with(broker, results).await,
    };
    match connected {
        Ok(broker) => Ok(Arc::new(broker)),
        Err(error) => Err(StartError::Broker(error)),
    }
}

#[cfg(feature = "redis")]
async fn on_redis(url: &RedisUrl, celery: &CelerySettings) -> Result<Arc<dyn Broker>, StartError> {
    let broker = redis_settings(url, celery);
    let connected = match results(celery)? {
        None => Redis::connect(broker).await,
        Some(results) => Redis::connect_with(broker, results).await,
    };
    match connected {
        Ok(broker) => Ok(Arc::new(broker)),
        Err(error) => Err(StartError::Broker(error)),
    }
}

/// Where results go, unless it is where the broker has them unasked.
#[cfg(any(feature = "redis", feature = "amqp"))]
fn results(celery: &CelerySettings) -> Result<Option<ResultBackend>, StartError> {
    match &celery.result_backend {
        None | Some(BackendUrl::Rpc) => Ok(None),
        Some(BackendUrl::Disabled) => Ok(Some(ResultBackend::Disabled)),
        #[cfg(feature = "redis")]
        Some(BackendUrl::Redis(url)) => {
            let settings = redis_settings(url, celery);
            Ok(Some(ResultBackend::Redis(Box::new(settings))))
        }
        Some(other) => Err(left_out(other)),
    }
}

#[cfg(feature = "redis")]
fn redis_settings(url: &RedisUrl, celery: &CelerySettings) -> RedisSettings {
    let mut settings = RedisSettings::new(url.clone());
    settings.key_prefix.clone_from(&celery.key_prefix);
    settings.result_key_prefix.clone_from(&celery.key_prefix);
    settings.visibility_timeout = celery.visibility_timeout;
    settings.result_expires = celery.result_expires;
    settings.resend_lost = celery.resend_lost;
    settings.routes.clone_from(&celery.task_routes);
    settings.task_queues.clone_from(&celery.task_queues);
    settings
}

/// What is said of a URL that this program was built without.
fn left_out(url: &impl fmt::Display) -> StartError {
    let url = url.to_string();
    let is_redis = ["redis", "sentinel"]
        .iter()
        .any(|scheme| url.starts_with(scheme));
    let feature = if is_redis { "redis" } else { "amqp" };
    StartError::LeftOut { url, feature }
}

#[cfg(test)]
mod tests {
    use siding_tasks::BrokerUrl;

    use super::*;

    #[test]
    fn what_was_left_out_is_said_without_the_password() {
        for (url, feature) in [
            ("rediss://:hush@cache", "redis"),
            ("redis+socket://:hush@/run/redis", "redis"),
            ("sentinel://:hush@a;sentinel://b?master_name=m", "redis"),
            ("amqps://app:hush@rabbit", "amqp"),
        ] {
            let url: BrokerUrl = url.parse().expect("a URL");
            let error = left_out(&url).to_string();
            let said = format!("Siding's feature `{feature}`");
            assert!(error.contains(&said) && !error.contains("hush"), "{error}");
        }
    }
}
