//! Broadcasts to workers of both kinds, on Redis.

use std::sync::Arc;

use serde_json::json;

use super::{check_heard, hear};
use crate::fleet::{Fleet, Running, SOON, Space, args};

#[test]
fn all_workers_of_celery_5_7_and_siding_run_it() {
    Fleet::in_space("5.7", settings, broadcasts);
}

#[test]
fn all_workers_of_celery_5_4_and_siding_run_it() {
    Fleet::in_space("5.4", settings, broadcasts);
}

fn settings(space: &mut Space) {
    space.celery = json!({"queues": ["reload"]});
    space.settings.task_queues = siding_tasks::TaskQueues::default().with_broadcast("reload");
}

async fn broadcasts(fleet: Arc<Fleet>) {
    let mut heard = hear(&fleet.tasks, "app.tell");
    fleet.tasks.register("rust.ready", || async { 5 });
    // Nobody need listen.
    let tell = || fleet.tasks.send_task::<()>("app.tell", vec![], []);
    tell().broadcast("reload").await.unwrap();
    let worker = Running::start(fleet.worker().queues(["rust", "reload"]));
    let [_one, _two] = [
        fleet
            .python_worker(&["--pool=solo", "--queues=one,reload", "--hostname=one@%h"])
            .await,
        fleet
            .python_worker(&["--pool=solo", "--queues=two,reload", "--hostname=two@%h"])
            .await,
    ];
    // Who takes tasks from a queue of its own listens by then.
    for (queue, task) in [
        ("one", "app.add"),
        ("two", "app.add"),
        ("rust", "rust.ready"),
    ] {
        let numbers = match task {
            "app.add" => args([json!(2), json!(3)]).to_vec(),
            _ => Vec::new(),
        };
        let ready = fleet.tasks.send_task::<i64>(task, numbers, []);
        let ready = ready.queue(queue).await.unwrap();
        assert_eq!(ready.get(SOON).await.unwrap(), 5);
    }
    tell().broadcast("reload").await.unwrap();
    check_heard(&mut heard, 3).await;
    tell().queue("reload").await.unwrap();
    check_heard(&mut heard, 3).await;
    // On Redis, a client of Celery takes an exchange that it has not declared for a direct one.
    let script =
        "app.send_task('app.tell', queue='reload', declare=[app.amqp.queues['reload'].exchange])";
    fleet.client().run(script).await;
    check_heard(&mut heard, 3).await;
    worker.stop().await;
    // The part of a worker that is gone is nobody's: nothing of it waits.
    let lists = fleet.space.lasting_keys();
    assert!(lists.iter().all(|key| !key.contains("bcast")), "{lists:?}");
}
