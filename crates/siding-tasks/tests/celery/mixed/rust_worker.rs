//! A Siding worker in a process of its own: this program again, in another role.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use rustix::process::{Pid, Signal};
use siding_runtime::Builder;
use siding_tasks::{BrokerUrl, Redis, RedisSettings, TaskError, Tasks};

use crate::fleet::Space;

const URL: &str = "SIDING_MIXED_URL";
const PREFIX: &str = "SIDING_MIXED_PREFIX";
const RESULTS: &str = "SIDING_MIXED_RESULTS";

/// It is killed when this is dropped.
pub(super) struct RustWorker(Child);

impl RustWorker {
    pub(super) fn start(space: &Space) -> Self {
        let settings = &space.settings;
        let child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "mixed::rust_worker::role",
                "--ignored",
                "--nocapture",
            ])
            // Without the password that it has not.
            .env(URL, settings.url.to_string())
            .env(PREFIX, &settings.key_prefix)
            .env(RESULTS, &settings.result_key_prefix)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }

    pub(super) fn signal(&self, signal: Signal) {
        rustix::process::kill_process(Pid::from_child(&self.0), signal).unwrap();
    }
}

impl Drop for RustWorker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn add(x: usize, y: usize) -> usize {
    // Long enough that it is killed in the middle of some.
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    x + y
}

async fn wait(value: u64) -> u64 {
    // Long enough to be stopped in.
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    value
}

/// How many calls of this there were in the namespace, this one included.
async fn count(_: u64) -> Result<u64, TaskError> {
    let client = redis::Client::open(std::env::var(URL)?)?;
    let mut connection = client.get_multiplexed_async_connection().await?;
    let key = format!("{}counted", std::env::var(PREFIX)?);
    Ok(redis::cmd("INCR")
        .arg(key)
        .query_async(&mut connection)
        .await?)
}

#[test]
#[ignore = "a role that another test starts"]
fn role() {
    let Ok(url) = std::env::var(URL) else { return };
    let BrokerUrl::Redis(url) = url.parse().unwrap() else {
        panic!("a URL of Redis");
    };
    let mut settings = RedisSettings::new(url);
    settings.key_prefix = std::env::var(PREFIX).unwrap();
    settings.result_key_prefix = std::env::var(RESULTS).unwrap();
    settings.visibility_timeout = std::time::Duration::from_secs(6);
    settings.resend_lost = Some(super::RESEND);
    let tasks = Tasks::new();
    drop(tasks.register("app.add", add));
    drop(tasks.register("rust.wait", wait));
    drop(tasks.register("rust.count", count));
    let runtime = Builder::new()
        .event_loop_threads(1)
        .relief_threads(1)
        .build()
        .unwrap();
    runtime.block_on(async {
        tasks.connect(Arc::new(Redis::connect(settings).await.unwrap()));
        let worker = tasks
            .worker()
            .name(format!("rust-{}", std::process::id()))
            .concurrency(4);
        worker.run(orphaned()).await.unwrap();
    });
}

/// Resolves when whoever started this process is gone: its input ends then.
async fn orphaned() {
    let (told, ended) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        // However it ends.
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = told.send(());
    });
    let _ = ended.await;
}
