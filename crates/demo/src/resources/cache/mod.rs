//! Values that are kept for a while: in Redis, over one connection that all share for those who await, and over a pool for those who
//! block; or in this process, where no Redis is set.

mod asynchronous;
mod blocking;
mod local;
mod pool;

use redis::{Client, RedisError};
use siding::lifespan::{Lifespan, ResourceError};

pub(crate) use asynchronous::AsyncCache;
pub(crate) use blocking::BlockingCache;

use self::local::LocalCache;
use crate::config::Config;

/// The longest value.
pub(crate) const VALUE_BYTES_MAX: usize = 64 * 1024;
/// The longest key.
pub(crate) const KEY_BYTES_MAX: usize = 200;

/// Both clients.
#[derive(Clone)]
pub(crate) struct Cache {
    pub(crate) asynchronous: AsyncCache,
    pub(crate) blocking: BlockingCache,
}

impl Cache {
    /// Opens them.
    pub(crate) async fn open(lifespan: &Lifespan, config: &Config) -> Result<Self, ResourceError> {
        let Some(redis) = &config.redis else {
            let local = LocalCache::default();
            return Ok(Self {
                asynchronous: AsyncCache::Local(local.clone()),
                blocking: BlockingCache::Local(local),
            });
        };
        let client = Client::open(redis.clone()).map_err(ResourceError::new)?;
        let (limit, connections) = (config.redis_timeout, lifespan.connections());
        let asynchronous = lifespan
            .open("cache (async)", {
                let client = client.clone();
                async move || asynchronous::Redis::connect(client, limit).await
            })
            .check(asynchronous::Redis::check)
            .await?;
        // The same server, so one check is enough.
        let blocking = lifespan
            .open("cache (blocking)", move || {
                blocking::Redis::connect(client, limit, connections.plain)
            })
            .await?;
        Ok(Self {
            asynchronous: AsyncCache::Redis(asynchronous),
            blocking: BlockingCache::Redis(blocking),
        })
    }
}

/// What people call the server: without its password.
fn name(client: &Client) -> String {
    format!("Redis at {}", client.get_connection_info().addr())
}

/// The name of a value in Redis, which others may use too.
fn full_key(key: &str) -> String {
    format!("siding-demo:cache:{key}")
}

/// The cache did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CacheError {
    #[error("{service} failed: {error}")]
    Redis { service: String, error: RedisError },
    #[error("no connection to {service}: {error}")]
    NoConnection { service: String, error: r2d2::Error },
}
