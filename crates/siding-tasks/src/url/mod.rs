//! URLs of brokers and result backends, in Celery's forms.
//!
//! Source: `kombu/utils/url.py`, `kombu/transport/redis.py` (`_connparams`, `_prepare_virtual_host`),
//! `kombu/transport/pyamqp.py` (`default_connection_params`), `celery/backends/redis.py` (`_params_from_url`), 5.7.

mod amqp;
mod parts;
mod redis;
mod secret;
mod sentinel;
#[cfg(test)]
mod tests;
mod tls;

use std::fmt;
use std::str::FromStr;

pub use amqp::AmqpUrl;
use parts::Parts;
pub use redis::{RedisServer, RedisUrl};
pub use secret::Secret;
pub use sentinel::{Sentinels, ServerAddress};
pub use tls::{Tls, TlsFiles};

/// Where a broker is. Its `Display` and its `Debug` leave the password out.
///
/// ```
/// use siding_tasks::BrokerUrl;
///
/// let url: BrokerUrl = "redis://app:wonder@cache/1".parse()?;
/// assert_eq!(url.to_string(), "redis://app:**@cache:6379/1");
/// # Ok::<(), siding_tasks::UrlError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BrokerUrl {
    /// `redis://[user][:password]@host:port/database`, `rediss://` with TLS, `redis+socket:///path?virtual_host=database`,
    /// `sentinel://[user][:password]@host:port/database;sentinel://…?master_name=name`.
    Redis(RedisUrl),
    /// `amqp://user:password@host:port/virtual-host`, `amqps://` with TLS.
    Amqp(AmqpUrl),
}

/// Where results go. Its `Display` and its `Debug` leave the password out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BackendUrl {
    /// As a broker's.
    Redis(RedisUrl),
    /// `rpc://`: back to the client that sent the task, over the broker.
    Rpc,
    /// `disabled`: nowhere.
    Disabled,
}

/// Why a URL was refused. Never holds what may be a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UrlError(String);

impl UrlError {
    fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

impl FromStr for BrokerUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        if sentinel::is_sentinel(text) {
            return Sentinels::read(text).map(Self::Redis);
        }
        let parts = Parts::read(text)?;
        match parts.scheme.as_str() {
            "redis" | "rediss" | "redis+socket" => RedisUrl::read(parts).map(Self::Redis),
            "amqp" | "amqps" | "pyamqp" | "pyamqps" => AmqpUrl::read(parts).map(Self::Amqp),
            scheme => Err(UrlError::new(format!(
                "{scheme}:// is no broker that Siding speaks to; write redis://, rediss://, redis+socket://, sentinel://, \
                 amqp:// or amqps://"
            ))),
        }
    }
}

impl FromStr for BackendUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        match text.trim() {
            "rpc" => return Ok(Self::Rpc),
            "disabled" => return Ok(Self::Disabled),
            text if sentinel::is_sentinel(text) => return Sentinels::read(text).map(Self::Redis),
            _ => {}
        }
        let parts = Parts::read(text)?;
        match parts.scheme.as_str() {
            "redis" | "rediss" | "redis+socket" | "socket" => {
                RedisUrl::read(parts).map(Self::Redis)
            }
            "rpc" => Ok(Self::Rpc),
            "disabled" => Ok(Self::Disabled),
            scheme => Err(UrlError::new(format!(
                "{scheme}:// is no result backend that Siding speaks to; write redis://, rediss://, redis+socket://, \
                 sentinel://, rpc:// (over an AMQP broker) or disabled"
            ))),
        }
    }
}

impl fmt::Display for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Redis(url) => url.fmt(f),
            Self::Amqp(url) => url.fmt(f),
        }
    }
}

impl fmt::Display for BackendUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Redis(url) => url.fmt(f),
            Self::Rpc => f.write_str("rpc://"),
            Self::Disabled => f.write_str("disabled"),
        }
    }
}
