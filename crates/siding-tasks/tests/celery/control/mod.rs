//! Celery's commands, events and Flower beside a Siding worker.

mod commands;
mod events;
mod flower;
mod inspection;
mod peers;
mod sent;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use siding_tasks::{TaskError, Worker};

use super::fleet::{Client, Fleet, Over, Running};

/// Celery of each version, and over each broker.
const EVERYWHERE: [(Over, &str); 3] = [
    (Over::Redis, "5.7"),
    (Over::Redis, "5.4"),
    (Over::RabbitMq, "5.7"),
];

/// Both brokers.
const BOTH: [Over; 2] = [Over::Redis, Over::RabbitMq];

/// Tasks that return at once, fail, and never return.
fn register(fleet: &Fleet) {
    let _ = fleet
        .tasks
        .register("rust.double", async |x: u64| x * 2)
        .queue("rust");
    let fail = async || Err::<(), _>(TaskError::new("no").named("ValueError"));
    let _ = fleet.tasks.register("rust.fail", fail).queue("rust");
    let endless = async || std::future::pending::<()>().await;
    let _ = fleet.tasks.register("rust.endless", endless).queue("rust");
}

/// Runs `test` with a client beside a worker of these tasks.
fn beside_a_worker<F: Future<Output = ()>>(
    over: Over,
    version: &str,
    settings: impl FnOnce(Worker) -> Worker,
    test: impl FnOnce(Arc<Fleet>, Commander) -> F,
) {
    Fleet::over(over, version, async |fleet| {
        register(&fleet);
        // What never returns is given back.
        let worker = fleet.worker().stop_limit(Duration::from_millis(100));
        let running = Running::start(settings(worker));
        let mut commander = Commander(fleet.client());
        commander.until_heard().await;
        // The namespace goes with the last who has it.
        test(Arc::clone(&fleet), commander).await;
        running.stop().await;
    });
}

/// A Python client that runs the commands of `celery`.
struct Commander(Client);

impl Commander {
    /// What `celery` answers to these arguments: its exit code, and its output.
    async fn celery(&mut self, arguments: &[&str]) -> (i64, String) {
        let script = format!(
            r#"
            from celery.bin.celery import celery
            from click.testing import CliRunner
            result = CliRunner().invoke(celery, ["-A", "app", *json.loads({:?})])
            out = [result.exit_code, result.stdout]
            "#,
            json!(arguments).to_string(),
        );
        let answer = self.0.run(&script).await;
        let (code, output) = (answer[0].as_i64().unwrap(), answer[1].as_str().unwrap());
        (code, output.to_owned())
    }

    /// What the worker answers to `celery inspect …` or `celery control …`, in JSON.
    async fn asked(&mut self, arguments: &[&str]) -> Value {
        let options = ["--json", "--timeout", "10", "--destination", "rust@test"];
        let arguments: Vec<_> = arguments[..1]
            .iter()
            .chain(&options)
            .chain(&arguments[1..])
            .copied()
            .collect();
        let (code, output) = self.celery(&arguments).await;
        assert_eq!(code, 0, "{arguments:?}: {output}");
        let mut answer: Value =
            serde_json::from_str(&output).unwrap_or_else(|_| panic!("{arguments:?}: {output}"));
        // `control` makes a list of what `inspect` makes an object of.
        match answer.get_mut(0) {
            Some(first) => first["rust@test"].take(),
            None => answer["rust@test"].take(),
        }
    }

    /// Waits until the worker listens.
    async fn until_heard(&mut self) {
        let script = r#"
            while not app.control.ping(["rust@test"], timeout=1, limit=1):
                pass
        "#;
        self.0.run(script).await;
    }

    /// Waits until the worker has begun a task.
    async fn until_active(&mut self, id: &str) {
        let script = format!(
            r#"
            import time
            inspect = app.control.inspect(timeout=10, destination=["rust@test"])
            while not [task for task in inspect.active()["rust@test"] if task["id"] == {id:?} and task["time_start"]]:
                time.sleep(0.01)
            "#
        );
        self.0.run(&script).await;
    }

    /// Sends a task to the worker, and returns its id.
    async fn send(&mut self, task: &str, args: &str) -> String {
        let script = format!("out = app.send_task({task:?}, {args}).id");
        self.0.run(&script).await.as_str().unwrap().to_owned()
    }
}
