//! What takes longer than the visibility timeout runs once all the same.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::app;
use crate::fleet::{Fleet, Running};

#[test]
fn celery_5_7_does_not_run_it_twice() {
    Fleet::in_space("5.7", impatient, waiting);
}

#[test]
fn celery_5_4_does_not_run_it_twice() {
    Fleet::in_space("5.4", impatient, waiting);
}

const VISIBILITY_TIMEOUT: Duration = Duration::from_secs(2);

fn impatient(space: &mut crate::fleet::Space) {
    space.settings.visibility_timeout = VISIBILITY_TIMEOUT;
}

async fn waiting(fleet: Arc<Fleet>) {
    let marks = app::register(&fleet);
    let workers = [
        Running::start(fleet.worker()),
        Running::start(fleet.worker().name("other@test")),
    ];
    let mut client = fleet.client();
    let runs = client.run("out = app.send_task('rust.gate').id").await;
    let waits = client
        .run("out = app.send_task('rust.count', countdown=4).id")
        .await;
    marks.gate_began().await;
    tokio::time::sleep(VISIBILITY_TIMEOUT + Duration::from_millis(500)).await;
    let restore = "
        with app.connection_for_write() as connection:
            connection.default_channel.qos.restore_visible()
            out = [connection.default_channel.client.llen('rust'), connection.default_channel.client.hlen('unacked')]
    ";
    assert_eq!(client.run(restore).await, json!([0, 2]));
    marks.gate.0.add_permits(1);
    let script = format!("out = [get(AsyncResult({runs})), get(AsyncResult({waits}))]");
    assert_eq!(client.run(&script).await, json!(["through", 1]));
    assert_eq!(marks.runs(), 1);
    assert!(marks.began.0.try_acquire().is_err());
    for worker in workers {
        worker.stop().await;
    }
}
