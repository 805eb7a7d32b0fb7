//! Where a URL leads.

use std::sync::Arc;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionAddr};

use super::client::Login;
use super::master::Master;
use super::trouble::told;
use crate::broker::BrokerError;
use crate::url::{RedisServer, RedisUrl, ServerAddress, Tls};

/// Where a URL leads: to a server, or by sentinels to one that may be replaced. Clones share what the sentinels have said.
#[derive(Clone)]
pub(super) enum Target {
    Server {
        client: Box<Client>,
        url: Box<RedisUrl>,
    },
    Master(Arc<Master>),
}

impl Target {
    /// Connects to nothing yet.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub(super) fn new(url: &RedisUrl) -> Result<Self, BrokerError> {
        let client = match &url.server {
            RedisServer::Sentinels(sentinels) => {
                return Master::new(url, sentinels).map(Self::Master);
            }
            RedisServer::Tcp { host, port, tls } => {
                let (host, port) = (host.clone(), *port);
                Login::of_server(url, tls)?.at(&ServerAddress { host, port })?
            }
            RedisServer::Socket { path } => {
                Login::of_server(url, &Tls::Off)?.open(ConnectionAddr::Unix(path.clone()))?
            }
        };
        let (client, url) = (Box::new(client), Box::new(url.clone()));
        Ok(Self::Server { client, url })
    }

    /// Whether another connection may lead to another server.
    pub(super) fn may_move(&self) -> bool {
        matches!(self, Self::Master(_))
    }

    /// How often it has led elsewhere than before.
    pub(super) fn moves(&self) -> u64 {
        match self {
            Self::Server { .. } => 0,
            Self::Master(master) => master.moves(),
        }
    }

    /// Connects, and says for which number of moves that is good.
    pub(super) async fn connect(
        &self,
        config: &AsyncConnectionConfig,
    ) -> Result<(u64, MultiplexedConnection), BrokerError> {
        match self {
            Self::Master(master) => master.connect(config).await,
            Self::Server { client, url } => {
                let connecting = client.get_multiplexed_async_connection_with_config(config);
                match connecting.await {
                    Ok(connection) => Ok((0, connection)),
                    Err(error) => Err(told(format_args!("Redis at {url}"), &error)),
                }
            }
        }
    }
}
