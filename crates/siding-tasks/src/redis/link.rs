//! A connection that is replaced when it is lost.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use redis::aio::{AsyncPushSender, MultiplexedConnection};
use redis::{AsyncConnectionConfig, Cmd, FromRedisValue, Pipeline, RedisError, ScriptInvocation};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::target::Target;
use super::trouble::{is_no_master, told};
use crate::broker::BrokerError;
use crate::url::RedisUrl;

/// How long the first connection, and each later one, may take.
const CONNECT: Duration = Duration::from_secs(5);

/// The same where sentinels may name another server meanwhile.
const CONNECT_TO_MASTER: Duration = Duration::from_secs(2);

/// After a failed attempt to connect the next one waits so long; whoever asks meanwhile is told at once.
const PAUSE: Duration = Duration::from_millis(250);

/// A connection that many share, and that is replaced when it is lost, does not answer in time, or is to no master any more.
///
/// The client's own connection manager keeps a connection whose other end is silent: it was lost, and nobody said so.
pub(super) struct Link {
    target: Target,
    url: RedisUrl,
    config: AsyncConnectionConfig,
    current: RwLock<Option<Current>>,
    connecting: Mutex<Attempts>,
}

struct Current {
    generation: u64,
    /// The number of moves that it is good for.
    moves: u64,
    connection: MultiplexedConnection,
}

#[derive(Debug, Default)]
struct Attempts {
    count: u64,
    failed: Option<(Instant, BrokerError)>,
}

impl Link {
    /// Connects to nothing yet.
    pub(super) fn new(url: &RedisUrl, response_timeout: Duration) -> Result<Self, BrokerError> {
        let target = Target::new(url)?;
        let connect = match target.may_move() {
            true => CONNECT_TO_MASTER,
            false => CONNECT,
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(connect))
            .set_response_timeout(Some(response_timeout));
        Ok(Self::to(target, url.clone(), config))
    }

    /// Another connection to the same server, on which what it pushes goes to `pushes`.
    pub(super) fn beside(&self, pushes: Arc<dyn AsyncPushSender>) -> Self {
        let config = self.config.clone().set_push_sender(pushes);
        Self::to(self.target.clone(), self.url.clone(), config)
    }

    fn to(target: Target, url: RedisUrl, config: AsyncConnectionConfig) -> Self {
        Self {
            target,
            url,
            config,
            current: RwLock::new(None),
            connecting: Mutex::default(),
        }
    }

    /// Whether it is connected, as far as is known.
    pub(super) fn is_up(&self) -> bool {
        self.now().is_some()
    }

    fn now(&self) -> Option<(u64, MultiplexedConnection)> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        let current = current.as_ref();
        let current = current.filter(|current| current.moves == self.target.moves())?;
        Some((current.generation, current.connection.clone()))
    }

    /// The connection, made now if there is none.
    pub(super) async fn connection(&self) -> Result<(u64, MultiplexedConnection), BrokerError> {
        if let Some(connection) = self.now() {
            return Ok(connection);
        }
        let mut attempts = self.connecting.lock().await;
        if let Some(connection) = self.now() {
            return Ok(connection);
        }
        if let Some((at, error)) = &attempts.failed
            && at.elapsed() < PAUSE
        {
            return Err(error.clone());
        }
        match self.target.connect(&self.config).await {
            Ok((moves, connection)) => {
                attempts.count += 1;
                attempts.failed = None;
                let generation = attempts.count;
                let fresh = Current {
                    generation,
                    moves,
                    connection: connection.clone(),
                };
                let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
                *current = Some(fresh);
                if generation > 1 {
                    tracing::info!(server = %self.url, "connected to Redis again");
                }
                Ok((generation, connection))
            }
            Err(error) => {
                attempts.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    /// Gives a connection up, unless another is there already.
    fn lose(&self, generation: u64) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current
            .as_ref()
            .is_some_and(|now| now.generation == generation)
        {
            *current = None;
        }
    }

    pub(super) async fn query<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, BrokerError> {
        let (generation, mut connection) = self.connection().await?;
        let answer = command.query_async(&mut connection).await;
        answer.map_err(|error| self.failed(generation, &error))
    }

    pub(super) async fn pipe<T: FromRedisValue>(
        &self,
        commands: &Pipeline,
    ) -> Result<T, BrokerError> {
        let (generation, mut connection) = self.connection().await?;
        let answer = commands.query_async(&mut connection).await;
        answer.map_err(|error| self.failed(generation, &error))
    }

    pub(super) async fn run<T: FromRedisValue>(
        &self,
        script: &ScriptInvocation<'_>,
    ) -> Result<T, BrokerError> {
        let (generation, mut connection) = self.connection().await?;
        let answer = script.invoke_async(&mut connection).await;
        answer.map_err(|error| self.failed(generation, &error))
    }

    /// What a failed command means: the connection is given up if it cannot be trusted any more.
    pub(super) fn failed(&self, generation: u64, error: &RedisError) -> BrokerError {
        let is_lost = error.is_io_error() || error.is_timeout() || error.is_unrecoverable_error();
        if is_lost || is_no_master(error) {
            self.lose(generation);
        }
        told(format_args!("Redis at {}", self.url), error)
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("url", &self.url)
            .field("up", &self.is_up())
            .finish_non_exhaustive()
    }
}
