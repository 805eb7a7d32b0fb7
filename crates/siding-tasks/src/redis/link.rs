//! A connection that is replaced when it is lost.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use redis::aio::{AsyncPushSender, MultiplexedConnection};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, FromRedisValue, Pipeline, RedisError,
    ScriptInvocation, ServerErrorKind,
};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::client::client;
use crate::broker::BrokerError;
use crate::url::RedisUrl;

/// How long the first connection, and each later one, may take.
const CONNECT: Duration = Duration::from_secs(5);

/// After a failed attempt to connect the next one waits so long; whoever asks meanwhile is told at once.
const PAUSE: Duration = Duration::from_millis(250);

/// A connection that many share, and that is replaced when it is lost or does not answer in time.
///
/// The client's own connection manager keeps a connection whose other end is silent: it was lost, and nobody said so.
pub(super) struct Link {
    client: Client,
    url: RedisUrl,
    config: AsyncConnectionConfig,
    current: RwLock<Option<(u64, MultiplexedConnection)>>,
    connecting: Mutex<Attempts>,
}

#[derive(Debug, Default)]
struct Attempts {
    count: u64,
    failed: Option<(Instant, BrokerError)>,
}

impl Link {
    /// Connects to nothing yet. What the server pushes goes to `pushes`.
    pub(super) fn new(
        url: &RedisUrl,
        response_timeout: Duration,
        pushes: Option<Arc<dyn AsyncPushSender>>,
    ) -> Result<Self, BrokerError> {
        let mut config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(response_timeout));
        if let Some(pushes) = pushes {
            config = config.set_push_sender(pushes);
        }
        Ok(Self {
            client: client(url)?,
            url: url.clone(),
            config,
            current: RwLock::new(None),
            connecting: Mutex::default(),
        })
    }

    /// Whether it is connected, as far as is known.
    pub(super) fn is_up(&self) -> bool {
        self.now().is_some()
    }

    fn now(&self) -> Option<(u64, MultiplexedConnection)> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.clone()
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
        let connecting = self
            .client
            .get_multiplexed_async_connection_with_config(&self.config);
        match connecting.await {
            Ok(connection) => {
                attempts.count += 1;
                attempts.failed = None;
                let fresh = (attempts.count, connection);
                let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
                *current = Some(fresh.clone());
                if attempts.count > 1 {
                    tracing::info!(server = %self.url, "connected to Redis again");
                }
                Ok(fresh)
            }
            Err(error) => {
                let error = self.told(&error);
                attempts.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    /// Gives a connection up, unless another is there already.
    fn lose(&self, generation: u64) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_some_and(|(now, _)| *now == generation) {
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
        if error.is_io_error() || error.is_timeout() || error.is_unrecoverable_error() {
            self.lose(generation);
        }
        self.told(error)
    }

    fn told(&self, error: &RedisError) -> BrokerError {
        let url = &self.url;
        let is_refusal = matches!(error.code(), Some("WRONGPASS" | "NOAUTH"));
        match error.kind() {
            kind if is_refusal || kind == ErrorKind::AuthenticationFailed => BrokerError::Broken(
                format!("Redis at {url} refused the user or the password: {error}"),
            ),
            ErrorKind::Server(ServerErrorKind::NoPerm) => BrokerError::Broken(format!(
                "Redis at {url} does not permit its user what tasks need: {error}"
            )),
            ErrorKind::Server(_) => {
                BrokerError::Unavailable(format!("Redis at {url} refused: {error}"))
            }
            _ if error.is_timeout() => {
                BrokerError::Unavailable(format!("Redis at {url} did not answer in time"))
            }
            _ => BrokerError::Unavailable(format!("Redis at {url} cannot be reached: {error}")),
        }
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
