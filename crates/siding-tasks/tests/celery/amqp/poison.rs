//! A task that kills its workers, in a quorum queue with a limit of deliveries.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use lapin::types::AMQPValue;
use rustix::process::{Signal, getpid, kill_process};
use siding_runtime::Builder;
use siding_tasks::{Amqp, Broker as _, Found, Tasks};

use super::support::*;

const URL: &str = "SIDING_POISON_URL";
const QUEUE: &str = "SIDING_POISON_QUEUE";

/// How often the queue delivers a message again.
const LIMIT: i32 = 2;

/// A worker in a process of its own: this program again. It is killed when this is dropped.
struct Worker(Child);

impl Worker {
    fn start(space: &Space) -> Self {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "amqp::poison::role", "--ignored"])
            .env(URL, &space.url)
            .env(QUEUE, &space.queue)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }

    fn is_dead(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }

    async fn dies(mut self) {
        while !self.is_dead() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
#[ignore = "a role that another test starts"]
fn role() {
    let (Ok(url), Ok(queue)) = (std::env::var(URL), std::env::var(QUEUE)) else {
        return;
    };
    let tasks = Tasks::new();
    tasks.register("die", async || {
        kill_process(getpid(), Signal::KILL).unwrap();
    });
    tasks.register("add", async |x: u64, y: u64| x + y);
    let runtime = Builder::new().event_loop_threads(1).build().unwrap();
    runtime.block_on(async {
        let broker = Amqp::connect(settings(&url)).await.unwrap();
        tasks.connect(Arc::new(broker));
        let worker = tasks.worker().queues([queue]);
        worker.run(crate::mixed::rust_worker::told()).await.unwrap();
    });
}

/// The server takes it away; nobody tells whoever waits for its result.
#[test]
fn the_limit_of_deliveries_ends_what_kills_its_workers() {
    Space::with_host_on_siding(async |space| {
        let text = |text: &str| AMQPValue::LongString(text.into());
        let grave = format!("{}.dead", space.queue);
        declare(&space.direct, &grave, &[]).await;
        let arguments = [
            ("x-queue-type", text("quorum")),
            ("x-delivery-limit", AMQPValue::LongInt(LIMIT)),
            ("x-dead-letter-exchange", text("")),
            ("x-dead-letter-routing-key", text(&grave)),
        ];
        declare(&space.direct, &space.queue, &arguments).await;
        let tasks = Tasks::new();
        let broker = space.connect().await;
        tasks.connect(Arc::new(broker.clone()));
        let die = space.message("die");
        let id = die.id.clone();
        send(&broker, vec![die]).await;

        // The first time it is delivered as well.
        for _ in 0..=LIMIT {
            Worker::start(&space).dies().await;
        }
        space.await_ready(&grave, 1).await;
        let mut worker = Worker::start(&space);
        let arguments = [2, 3].map(|number| siding_tasks::RawJson::of(&number).unwrap());
        let sum = tasks.send_task::<u64>("add", arguments.to_vec(), []);
        let sum = sum.queue(&space.queue).await.unwrap();
        assert_eq!(sum.get(DEADLINE).await.unwrap(), 5);
        assert!(!worker.is_dead());
        assert_eq!(broker.find(id).await.unwrap(), Found::Unknown);
    });
}
