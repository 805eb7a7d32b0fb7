//! Workflows that are made in Python, whose steps run here and there.

use std::sync::Arc;

use serde_json::json;

use super::app;
use crate::fleet::{Client, Fleet, Over, Running};
use crate::redis::support::eventually;

#[test]
fn celery_5_7_shares_them() {
    Fleet::on_redis("5.7", workflows);
}

#[test]
fn celery_5_4_shares_them() {
    Fleet::on_redis("5.4", workflows);
}

#[test]
fn celery_5_7_shares_them_over_rabbitmq() {
    Fleet::over(Over::RabbitMq, "5.7", workflows);
}

#[test]
fn celery_5_7_shares_them_over_rabbitmq_and_redis() {
    Fleet::over(Over::RabbitMqAndRedis, "5.7", workflows);
}

async fn workflows(fleet: Arc<Fleet>) {
    app::register(&fleet);
    let worker = Running::start(fleet.worker());
    let _python = fleet
        .python_worker(&["--pool=threads", "--concurrency=4"])
        .await;
    let mut client = fleet.client();
    chains_cross_over_and_back(&mut client).await;
    if fleet.space.over.keeps_results() {
        chords_have_parts_and_bodies_on_both_sides(&mut client).await;
        chords_are_nested(&mut client).await;
        a_part_that_fails_fails_the_chord(&mut client).await;
    }
    links_lead_to_the_other_side(&mut client, fleet.space.over).await;
    children_are_told(&mut client).await;
    eventually(|| async { fleet.space.lasting_keys().is_empty().then_some(()) }).await;
    worker.stop().await;
}

async fn chains_cross_over_and_back(client: &mut Client) {
    let script = "
        long = chain(s('app.add', 1, 2), s('rust.add', 10), s('app.add', 100), s('rust.add', 1000)).apply_async()
        immutable = (s('rust.add', 1, 2) | si('rust.add', 5, 5) | s('app.add', 1)).apply_async()
        out = [get(long), get(long.parent), get(immutable)]
        failing = (s('rust.add', 1, 2) | si('rust.fail', 'ValueError', 'no') | s('app.add', 1)).apply_async()
        out += [repr(get(failing, propagate=False)), repr(get(failing.parent, propagate=False))]
    ";
    let no = "ValueError('no')";
    assert_eq!(client.run(script).await, json!([1113, 113, 11, no, no]));
}

async fn chords_have_parts_and_bodies_on_both_sides(client: &mut Client) {
    let script = "
        header = lambda: [s(name, n, 10) for n in range(4) for name in ('rust.add', 'app.add')]
        first = chord(header(), s('rust.total')).apply_async()
        second = chord(header(), s('app.echo')).apply_async()
        theirs = chord([s('app.add', n, n) for n in range(3)], s('rust.total') | s('app.add', 1)).apply_async()
        ours = chord([s('rust.add', n, n) for n in range(3)], s('app.total') | s('rust.add', 1)).apply_async()
        out = [get(result) for result in (first, second, theirs, ours)]
    ";
    let both = [10, 10, 11, 11, 12, 12, 13, 13];
    assert_eq!(client.run(script).await, json!([92, [[both], {}], 7, 7]));
}

async fn chords_are_nested(client: &mut Client) {
    let script = "
        inner = lambda: chord([s('rust.add', 1, 1), s('app.add', 2, 2)], s('rust.total'))
        between = (s('rust.add', 1, 0) | group(s('app.add', 1), s('rust.add', 2)) | s('rust.total')).apply_async()
        after = (s('app.add', 1, 0) | group(s('app.add', 1), s('rust.add', 2)) | s('app.total') | s('rust.add', 3)).apply_async()
        nested = chord([inner(), s('app.add', 3, 3), inner() | s('app.add', 1)], s('app.total')).apply_async()
        last = (s('rust.add', 1, 1) | group(s('rust.add', 1), s('app.add', 2))).apply_async()
        out = [get(between), get(after), get(nested), get(last)]
    ";
    assert_eq!(client.run(script).await, json!([5, 8, 19, [3, 4]]));
}

async fn a_part_that_fails_fails_the_chord(client: &mut Client) {
    let script = "
        out = []
        for part in (s('rust.fail', 'ValueError', 'no', task_id='rust-fails'), s('app.fail', 'no', task_id='python-fails')):
            for body in (s('rust.total'), s('app.total')):
                part = part.clone(task_id=part.options['task_id'] + body.task)
                result = chord([s('rust.add', 1, 1), part, s('app.add', 1, 1)], body).apply_async()
                out.append(repr(get(result, propagate=False)))
    ";
    let shown: Vec<String> = serde_json::from_value(client.run(script).await).unwrap();
    for text in &shown {
        assert!(
            text.starts_with("ChordError(") && text.ends_with("raised ValueError('no')\")"),
            "{shown:?}"
        );
    }
    assert_eq!(shown.len(), 4);
}

/// The result of what a Python worker sends comes back to that worker, where it does not go to Redis.
async fn links_lead_to_the_other_side(client: &mut Client, over: Over) {
    let script = "
        s('rust.add', 1, 2).apply_async(link=s('app.add', 10).set(task_id='to-python'))
        s('app.add', 1, 2).apply_async(link=s('rust.add', 10).set(task_id='to-rust'))
        s('rust.fail', 'ValueError', 'no').apply_async(
            task_id='rust-failed', link_error=s('app.after_failure').set(task_id='error-to-python'))
        s('app.fail', 'no').apply_async(task_id='python-failed', link_error=s('rust.echo').set(task_id='error-to-rust'))
        got = lambda *names: [get(AsyncResult(name)) for name in names]
        out = got('to-python', 'error-to-python')
        if app.backend.persistent:
            out += got('to-rust', 'error-to-rust')
    ";
    let mut expected = vec![json!(13), json!("rust-failed")];
    if over.keeps_results() {
        expected.extend([json!(13), json!("python-failed")]);
    }
    assert_eq!(client.run(script).await, json!(expected));
}

async fn children_are_told(client: &mut Client) {
    let script = "
        first = s('rust.add', 1, 2).apply_async(link=[s('rust.about').set(task_id='child', immutable=True)])
        get(first)
        child = get(AsyncResult('child'))
        out = [[result.id for result in first.children], child == ['child', first.id, first.id]]
    ";
    assert_eq!(client.run(script).await, json!([["child"], true]));
}
