//! A Siding worker in a process of its own: this program again, in another role.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use siding_runtime::Builder;
use siding_tasks::{BrokerUrl, Redis, RedisSettings, Tasks};

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
