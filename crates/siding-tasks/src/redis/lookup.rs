//! Finding the master that sentinels name.
//!
//! Source: <https://redis.io/docs/latest/develop/reference/sentinel-clients/>, and `discover_master` in `redis/sentinel.py`. Each
//! connection begins here: sentinels are asked one after the other, and the server that one of them names must say itself that
//! it is the master, as during a failover a sentinel may still name the old one.

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisError, Value};

use super::client::Login;
use super::sentinel::Sentinel;
use super::trouble::told;
use crate::broker::BrokerError;
use crate::url::{RedisUrl, Sentinels, ServerAddress};

/// What a master calls itself.
const MASTER: &str = "master";

/// Finds the master, as often as it is asked.
pub(super) struct Lookup {
    /// The last master that said that it is one, or that was named instead of it since.
    found: Option<ServerAddress>,
    /// Who has answered last comes first.
    sentinels: Vec<Sentinel>,
    master_name: String,
    login: Login,
}

impl Lookup {
    pub(super) fn new(url: &RedisUrl, sentinels: &Sentinels) -> Result<Self, BrokerError> {
        let login = Login::of_sentinels(sentinels)?;
        let all = sentinels.addresses.iter();
        let all = all.map(|address| Sentinel::new(&login, address));
        Ok(Self {
            found: None,
            sentinels: all.collect::<Result<_, _>>()?,
            master_name: sentinels.master_name.clone(),
            login: Login::of_server(url, &sentinels.master_tls)?,
        })
    }

    /// Connects to the master.
    pub(super) async fn connect(
        &mut self,
        config: &AsyncConnectionConfig,
    ) -> Result<MultiplexedConnection, BrokerError> {
        let mut tried = Vec::new();
        let mut failures = Vec::new();
        for place in 0..self.sentinels.len() {
            match self.connect_by(place, &mut tried, config).await {
                Ok(Some(connection)) => return Ok(connection),
                Ok(None) => {}
                Err(failure) => failures.push(failure),
            }
        }
        Err(self.summed_up(&failures))
    }

    /// Connects to the master that one sentinel names; nothing when that was `tried`.
    async fn connect_by(
        &mut self,
        place: usize,
        tried: &mut Vec<ServerAddress>,
        config: &AsyncConnectionConfig,
    ) -> Result<Option<MultiplexedConnection>, BrokerError> {
        let named = self.ask(place).await?;
        if tried.contains(&named) {
            return Ok(None);
        }
        let whose = self.sentinels[0].address();
        let server = format!("{named}, which the sentinel at {whose} names,");
        tried.push(named.clone());
        let client = self.login.at(&named)?;
        let connecting = client.get_multiplexed_async_connection_with_config(config);
        let mut connection = connecting.await.map_err(|error| told(&server, &error))?;
        match role(&mut connection).await {
            Ok(role) if role == MASTER => {
                self.found = Some(named);
                Ok(Some(connection))
            }
            Ok(role) => Err(BrokerError::Unavailable(format!(
                "{server} is no master but a {role}: a failover is under way, or the sentinel is mistaken; it is asked again"
            ))),
            Err(error) => Err(told(&server, &error)),
        }
    }

    /// Whether the sentinels name another one than when this was last asked. While none of them answers, that one is good.
    pub(super) async fn has_moved(&mut self) -> bool {
        for place in 0..self.sentinels.len() {
            if let Ok(named) = self.ask(place).await {
                let moved = self.found.as_ref().is_some_and(|found| *found != named);
                if moved {
                    self.found = Some(named);
                }
                return moved;
            }
        }
        false
    }

    /// Whom one sentinel names. Who answers is asked first from now on; those after it stay where they are.
    async fn ask(&mut self, place: usize) -> Result<ServerAddress, BrokerError> {
        let named = self.sentinels[place].master(&self.master_name).await?;
        self.sentinels[..=place].rotate_right(1);
        Ok(named)
    }

    pub(super) fn found(&self) -> Option<&ServerAddress> {
        self.found.as_ref()
    }

    pub(super) fn name(&self) -> &str {
        &self.master_name
    }

    /// What all sentinels together mean: as long as one of them may do better later, so may all. If they have led to a master
    /// before, the settings are right, and a sentinel or a replica that is not yet set up as the others were may be soon.
    fn summed_up(&self, failures: &[BrokerError]) -> BrokerError {
        let name = &self.master_name;
        let texts: Vec<_> = failures.iter().map(ToString::to_string).collect();
        let text = format!(
            "no sentinel leads to the master {name:?}: {}",
            texts.join("; ")
        );
        let may_change = |failure: &BrokerError| matches!(failure, BrokerError::Unavailable(_));
        match self.found.is_some() || failures.iter().any(may_change) {
            true => BrokerError::Unavailable(text),
            false => BrokerError::Broken(text),
        }
    }
}

/// What a server says it is: `master`, `slave` or `sentinel`.
async fn role(connection: &mut MultiplexedConnection) -> Result<String, RedisError> {
    let answer: Vec<Value> = redis::cmd("ROLE").query_async(connection).await?;
    // The rest differs from role to role, and from state to state.
    let role = answer.into_iter().next().unwrap_or(Value::Nil);
    Ok(redis::from_redis_value(role)?)
}
