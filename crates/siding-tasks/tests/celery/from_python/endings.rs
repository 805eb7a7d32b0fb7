//! Retries, revocations and expiry, as Python asks for them and is told of them.

use std::sync::Arc;

use serde_json::{Value, json};

use super::app::{self, Marks};
use crate::fleet::{Client, Fleet, Over, Running};

#[test]
fn celery_5_7_is_told() {
    Fleet::on_redis("5.7", endings);
}

#[test]
fn celery_5_4_is_told() {
    Fleet::on_redis("5.4", endings);
}

#[test]
fn celery_5_7_is_told_over_rabbitmq() {
    Fleet::over(Over::RabbitMq, "5.7", endings);
}

#[test]
fn celery_5_7_is_told_of_rabbitmq_by_redis() {
    Fleet::over(Over::RabbitMqAndRedis, "5.7", endings);
}

async fn endings(fleet: Arc<Fleet>) {
    let marks = app::register(&fleet);
    let worker = Running::start(fleet.worker());
    let mut client = fleet.client();
    what_failed_is_tried_again(&mut client).await;
    what_has_expired_does_not_run(&mut client, &marks).await;
    what_was_revoked_before_it_came_does_not_run(&mut client, &marks).await;
    what_waits_is_revoked(&mut client, &marks, fleet.space.over).await;
    what_runs_is_terminated(&mut client, &marks).await;
    worker.stop().await;
}

async fn what_failed_is_tried_again(client: &mut Client) {
    let script = "
        often = app.send_task('rust.again', (2,))
        too_often = app.send_task('rust.again', (3,))
        out = [get(often), repr(get(too_often, propagate=False)), too_often.state]
        later = app.send_task('rust.later')
        info = app.backend.exception_to_python(until(later, 'RETRY')['result'])
        out += [repr(info), later.ready()]
        app.control.revoke(later.id, reply=True, limit=1, timeout=20)
    ";
    let expected = json!([
        2,
        "ConnectionError('not yet')",
        "FAILURE",
        "TimeoutError('not yet')",
        false
    ]);
    assert_eq!(client.run(script).await, expected);
}

async fn what_has_expired_does_not_run(client: &mut Client, marks: &Marks) {
    let script = "
        import datetime
        long_ago = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
        late = app.send_task('rust.count', expires=long_ago)
        out = [repr(get(late, propagate=False)), late.state]
        in_time = app.send_task('rust.add', (1, 2), expires=60, eta=datetime.datetime.fromisoformat('2020-01-01T00:00:00+02:00'))
        out.append(get(in_time))
    ";
    assert_eq!(
        client.run(script).await,
        json!(["TaskRevokedError('expired')", "REVOKED", 3])
    );
    assert_eq!(marks.runs(), 0);
}

async fn what_was_revoked_before_it_came_does_not_run(client: &mut Client, marks: &Marks) {
    let script = "
        app.control.revoke('too-early', reply=True, limit=1, timeout=20)
        result = app.send_task('rust.count', task_id='too-early')
        out = repr(get(result, propagate=False))
    ";
    assert_eq!(
        client.run(script).await,
        json!("TaskRevokedError('revoked')")
    );
    assert_eq!(marks.runs(), 0);
}

/// Whether it is on its list still or in the worker's hands. What waits for longer over AMQP is parked in RabbitMQ, and revoked
/// when it comes from there.
async fn what_waits_is_revoked(client: &mut Client, marks: &Marks, over: Over) {
    let seconds = if over == Over::Redis { 3_600 } else { 9 };
    let script = format!(
        "
        held = app.send_task('rust.count', countdown={seconds})
        app.control.revoke(held.id, reply=True, limit=1, timeout=20)
        out = repr(get(held, propagate=False))
    "
    );
    assert_eq!(
        client.run(&script).await,
        json!("TaskRevokedError('revoked')")
    );
    assert_eq!(marks.runs(), 0);
}

async fn what_runs_is_terminated(client: &mut Client, marks: &Marks) {
    let id = client.run("out = app.send_task('rust.gate').id").await;
    marks.gate_began().await;
    let script = format!(
        "
        app.control.revoke({id}, reply=True, limit=1, timeout=20)
        goes_on = AsyncResult({id}).state
        app.control.revoke({id}, terminate=True, reply=True, limit=1, timeout=20)
        out = [goes_on, repr(get(AsyncResult({id}), propagate=False))]
    "
    );
    let answer = client.run(&script).await;
    assert_eq!(
        answer,
        json!([Value::from("PENDING"), "TaskRevokedError('terminated')"])
    );
}
