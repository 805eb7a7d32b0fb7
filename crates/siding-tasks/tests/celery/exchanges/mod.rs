//! Exchanges of one's own, beside Celery, on both brokers.

mod broadcasts;
mod from_python;
mod over_amqp;
mod to_python;

use serde_json::{Value, json};
use siding_tasks::{Exchange, SendError, TaskQueues, Tasks};
use tokio::sync::mpsc;

/// The queues of Python, as its applications here have them.
fn pythons() -> Value {
    json!([
        ["one", "shop", "direct", "one"],
        ["videos", "media", "topic", "media.video.#"],
        ["pairs", "media", "topic", "*.pair"],
    ])
}

/// The queues of Siding.
fn sidings() -> TaskQueues {
    TaskQueues::default()
        .with("rust", Exchange::direct("shop"), "rust")
        .with("rust-videos", Exchange::topic("media"), "media.rust.#")
        .with("rust-new", Exchange::topic("media"), "media.*.new")
        .with_broadcast("reload")
}

/// Checks that a message was not sent, for the exchange leads nowhere.
#[track_caller]
fn check_unroutable<T>(sent: Result<T, SendError>, exchange: &str) {
    let Err(SendError::Broker(error)) = sent else {
        panic!("it was sent");
    };
    let siding_tasks::BrokerError::Unroutable(why) = &error else {
        panic!("{error:?}");
    };
    assert!(why.contains(&format!("{exchange:?}")), "{why}");
}

/// Registers a task that every process of a broadcast runs, under the name that Python has it by, and hears of who did.
fn hear(tasks: &Tasks, name: &str) -> mpsc::UnboundedReceiver<u32> {
    let (tell, heard) = mpsc::unbounded_channel();
    let own = tell.clone();
    tasks.register(name, move || {
        let own = own.clone();
        async move { own.send(std::process::id()).unwrap() }
    });
    tasks.register("rust.heard", move |pid: u32| {
        let tell = tell.clone();
        async move { tell.send(pid).unwrap() }
    });
    heard
}

/// Waits until so many processes have run it, each of them once.
async fn check_heard(heard: &mut mpsc::UnboundedReceiver<u32>, processes: usize) {
    let mut pids = std::collections::BTreeSet::new();
    while pids.len() < processes {
        let pid = heard.recv().await.unwrap();
        assert!(pids.insert(pid), "{pid} ran it twice");
    }
}
