//! Workflows that are made here and run by Python.

use std::sync::Arc;

use serde_json::{Value, json};
use siding_tasks::{Canvas, chain, chord, group};

use crate::fleet::{Fleet, SOON, args};
use crate::redis::support::eventually;

#[test]
fn celery_5_7_runs_them() {
    Fleet::on_redis("5.7", workflows);
}

#[test]
fn celery_5_4_runs_them() {
    Fleet::on_redis("5.4", workflows);
}

async fn workflows(fleet: Arc<Fleet>) {
    let _worker = fleet
        .python_worker(&["--pool=threads", "--concurrency=4"])
        .await;
    each_step_of_a_chain_gets_the_result_before(&fleet).await;
    a_group_ends_in_all_results(&fleet).await;
    a_chord_runs_its_body_with_all_results(&fleet).await;
    chords_are_steps_of_chains_and_parts_of_chords(&fleet).await;
    a_part_that_fails_fails_the_chord(&fleet).await;
    links_follow_and_error_links_follow_failures(&fleet).await;
    nothing_is_left_behind(&fleet).await;
}

impl Fleet {
    fn add(&self, number: i64) -> Canvas<i64> {
        self.tasks.signature("app.add", args([json!(number)]), [])
    }

    fn sum_of(&self, x: i64, y: i64) -> Canvas<i64> {
        self.tasks
            .signature("app.add", args([json!(x), json!(y)]), [])
    }

    fn total(&self) -> Canvas<i64> {
        self.tasks.signature("app.total", vec![], [])
    }

    fn echo(&self) -> Canvas<Value> {
        self.tasks.signature("app.echo", vec![], [])
    }

    fn fail(&self) -> Canvas<i64> {
        self.tasks
            .signature("app.fail", args([json!("no")]), [])
            .immutable()
    }
}

async fn each_step_of_a_chain_gets_the_result_before(fleet: &Fleet) {
    let three = chain([fleet.sum_of(1, 2), fleet.add(10), fleet.add(100)]);
    assert_eq!(three.delay().await.unwrap().get(SOON).await.unwrap(), 113);
    let immutable = fleet.sum_of(1, 2) | fleet.sum_of(5, 5).immutable() | fleet.add(1);
    assert_eq!(
        immutable.delay().await.unwrap().get(SOON).await.unwrap(),
        11
    );
    let fails = fleet.sum_of(1, 2) | fleet.fail() | fleet.add(1);
    // What does not run any more fails with it.
    let exception = fails
        .delay()
        .await
        .unwrap()
        .wait()
        .await
        .unwrap()
        .exception
        .unwrap();
    assert_eq!(
        (&*exception.exc_type, &*exception.message),
        ("ValueError", "no")
    );
}

async fn a_group_ends_in_all_results(fleet: &Fleet) {
    let members = (0..5).map(|number| fleet.sum_of(number, 10));
    let result = group(members).delay().await.unwrap();
    assert_eq!(result.get(SOON).await.unwrap(), [10, 11, 12, 13, 14]);
}

async fn a_chord_runs_its_body_with_all_results(fleet: &Fleet) {
    let header = || (0..5).map(|number| fleet.sum_of(number, 10));
    let total = chord(header(), fleet.total()).delay().await.unwrap();
    assert_eq!(total.get(SOON).await.unwrap(), 60);
    let whole = chord(header(), fleet.echo()).delay().await.unwrap();
    assert_eq!(
        whole.get(SOON).await.unwrap(),
        json!([[[10, 11, 12, 13, 14]], {}])
    );
}

async fn chords_are_steps_of_chains_and_parts_of_chords(fleet: &Fleet) {
    let inner = || chord([fleet.sum_of(1, 1), fleet.sum_of(2, 2)], fleet.total());
    let chained = inner() | fleet.add(100) | fleet.add(1_000);
    assert_eq!(
        chained.delay().await.unwrap().get(SOON).await.unwrap(),
        1_106
    );
    let after = fleet.sum_of(1, 0) | group([fleet.add(1), fleet.add(2)]) | fleet.total();
    assert_eq!(after.delay().await.unwrap().get(SOON).await.unwrap(), 5);
    let nested = chord(
        [inner(), fleet.sum_of(3, 3), inner() | fleet.add(1)],
        fleet.total(),
    );
    assert_eq!(
        nested.delay().await.unwrap().get(SOON).await.unwrap(),
        6 + 6 + 7
    );
}

async fn a_part_that_fails_fails_the_chord(fleet: &Fleet) {
    let failed = fleet.fail().task_id("part-that-fails");
    let result = chord([fleet.sum_of(1, 1), failed], fleet.total())
        .delay()
        .await
        .unwrap();
    let exception = result.wait().await.unwrap().exception.unwrap();
    assert_eq!(
        (&*exception.exc_type, &*exception.exc_module),
        ("ChordError", "celery.exceptions")
    );
    assert_eq!(
        exception.message,
        "Dependency part-that-fails raised ValueError('no')"
    );
}

async fn links_follow_and_error_links_follow_failures(fleet: &Fleet) {
    let linked = fleet.sum_of(1, 2).link(fleet.add(10).task_id("linked"));
    linked.delay().await.unwrap();
    assert_eq!(
        fleet.tasks.result::<i64>("linked").get(SOON).await.unwrap(),
        13
    );
    let failing = fleet
        .tasks
        .send_task::<Value>("app.fail", args([json!("no")]), [])
        .task_id("failing");
    let errback = fleet
        .tasks
        .signature::<String>("app.after_failure", vec![], [])
        .task_id("after-failure");
    failing.link_error(errback).await.unwrap();
    let told = fleet
        .tasks
        .result::<String>("after-failure")
        .get(SOON)
        .await
        .unwrap();
    assert_eq!(told, "failing");
}

async fn nothing_is_left_behind(fleet: &Fleet) {
    eventually(|| async { fleet.space.lasting_keys().is_empty().then_some(()) }).await;
}
