//! A namespace on the machine's Redis, with a virtual host of its RabbitMQ where that carries messages, and the Python that is to be met there.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use siding_tasks::{BrokerUrl, RedisSettings};

use super::over::Over;
use crate::amqp::support::Host;

pub(crate) const REDIS: &str = "redis://127.0.0.1:6379/9";

/// A namespace, which is emptied at the end, however the test ends.
pub(crate) struct Space {
    pub(crate) settings: RedisSettings,
    /// Settings of Celery beyond those that say where the broker is.
    pub(crate) celery: Value,
    pub(crate) over: Over,
    pub(super) host: Option<Host>,
    pub(super) python: PathBuf,
    direct: redis::Client,
    prefix: String,
}

impl Space {
    /// A new one, or why there can be none.
    pub(super) fn open(version: &str, over: Over) -> Result<Self, String> {
        let python = python(version)?;
        let direct = redis::Client::open(REDIS).unwrap();
        if direct.get_connection().is_err() {
            return Err(format!("nothing answers on {REDIS}"));
        }
        let BrokerUrl::Redis(url) = REDIS.parse().unwrap() else {
            panic!("a URL of Redis");
        };
        // Celery 5.4 puts a `_` behind every prefix of results, later ones only behind those that end in a letter or digit.
        let prefix = format!("siding-test-{}", uuid::Uuid::new_v4().simple());
        let mut settings = RedisSettings::new(url);
        settings.key_prefix = format!("{prefix}:");
        settings.result_key_prefix.clone_from(&prefix);
        Ok(Self {
            settings,
            celery: json!({}),
            over,
            host: over.host()?,
            python,
            direct,
            prefix,
        })
    }

    /// The configuration of Celery here.
    pub(crate) fn conf(&self) -> Value {
        let settings = &self.settings;
        let mut conf = self.places();
        let all = conf.as_object_mut().unwrap();
        if self.over == Over::Redis {
            let options = json!({
                "global_keyprefix": settings.key_prefix,
                "visibility_timeout": settings.visibility_timeout.as_secs(),
                "priority_steps": settings.priority_steps,
                "sep": settings.separator,
            });
            all.insert("broker_transport_options".to_owned(), options);
        }
        if self.over.keeps_results() {
            let options = json!({"global_keyprefix": settings.result_key_prefix});
            all.insert("result_backend_transport_options".to_owned(), options);
        }
        all.extend(self.celery.as_object().unwrap().clone());
        conf
    }

    /// A command about one key of this namespace.
    pub(crate) fn ask<T: redis::FromRedisValue>(
        &self,
        command: &str,
        key: &str,
        more: &[&str],
    ) -> T {
        let mut connection = self.direct.get_connection().unwrap();
        let mut command = redis::cmd(command);
        command
            .arg(format!("{}{key}", self.settings.key_prefix))
            .arg(more);
        command.query(&mut connection).unwrap()
    }

    /// What waits in a list, the oldest first.
    pub(crate) fn list(&self, key: &str) -> Vec<Value> {
        let mut texts: Vec<String> = self.ask("LRANGE", key, &["0", "-1"]);
        texts.reverse();
        texts
            .iter()
            .map(|text| serde_json::from_str(text).unwrap())
            .collect()
    }

    /// The keys that stay until they are deleted, but for those that say where queues are.
    pub(crate) fn lasting_keys(&self) -> Vec<String> {
        let mut connection = self.direct.get_connection().unwrap();
        let mut lasting = self.keys(&mut connection);
        lasting.retain(|key| {
            let left: i64 = redis::cmd("TTL").arg(key).query(&mut connection).unwrap();
            left == -1 && !key.contains("_kombu.binding")
        });
        lasting
    }

    fn keys(&self, connection: &mut redis::Connection) -> Vec<String> {
        redis::cmd("KEYS")
            .arg(format!("{}*", self.prefix))
            .query(connection)
            .unwrap()
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        let Ok(mut connection) = self.direct.get_connection() else {
            return;
        };
        for key in self.keys(&mut connection) {
            let _ = redis::cmd("DEL").arg(key).query::<()>(&mut connection);
        }
    }
}

/// The Python that has this version of Celery.
pub(crate) fn python(version: &str) -> Result<PathBuf, String> {
    let directory = match std::env::var_os("SIDING_PYTHON_DIR") {
        Some(directory) => PathBuf::from(directory),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/celery"),
    };
    let python = directory.join(version).join("bin/python");
    match python.exists() {
        true => Ok(python),
        false => Err(format!(
            "there is no {}; `just celery-venvs` makes it",
            python.display()
        )),
    }
}
