//! What the task `mixed.hold` says, and is told, in Redis. Python's workers have the same task (python/app.py).

use std::collections::BTreeMap;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, FromRedisValue};
use siding_tasks::{TaskContext, TaskError, Tasks};

use crate::fleet::{REDIS, Space};
use crate::redis::support::eventually;

/// Where they are.
#[derive(Clone)]
pub(super) struct Marks {
    prefix: String,
}

impl Marks {
    pub(super) fn of(space: &Space) -> Self {
        Self::under(&space.settings.key_prefix)
    }

    pub(super) fn under(prefix: &str) -> Self {
        Self {
            prefix: format!("{prefix}marks."),
        }
    }

    /// Registers the task, which notes that it runs, says where, and ends when somebody lets it go.
    pub(super) fn register(&self, tasks: &Tasks) {
        let marks = self.clone();
        tasks.register("mixed.hold", move |context: TaskContext, number: u64| {
            let marks = marks.clone();
            async move {
                let worker = context.worker();
                let number_text = number.to_string();
                marks
                    .ask::<u64>("HINCRBY", "runs", &[&number_text, "1"])
                    .await?;
                marks.ask::<u64>("RPUSH", "began", &[worker]).await?;
                let go = format!("go.{worker}");
                marks.ask::<(String, String)>("BLPOP", &go, &["0"]).await?;
                Ok::<_, TaskError>(number)
            }
        });
    }

    /// The worker where the task has begun once more.
    pub(super) async fn began(&self) -> String {
        eventually(|| async { self.ask("LPOP", "began", &[]).await.unwrap() }).await
    }

    /// Lets as many of a worker's tasks end, now or when they begin.
    pub(super) async fn let_go(&self, worker: &str, times: usize) {
        let tokens = vec!["go"; times];
        let go = format!("go.{worker}");
        self.ask::<u64>("RPUSH", &go, &tokens).await.unwrap();
    }

    /// How often the task ran, by its number.
    pub(super) async fn runs(&self) -> BTreeMap<u64, u64> {
        self.ask("HGETALL", "runs", &[]).await.unwrap()
    }

    /// Forgets what ran, and where.
    pub(super) async fn clear(&self) {
        for key in ["runs", "began"] {
            self.ask::<u64>("DEL", key, &[]).await.unwrap();
        }
    }

    /// A command about one of the keys, on a connection of its own: it may wait.
    async fn ask<T: FromRedisValue>(
        &self,
        command: &str,
        key: &str,
        more: &[&str],
    ) -> redis::RedisResult<T> {
        let mut command = redis::cmd(command);
        command.arg(format!("{}{key}", self.prefix)).arg(more);
        command.query_async(&mut connection().await?).await
    }
}

async fn connection() -> redis::RedisResult<MultiplexedConnection> {
    let client = redis::Client::open(REDIS)?;
    let patient = AsyncConnectionConfig::new().set_response_timeout(None);
    client
        .get_multiplexed_async_connection_with_config(&patient)
        .await
}
