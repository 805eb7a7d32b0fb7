//! Where messages and results are, when that is set.

use std::sync::Arc;

use serde_json::json;
use siding_tasks::{Priority, State};

use crate::fleet::{Fleet, Running, SOON, Space, args};
use crate::from_python::app;

#[test]
fn celery_5_7_finds_them() {
    Fleet::in_space("5.7", elsewhere, places);
}

#[test]
fn celery_5_4_finds_them() {
    Fleet::in_space("5.4", elsewhere, places);
}

/// Prefixes of their own for messages and results, other priorities with lists, and another separator.
fn elsewhere(space: &mut Space) {
    space.settings.key_prefix.push_str("shop/");
    space.settings.result_key_prefix.push_str("-results");
    space.settings.priority_steps = vec![0, 5];
    space.settings.separator = ":".to_owned();
    space.celery = json!({"result_extended": true});
    space.settings.result_extended = true;
}

async fn places(fleet: Arc<Fleet>) {
    app::register(&fleet);
    let low = fleet
        .tasks
        .send_task::<i64>("app.add", args([json!(1), json!(2)]), []);
    let low = low.priority(Priority::new(1).unwrap()).await.unwrap();
    let waiting: u64 = fleet.space.ask("LLEN", "celery:5", &[]);
    assert_eq!(waiting, 1);
    let _python = fleet.python_worker(&["--pool=solo"]).await;
    let worker = Running::start(fleet.worker());
    assert_eq!(low.get(SOON).await.unwrap(), 3);
    let meta = low.meta().await.unwrap().unwrap();
    assert_eq!(
        (meta.state, &*meta.task, meta.retries),
        (State::Success, "app.add", 0)
    );
    assert!(meta.worker.unwrap().starts_with("celery@"));
    let script = "
        result = app.send_task('rust.add', (2, 3), priority=9)
        out = [get(result), result.name, result.args, result.kwargs, result.worker, result.retries, result.queue]
    ";
    let extended = json!([5, "rust.add", [2, 3], {}, "rust@test", 0, "rust"]);
    assert_eq!(fleet.client().run(script).await, extended);
    worker.stop().await;
}
