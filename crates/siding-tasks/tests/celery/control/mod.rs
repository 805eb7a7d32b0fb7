//! Celery's commands, events and Flower beside a Siding worker.

mod commands;
mod events;
mod flower;
mod inspection;
mod peers;
mod rabbit;
mod sent;

use std::sync::Arc;

use serde_json::{Value, json};
use siding_tasks::Worker;

use super::fleet::{Client, Fleet, Running};

/// Tasks that return at once, and never.
fn register(fleet: &Fleet) {
    let _ = fleet
        .tasks
        .register("rust.double", async |x: u64| x * 2)
        .queue("rust");
    let endless = async || std::future::pending::<()>().await;
    let _ = fleet.tasks.register("rust.endless", endless).queue("rust");
}

/// Runs `test` with a client beside a worker of these tasks.
fn beside_a_worker<F: Future<Output = ()>>(
    version: &str,
    settings: impl FnOnce(Worker) -> Worker,
    test: impl FnOnce(Arc<Fleet>, Commander) -> F,
) {
    Fleet::on_redis(version, async |fleet| {
        register(&fleet);
        let running = Running::start(settings(fleet.worker()));
        let commander = Commander(fleet.client());
        test(fleet, commander).await;
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
