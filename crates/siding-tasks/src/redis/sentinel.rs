//! One sentinel.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError};

use super::client::Login;
use super::trouble::told;
use crate::broker::BrokerError;
use crate::url::ServerAddress;

/// How long it may take to be reached, and then to answer, before the next one is asked.
const PATIENCE: Duration = Duration::from_secs(1);

/// A sentinel, and the connection on which it was asked last.
pub(super) struct Sentinel {
    address: ServerAddress,
    client: Client,
    connection: Option<MultiplexedConnection>,
}

impl Sentinel {
    /// Connects to nothing yet.
    pub(super) fn new(login: &Login, address: &ServerAddress) -> Result<Self, BrokerError> {
        Ok(Self {
            address: address.clone(),
            client: login.at(address)?,
            connection: None,
        })
    }

    pub(super) fn address(&self) -> &ServerAddress {
        &self.address
    }

    /// Whom it names as master.
    pub(super) async fn master(&mut self, name: &str) -> Result<ServerAddress, BrokerError> {
        let asked = self.ask(name).await;
        match asked.map_err(|error| self.told(&error))? {
            Answer::Named(host, port) => Ok(ServerAddress { host, port }),
            Answer::Unknown(known) if known.is_empty() => Err(BrokerError::Broken(format!(
                "the sentinel at {} watches no master; tell it by `sentinel monitor`, or write another",
                self.address
            ))),
            Answer::Unknown(known) => Err(BrokerError::Broken(format!(
                "the sentinel at {} does not know it; write as master_name what it knows: {}",
                self.address,
                known.join(", ")
            ))),
        }
    }

    async fn ask(&mut self, name: &str) -> Result<Answer, RedisError> {
        if let Some(mut connection) = self.connection.take() {
            match ask(&mut connection, name).await {
                Ok(answer) => {
                    self.connection = Some(connection);
                    return Ok(answer);
                }
                Err(error) if error.is_timeout() => return Err(error),
                // It may only have been closed meanwhile.
                Err(_) => {}
            }
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        let connecting = self
            .client
            .get_multiplexed_async_connection_with_config(&config);
        let mut connection = connecting.await?;
        let answer = ask(&mut connection, name).await?;
        self.connection = Some(connection);
        Ok(answer)
    }

    fn told(&self, error: &RedisError) -> BrokerError {
        let sentinel = format!("the sentinel at {}", self.address);
        let is_none = error.code() == Some("ERR")
            && error
                .detail()
                .is_some_and(|detail| detail.starts_with("unknown command"));
        match told(&sentinel, error) {
            _ if is_none => BrokerError::Broken(format!(
                "{} is a Redis server and no sentinel; write the port of a sentinel, which is 26379 unless it was set",
                self.address
            )),
            BrokerError::Broken(text) => BrokerError::Broken(format!(
                "{text}; write sentinel_password=… and, if they have users, sentinel_username=…"
            )),
            other => other,
        }
    }
}

/// What a sentinel says of a name.
enum Answer {
    /// The address of the master.
    Named(String, u16),
    /// It does not know it. The names that it knows.
    Unknown(Vec<String>),
}

async fn ask(connection: &mut MultiplexedConnection, name: &str) -> Result<Answer, RedisError> {
    let mut ask = redis::cmd("SENTINEL");
    ask.arg("GET-MASTER-ADDR-BY-NAME").arg(name);
    if let Some((host, port)) = ask.query_async(connection).await? {
        return Ok(Answer::Named(host, port));
    }
    let known = redis::cmd("ROLE").query_async(connection).await;
    let (_, known): (String, Vec<String>) = known.unwrap_or_default();
    Ok(Answer::Unknown(known))
}
