//! A Siding worker in a process of its own: this program again, in another role.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal};
use siding_runtime::Builder;
use siding_tasks::{BrokerUrl, RedisSettings, TaskError, Tasks};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use super::marks::Marks;
use crate::fleet::{Over, REDIS, SOON, Space, connect};

const BROKER: &str = "SIDING_MIXED_BROKER";
const PREFIX: &str = "SIDING_MIXED_PREFIX";
const RESULTS: &str = "SIDING_MIXED_RESULTS";
const NAME: &str = "SIDING_MIXED_NAME";
/// Set where what is lost is to be found soon.
const IMPATIENT: &str = "SIDING_MIXED_IMPATIENT";

/// What it says when it is told to end.
const ENDING: &str = "no more tasks";

/// It is killed when this is dropped.
pub(super) struct RustWorker {
    child: Child,
    ending: Option<oneshot::Receiver<()>>,
}

impl RustWorker {
    pub(super) fn start(space: &Space, name: &str) -> Self {
        let settings = &space.settings;
        let mut command = Command::new(std::env::current_exe().unwrap());
        if settings.resend_lost.is_some() {
            command.env(IMPATIENT, "yes");
        }
        let mut child = command
            .args([
                "--exact",
                "mixed::rust_worker::role",
                "--ignored",
                "--nocapture",
            ])
            .env(BROKER, space.broker_url())
            .env(PREFIX, &settings.key_prefix)
            .env(RESULTS, &settings.result_key_prefix)
            .env(NAME, name)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (tell, ending) = oneshot::channel();
        std::thread::spawn(move || {
            let mut tell = Some(tell);
            for line in output.lines().map_while(Result::ok) {
                if line.ends_with(ENDING)
                    && let Some(tell) = tell.take()
                {
                    // Nobody may want to know.
                    let _ = tell.send(());
                }
            }
        });
        Self {
            child,
            ending: Some(ending),
        }
    }

    pub(super) fn signal(&self, signal: Signal) {
        rustix::process::kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits until it takes no more tasks.
    pub(super) async fn takes_no_more(&mut self) {
        let ending = self.ending.take().expect("it is asked once");
        tokio::time::timeout(SOON, ending).await.unwrap().unwrap();
    }

    /// How it ended, once it has.
    pub(super) async fn ended(mut self) -> ExitStatus {
        let ended = crate::redis::support::eventually(|| {
            let status = self.child.try_wait().unwrap();
            async move { status }
        });
        tokio::time::timeout(SOON, ended)
            .await
            .expect("the worker does not end")
    }
}

impl Drop for RustWorker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
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

/// How many calls of this there were in the space, this one included.
async fn count(_: u64) -> Result<u64, TaskError> {
    let client = redis::Client::open(REDIS)?;
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
    let Ok(url) = std::env::var(BROKER) else {
        return;
    };
    let over = match url.starts_with("amqp") {
        true => Over::RabbitMqAndRedis,
        false => Over::Redis,
    };
    let prefix = std::env::var(PREFIX).unwrap();
    let tasks = Tasks::new();
    drop(tasks.register("app.add", add));
    drop(tasks.register("rust.wait", wait));
    drop(tasks.register("rust.count", count));
    Marks::under(&prefix).register(&tasks);
    let runtime = Builder::new()
        .event_loop_threads(1)
        .relief_threads(1)
        .build()
        .unwrap();
    runtime.block_on(async {
        tasks.connect(connect(&url, over, settings(prefix)).await);
        let worker = tasks.worker().name(std::env::var(NAME).unwrap());
        // As many as a Python worker of the tests.
        worker.concurrency(2).run(told()).await.unwrap();
    });
}

fn settings(prefix: String) -> RedisSettings {
    let BrokerUrl::Redis(url) = REDIS.parse().unwrap() else {
        panic!("a URL of Redis");
    };
    let mut settings = RedisSettings::new(url);
    settings.key_prefix = prefix;
    settings.result_key_prefix = std::env::var(RESULTS).unwrap();
    if std::env::var_os(IMPATIENT).is_some() {
        super::impatient(&mut settings);
    }
    settings
}

/// Resolves when it is told to end, or whoever started this process is gone: its input ends then.
pub(crate) async fn told() {
    let mut terminate = signal(SignalKind::terminate()).unwrap();
    let (tell, orphaned) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        // However it ends.
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        drop(tell);
    });
    tokio::select! {
        _ = terminate.recv() => println!("{ENDING}"),
        _ = orphaned => {}
    }
}
