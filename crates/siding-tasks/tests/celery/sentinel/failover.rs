//! A failover beside Celery, whose workers and clients use the same sentinel.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use siding_tasks::{AsyncResult, Redis, Tasks};

use super::fake::nobody;
use super::group::Group;
use crate::fleet::{Fleet, Running, SOON, args};
use crate::from_python::app;
use crate::redis::servers::run;

/// What is promised: so long after a replica has become the master, tasks run on.
const PROMISED: Duration = Duration::from_secs(10);

/// Tasks that wait during the failover.
const WAITING: i64 = 20;

#[test]
fn celery_5_7_and_siding_go_on() {
    beside("5.7");
}

#[test]
fn celery_5_4_and_siding_go_on() {
    beside("5.4");
}

fn beside(version: &str) {
    let Some(group) = Group::start() else { return };
    let mut unused = 0;
    run(async { unused = nobody().await });
    Fleet::in_space(
        version,
        |space| group.enter(unused, space),
        |fleet| go_on(&group, fleet),
    );
}

async fn go_on(group: &Group, fleet: Arc<Fleet>) {
    app::register(&fleet);
    let python = fleet.python_worker(&["--pool=solo"]).await;
    let worker = Running::start(fleet.worker());
    call_both(&fleet).await;
    python_sees_where_the_worker_is(&fleet).await;
    let waiting = leave_waiting(&fleet).await;
    group.replicate().await;

    group.fail_over().await;
    let sum = tokio::time::timeout(PROMISED, by_a_new_client(&fleet)).await;
    assert_eq!(sum.expect("consuming goes on in time"), 42);

    // What the replica had is there.
    let later = fleet.tasks.worker().name("later@test").queues(["later"]);
    let later = Running::start(later);
    for (number, result) in (0..).zip(waiting) {
        assert_eq!(result.get(SOON).await.unwrap(), number + 1);
    }
    later.stop().await;

    // Python's workers stay with the old master until that is none.
    group.demote().await;
    call_both(&fleet).await;
    worker.stop().await;
    drop(python);
}

/// A task of the Siding worker that Python sends, and one of the Python worker that is sent from here.
async fn call_both(fleet: &Fleet) {
    let script = "out = get(app.send_task('rust.add', (20, 3)))";
    assert_eq!(fleet.client().run(script).await, json!(23));
    let sum = fleet
        .tasks
        .send_task::<i64>("app.add", args([json!(1), json!(2)]), []);
    assert_eq!(sum.await.unwrap().get(SOON).await.unwrap(), 3);
}

/// And no password.
async fn python_sees_where_the_worker_is(fleet: &Fleet) {
    let script = "
        inspect = app.control.inspect(['rust@test'], timeout=20, limit=1)
        broker = inspect.stats()['rust@test']['broker']
        out = [broker, inspect.conf()['rust@test']['broker_url']]
    ";
    let told = fleet.client().run(script).await;
    let (broker, url) = (&told[0], &told[1]);
    assert_eq!(
        (&broker["transport"], &broker["virtual_host"]),
        (&json!("sentinel"), &json!("3"))
    );
    let sentinels = broker["alternates"].as_array().unwrap();
    assert_eq!(sentinels.len(), 2);
    let first = format!("sentinel://127.0.0.1:{}", broker["port"]);
    assert_eq!(sentinels[0], first);
    assert_eq!(url, &format!("{first}/3"));
    let all = told.to_string();
    assert!(!all.contains("wonder") && !all.contains("guard"), "{all}");
}

/// Sends tasks that nobody serves yet.
async fn leave_waiting(fleet: &Fleet) -> Vec<AsyncResult<i64>> {
    let mut waiting = Vec::new();
    for number in 0..WAITING {
        let sent = fleet
            .tasks
            .send_task::<i64>("rust.add", args([json!(number), json!(1)]), []);
        waiting.push(sent.queue("later").await.unwrap());
    }
    waiting
}

/// A task that somebody sends who has never known the old master. The worker is still there.
async fn by_a_new_client(fleet: &Fleet) -> i64 {
    let broker = Redis::connect(fleet.space.settings.clone()).await.unwrap();
    let tasks = Tasks::new();
    tasks.connect(Arc::new(broker));
    let sum = tasks.send_task::<i64>("rust.add", args([json!(40), json!(2)]), []);
    let sum = sum.queue("rust").await.unwrap();
    sum.get(SOON).await.unwrap()
}
