//! Programs that share a queue, each of which knows some of its tasks.

use std::sync::Arc;

use serde_json::{Value, json};
use siding_tasks::{Tasks, Unknown, Worker};

use crate::fleet::{Fleet, Over, Running};

#[test]
fn a_worker_leaves_pythons_tasks_to_python_on_redis() {
    Fleet::over(Over::Redis, "5.7", beside_python);
}

#[test]
fn a_worker_leaves_pythons_tasks_to_python_over_rabbitmq() {
    Fleet::over(Over::RabbitMq, "5.7", beside_python);
}

#[test]
fn two_programs_share_a_queue_on_redis() {
    Fleet::over(Over::Redis, "5.7", two_programs);
}

#[test]
fn two_programs_share_a_queue_over_rabbitmq() {
    Fleet::over(Over::RabbitMq, "5.7", two_programs);
}

/// A worker that leaves to others what it does not know.
fn lenient(tasks: &Tasks, name: &str) -> Worker {
    let worker = tasks.worker().name(name).queues(["celery"]);
    worker.unknown(Unknown::Leave)
}

/// What waits for Python does not hold up what is behind it, and is there when Python comes.
async fn beside_python(fleet: Arc<Fleet>) {
    fleet.tasks.register("rust.double", async |x: u64| x * 2);
    let worker = Running::start(lenient(&fleet.tasks, "rust@test"));
    let mut client = fleet.client();
    let script = "
        app.sent = [add.delay(n, 1) for n in range(5)]
        ours = [app.send_task('rust.double', (n,), queue='celery') for n in range(5)]
        out = [[get(one) for one in ours], [one.state for one in app.sent]]
    ";
    let expected = json!([[0, 2, 4, 6, 8], vec!["PENDING"; 5]]);
    assert_eq!(client.run(script).await, expected);
    let python = fleet.python_worker(&["--pool=solo"]).await;
    let got = client.run("out = [get(one) for one in app.sent]").await;
    assert_eq!(got, json!([1, 2, 3, 4, 5]));
    // Both are there now, and only one of them knows these.
    let more = client.run("out = [get(one) for one in [add.delay(n, 1) for n in range(20)]]");
    let expected: Vec<_> = (1..=20).collect();
    assert_eq!(more.await, json!(expected));
    assert!(!python.log().contains("unregistered"), "{}", python.log());
    worker.stop().await;
}

async fn two_programs(fleet: Arc<Fleet>) {
    fleet.tasks.register("rust.double", async |x: u64| x * 2);
    let other = Tasks::new();
    other.register("rust.triple", async |x: u64| x * 3);
    other.connect(fleet.space.connect().await);
    let workers = [
        Running::start(lenient(&fleet.tasks, "rust@test")),
        Running::start(lenient(&other, "other@test")),
    ];
    let script = "
        names = ['rust.double', 'rust.triple'] * 5
        sent = [app.send_task(name, (n,), queue='celery') for n, name in enumerate(names)]
        out = [get(one) for one in sent]
    ";
    let expected: Vec<Value> = (0..10).map(|n| json!(n * (2 + n % 2))).collect();
    assert_eq!(fleet.client().run(script).await, json!(expected));
    for worker in workers {
        worker.stop().await;
    }
}
