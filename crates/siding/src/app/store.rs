//! Where tasks are kept.

use std::sync::Arc;

use siding_tasks::{Broker, BrokerUrl, Embedded, EmbeddedSettings};

use super::running::StartError;
use super::settings::TaskSettings;

/// Opens what keeps the tasks: connects to the broker, or opens the embedded store in the data directory, which is made where
/// it is missing. Runs on the runtime, which connections live on.
pub(super) async fn open(settings: &TaskSettings) -> Result<Arc<dyn Broker>, StartError> {
    match &settings.broker {
        Some(url) => connect(url, settings).await,
        None => Ok(Arc::new(Embedded::open(
            &settings.data,
            EmbeddedSettings::default(),
        )?)),
    }
}

/// The same for somebody who wants to see what is in it: an embedded store must be there.
pub(super) async fn open_existing(settings: &TaskSettings) -> Result<Arc<dyn Broker>, StartError> {
    match &settings.broker {
        Some(url) => connect(url, settings).await,
        None => Ok(Arc::new(Embedded::open_existing(
            &settings.data,
            EmbeddedSettings::default(),
        )?)),
    }
}

async fn connect(url: &BrokerUrl, _settings: &TaskSettings) -> Result<Arc<dyn Broker>, StartError> {
    let feature = match url {
        BrokerUrl::Redis(_) => "redis",
        _ => "amqp",
    };
    Err(StartError::LeftOut {
        url: url.to_string(),
        feature,
    })
}
