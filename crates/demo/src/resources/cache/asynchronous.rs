//! For `async fn`: one connection, on which the commands of all follow one another without waiting for answers.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{AsyncCommands, AsyncConnectionConfig, Client, Cmd, FromRedisValue, RedisError};

use super::local::LocalCache;
use super::{CacheError, full_key, name};

/// The cache for those who await. A cheap clone.
#[derive(Clone)]
pub(crate) enum AsyncCache {
    Redis(Arc<Redis>),
    Local(LocalCache),
}

impl AsyncCache {
    /// The value of a key, if there is one.
    pub(crate) async fn get(&self, key: &str) -> Result<Option<Bytes>, CacheError> {
        match self {
            Self::Redis(redis) => redis.get(key).await,
            Self::Local(local) => Ok(local.get(key)),
        }
    }

    /// Keeps a value for so many seconds.
    pub(crate) async fn put(&self, key: &str, value: Bytes, ttl: u64) -> Result<(), CacheError> {
        match self {
            Self::Redis(redis) => redis.put(key, &value, ttl).await,
            Self::Local(local) => {
                local.put(key, value, ttl);
                Ok(())
            }
        }
    }
}

/// A connection that is made anew when it is lost.
pub(crate) struct Redis {
    client: Client,
    limit: Duration,
    connection: ConnectionManager,
}

impl Redis {
    pub(super) async fn connect(client: Client, limit: Duration) -> Result<Arc<Self>, CacheError> {
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(limit))
            .set_response_timeout(Some(limit))
            // Whoever asks is told at once that there is no Redis; the next who asks has it tried again.
            .set_number_of_retries(1);
        match ConnectionManager::new_with_config(client.clone(), config).await {
            Ok(connection) => Ok(Arc::new(Self {
                client,
                limit,
                connection,
            })),
            Err(error) => Err(CacheError::Redis {
                service: name(&client),
                error,
            }),
        }
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, CacheError> {
        let value: Option<Vec<u8>> = self.ask(&Cmd::get(full_key(key))).await?;
        Ok(value.map(Bytes::from))
    }

    async fn put(&self, key: &str, value: &[u8], ttl: u64) -> Result<(), CacheError> {
        self.ask(&Cmd::set_ex(full_key(key), value, ttl)).await
    }

    /// Asks, and asks again if the connection turned out to be lost: asking twice has no other effect than once.
    async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, CacheError> {
        let mut connection = self.connection.clone();
        let answer = match command.query_async(&mut connection).await {
            Err(error) if error.is_connection_dropped() => {
                command.query_async(&mut connection).await
            }
            answer => answer,
        };
        answer.map_err(|error| self.failed(error))
    }

    fn failed(&self, error: RedisError) -> CacheError {
        CacheError::Redis {
            service: name(&self.client),
            error,
        }
    }

    /// Asks over a connection of its own, which nobody else holds up.
    pub(super) async fn check(self: Arc<Self>) -> Result<(), CacheError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.limit))
            .set_response_timeout(Some(self.limit));
        let ping = async {
            let client = &self.client;
            let connecting = client.get_multiplexed_async_connection_with_config(&config);
            connecting.await?.ping().await
        };
        ping.await.map_err(|error| self.failed(error))
    }
}
