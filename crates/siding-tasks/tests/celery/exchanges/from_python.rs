//! Python sends to exchanges that a Siding worker has queues at, on Redis.

use std::sync::Arc;

use serde_json::json;

use super::sidings;
use crate::fleet::{Fleet, Running, SOON, Space, args};
use crate::from_python::app::{self, Marks};

#[test]
fn siding_gets_what_celery_5_7_sends() {
    Fleet::in_space("5.7", settings, exchanges);
}

#[test]
fn siding_gets_what_celery_5_4_sends() {
    Fleet::in_space("5.4", settings, exchanges);
}

fn settings(space: &mut Space) {
    space.settings.task_queues = sidings();
    // On Redis, Python knows of which kind an exchange is by its own queues only.
    space.celery = json!({"queues": [["any", "media", "topic", "any.thing"]]});
}

async fn exchanges(fleet: Arc<Fleet>) {
    let marks = app::register(&fleet);
    let queues = ["rust", "rust-videos", "rust-new"];
    let worker = Running::start(fleet.worker().queues(queues));
    // It has claimed, and so its queues are bound.
    let numbers = args([json!(1), json!(2)]);
    let ready = fleet.tasks.send_task::<i64>("rust.add", numbers, []);
    let ready = ready.queue("rust").await.unwrap();
    assert_eq!(ready.get(SOON).await.unwrap(), 3);
    let script = "
        app.conf.task_routes = {}
        send = lambda **options: app.send_task('rust.add', (2, 3), **options)
        out = [
            get(send(queue='any', routing_key='media.rust.a.b')),
            get(send(queue='any', routing_key='media.any.new')),
            get(send(exchange='shop', routing_key='rust')),
        ]
    ";
    assert_eq!(fleet.client().run(script).await, json!([5, 5, 5]));
    each_queue_has_a_copy(&fleet, &marks).await;
    worker.stop().await;
    assert_eq!(fleet.space.lasting_keys(), [""; 0]);
}

/// kombu gives all copies the same delivery tag.
async fn each_queue_has_a_copy(fleet: &Fleet, marks: &Marks) {
    let script = "
        app.conf.task_routes = {}
        out = app.send_task('rust.gate', queue='any', routing_key='media.rust.new').id
    ";
    let id = fleet.client().run(script).await;
    marks.gate_began().await;
    marks.gate_began().await;
    assert_eq!(fleet.space.ask::<u64>("HLEN", "unacked", &[]), 2);
    marks.gate.0.add_permits(2);
    let result = fleet.tasks.result::<String>(id.as_str().unwrap());
    assert_eq!(result.get(SOON).await.unwrap(), "through");
}
