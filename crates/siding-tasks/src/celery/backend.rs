//! Results that are elsewhere than the broker's own.

use std::sync::Arc;

use super::results::Results;
use crate::broker::{BrokerError, BrokerFuture, Found};
use crate::message::{Message, Meta, TaskId};

/// Where results go, if not where a broker keeps them itself.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ResultBackend {
    /// Into a Redis server.
    #[cfg(feature = "redis")]
    Redis(Box<crate::redis::RedisSettings>),
    /// Nowhere: nobody can ask for one, and chords cannot be counted.
    Disabled,
}

impl ResultBackend {
    /// Connects.
    pub(crate) async fn open(self) -> Result<Arc<dyn Results>, BrokerError> {
        match self {
            #[cfg(feature = "redis")]
            Self::Redis(settings) => {
                let results = crate::redis::RedisResults::connect(*settings).await?;
                Ok(Arc::new(results))
            }
            Self::Disabled => Ok(Arc::new(Nowhere)),
        }
    }
}

/// Results that are thrown away.
#[derive(Debug)]
struct Nowhere;

impl Results for Nowhere {
    fn store<'a>(&'a self, _: &'a Message, _: &'a Meta) -> BrokerFuture<'a, ()> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn find(&self, _: TaskId) -> BrokerFuture<'_, Found> {
        Box::pin(std::future::ready(Ok(Found::Unknown)))
    }

    fn finished(&self, id: TaskId) -> BrokerFuture<'_, Meta> {
        let error = BrokerError::Unsupported(format!(
            "nobody will hear of the result of {id}: results are disabled; set a result backend"
        ));
        Box::pin(std::future::ready(Err(error)))
    }
}
