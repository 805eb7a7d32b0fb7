//! The same over RabbitMQ.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use serde_json::{Value, json};
use siding_runtime::Builder;
use siding_tasks::{Amqp, AmqpSettings, Tasks};

use crate::amqp::support::{Space, leave_out};
use crate::fleet::python;

#[test]
fn commands_are_answered_over_rabbitmq() {
    for version in ["5.7", "5.4"] {
        let python = match python(version) {
            Ok(python) => python,
            Err(reason) => return leave_out(&reason),
        };
        Space::with_host(async |space| {
            let url = space.url.clone();
            let settings = space.settings.clone();
            let worker = std::thread::spawn(move || serve(settings));
            // The worker listens from some moment on.
            let status = || celery(&python, &url, &["status", "--timeout", "1"]);
            assert!(
                (0..30).any(|_| status().contains("rust@test: OK")),
                "nobody is there"
            );
            let asked = |arguments: &[&str]| {
                let options = ["--json", "--timeout", "20", "--destination", "rust@test"];
                let arguments = [&arguments[..1], &options, &arguments[1..]].concat();
                let output = celery(&python, &url, &arguments);
                let mut answer: Value = serde_json::from_str(&output)
                    .unwrap_or_else(|_| panic!("{arguments:?}: {output}"));
                match answer.get_mut(0) {
                    Some(first) => first["rust@test"].take(),
                    None => answer["rust@test"].take(),
                }
            };
            assert_eq!(asked(&["inspect", "ping"]), json!({"ok": "pong"}));
            assert_eq!(
                asked(&["inspect", "active_queues"])[0]["name"],
                json!("rust")
            );
            let stats = asked(&["inspect", "stats"]);
            assert_eq!(stats["broker"]["transport"], json!("amqp"));
            assert!(!stats.to_string().contains("guest:guest"), "{stats}");
            let added = asked(&["control", "add_consumer", "more"]);
            assert_eq!(added, json!({"ok": "add consumer more"}));
            let stopping = asked(&["control", "shutdown"]);
            assert_eq!(stopping, json!({"ok": "shutting down"}));
            worker.join().unwrap();
        });
    }
}

/// Runs a worker until it is shut down.
fn serve(settings: AmqpSettings) {
    let runtime = Builder::new().event_loop_threads(1).build().unwrap();
    runtime.block_on(async {
        let tasks = Tasks::new();
        tasks.register("rust.double", async |x: u64| x * 2);
        tasks.connect(Arc::new(Amqp::connect(settings).await.unwrap()));
        let worker = tasks.worker().name("rust@test").queues(["rust"]);
        worker.run(std::future::pending()).await.unwrap();
    });
}

/// What `celery` says to these arguments.
fn celery(python: &Path, url: &str, arguments: &[&str]) -> String {
    let output = Command::new(python)
        .args(["-m", "celery", "-b", url])
        .args(arguments)
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}
