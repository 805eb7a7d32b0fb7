//! For plain `fn`: a pool of connections, of which each thread holds one while it waits for its answer.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use redis::{Client, Cmd, FromRedisValue};

use super::local::LocalCache;
use super::pool::{Connector, Pool};
use super::{CacheError, full_key, name};

/// The cache for those who block. A cheap clone.
#[derive(Clone)]
pub(crate) enum BlockingCache {
    Redis(Arc<Redis>),
    Local(LocalCache),
}

impl BlockingCache {
    /// The value of a key, if there is one.
    pub(crate) fn get(&self, key: &str) -> Result<Option<Bytes>, CacheError> {
        match self {
            Self::Redis(redis) => redis.get(key),
            Self::Local(local) => Ok(local.get(key)),
        }
    }

    /// Keeps a value for so many seconds.
    pub(crate) fn put(&self, key: &str, value: Bytes, ttl: u64) -> Result<(), CacheError> {
        match self {
            Self::Redis(redis) => redis.put(key, &value, ttl),
            Self::Local(local) => {
                local.put(key, value, ttl);
                Ok(())
            }
        }
    }
}

/// A pool of connections, each of which is made anew when it is lost.
pub(crate) struct Redis {
    client: Client,
    pool: Pool,
}

impl Redis {
    pub(super) fn connect(
        client: Client,
        limit: Duration,
        connections: u32,
    ) -> Result<Arc<Self>, CacheError> {
        match Connector::pool(client.clone(), limit, connections) {
            Ok(pool) => Ok(Arc::new(Self { client, pool })),
            Err(error) => Err(CacheError::NoConnection {
                service: name(&client),
                error,
            }),
        }
    }

    fn get(&self, key: &str) -> Result<Option<Bytes>, CacheError> {
        let value: Option<Vec<u8>> = self.ask(&Cmd::get(full_key(key)))?;
        Ok(value.map(Bytes::from))
    }

    fn put(&self, key: &str, value: &[u8], ttl: u64) -> Result<(), CacheError> {
        self.ask(&Cmd::set_ex(full_key(key), value, ttl))
    }

    /// Asks, and asks again over another connection if one turned out to be lost: asking twice has no other effect than once. When
    /// the server has been restarted, every connection that was idle is lost, and each says so at once.
    fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, CacheError> {
        let mut more = self.pool.max_size();
        loop {
            let mut connection = self.pool.get().map_err(|error| CacheError::NoConnection {
                service: name(&self.client),
                error,
            })?;
            match command.query(&mut *connection) {
                Err(error) if error.is_connection_dropped() && more > 0 => more -= 1,
                answer => {
                    return answer.map_err(|error| CacheError::Redis {
                        service: name(&self.client),
                        error,
                    });
                }
            }
        }
    }
}
