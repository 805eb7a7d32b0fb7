//! A database of the machine's Redis, or as much of it as a prefix is.

use std::sync::Arc;
use std::time::Duration;

use ::redis::FromRedisValue;
use ::redis::aio::MultiplexedConnection;
use siding_tasks::{
    Broker, BrokerUrl, ClaimRequest, Delivery, Enqueue, Message, Redis, RedisSettings, Settlement,
};

/// Nothing here takes this long unless it is broken.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// The machine's Redis, under a prefix of its own that is emptied at the end.
pub(crate) struct Space {
    pub(crate) settings: RedisSettings,
    pub(crate) direct: MultiplexedConnection,
}

impl Space {
    /// Runs `test` in a space of its own, or says why not.
    pub(crate) fn with<F: Future<Output = ()>>(test: impl FnOnce(Self) -> F) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let Some(space) = Self::open().await else {
                return leave_out("nothing answers on redis://127.0.0.1:6379");
            };
            let (prefix, mut direct) = (space.settings.key_prefix.clone(), space.direct.clone());
            tokio::time::timeout(DEADLINE, test(space))
                .await
                .expect("the test hangs");
            empty(&prefix, &mut direct).await;
        });
    }

    async fn open() -> Option<Self> {
        let BrokerUrl::Redis(url) = "redis://127.0.0.1:6379/8".parse().unwrap() else {
            panic!("a URL of Redis");
        };
        let client = ::redis::Client::open("redis://127.0.0.1:6379/8").unwrap();
        let direct = client.get_multiplexed_async_connection().await.ok()?;
        let mut settings = RedisSettings::new(url);
        settings.key_prefix = format!("siding-test-{}:", uuid::Uuid::new_v4().simple());
        settings.result_key_prefix.clone_from(&settings.key_prefix);
        Some(Self { settings, direct })
    }

    pub(crate) async fn connect(&self) -> Redis {
        Redis::connect(self.settings.clone()).await.unwrap()
    }

    /// A command about one key of this space.
    pub(crate) async fn ask<T: FromRedisValue>(
        &self,
        command: &str,
        key: &str,
        more: &[&str],
    ) -> T {
        let mut command = ::redis::cmd(command);
        command
            .arg(format!("{}{key}", self.settings.key_prefix))
            .arg(more);
        command.query_async(&mut self.direct.clone()).await.unwrap()
    }

    /// The keys of this space, without the prefix.
    pub(crate) async fn keys(&self) -> Vec<String> {
        let mut keys = all_keys(&self.settings.key_prefix, &mut self.direct.clone()).await;
        for key in &mut keys {
            *key = key[self.settings.key_prefix.len()..].to_owned();
        }
        keys.sort();
        keys
    }
}

async fn all_keys(prefix: &str, direct: &mut MultiplexedConnection) -> Vec<String> {
    ::redis::cmd("KEYS")
        .arg(format!("{prefix}*"))
        .query_async(direct)
        .await
        .unwrap()
}

async fn empty(prefix: &str, direct: &mut MultiplexedConnection) {
    for key in all_keys(prefix, direct).await {
        ::redis::cmd("DEL")
            .arg(key)
            .query_async::<()>(direct)
            .await
            .unwrap();
    }
}

/// Spawns on tokio's runtime: these tests have no other.
pub(crate) fn spawn<F>(future: F) -> tokio::task::JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    tokio::runtime::Handle::current().spawn(future)
}

/// Says that a test was left out, or fails where the environment promises everything it needs.
#[track_caller]
#[expect(clippy::print_stderr, reason = "whoever reads the output should know")]
pub(crate) fn leave_out(reason: &str) {
    let required = std::env::var("SIDING_TEST_SERVICES").is_ok_and(|value| value == "required");
    assert!(
        !required,
        "left out although SIDING_TEST_SERVICES=required: {reason}"
    );
    eprintln!("left out: {reason}");
}

pub(crate) fn request(limit: usize) -> ClaimRequest {
    ClaimRequest {
        worker: "test@here".to_owned(),
        queues: vec!["celery".to_owned()],
        limit,
        quotas: Vec::new(),
        known: None,
        lease: Duration::from_secs(30),
    }
}

pub(crate) async fn send(broker: &Redis, messages: Vec<Message>) {
    let request = Enqueue {
        messages,
        chords: Vec::new(),
    };
    broker.enqueue(request).await.unwrap();
}

pub(crate) async fn claim(broker: &Redis, limit: usize) -> Vec<Delivery> {
    broker.claim(request(limit)).await.unwrap().deliveries
}

pub(crate) async fn claim_one(broker: &Redis) -> Delivery {
    claim(broker, 1).await.pop().expect("a message waits")
}

/// Asks again until there is an answer.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(mut ask: impl FnMut() -> F) -> T {
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub(crate) fn success(result: &impl serde::Serialize) -> Settlement {
    Settlement::Success {
        result: siding_tasks::RawJson::of(result).unwrap(),
        children: Vec::new(),
        successors: Enqueue::default(),
    }
}

pub(crate) fn failure() -> Settlement {
    Settlement::Failure {
        exception: siding_tasks::Exception {
            exc_type: "ValueError".to_owned(),
            exc_module: "builtins".to_owned(),
            message: "no".to_owned(),
        },
        traceback: None,
        children: Vec::new(),
        successors: Enqueue::default(),
    }
}

/// So that a broker can be shared with a task.
pub(crate) fn shared(broker: &Redis) -> Arc<dyn Broker> {
    Arc::new(broker.clone())
}
