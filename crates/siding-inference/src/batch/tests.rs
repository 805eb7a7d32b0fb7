use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::assemble::{join, split};
use super::{BatchLimits, InferError, Outcome, Queue, Refused};
use crate::protocol::{Datatype, Shape, Tensor};

const DELAY: Duration = Duration::from_millis(5);

fn queue(rows_max: usize, waiting_max: usize) -> Queue {
    Queue::new(BatchLimits {
        rows_max,
        delay_max: DELAY,
        waiting_max,
    })
}

fn tensor(dims: &[usize], data: impl Into<Bytes>) -> Tensor {
    let shape = Shape::from(dims.to_vec());
    Tensor::new("x", Datatype::Uint8, shape, data.into()).unwrap()
}

/// A row of one byte, by which it is known again.
fn offer(queue: &Queue, byte: u8, deadline: Option<Duration>) -> oneshot::Receiver<Outcome> {
    let deadline = deadline.map(|after| Instant::now() + after);
    let inputs = vec![tensor(&[1, 1], vec![byte])];
    queue.offer(inputs, 1, deadline).expect("a place")
}

async fn next(queue: &Queue) -> Vec<u8> {
    let batch = queue.next().await.expect("a batch");
    batch
        .iter()
        .map(|waited| waited.inputs()[0].data()[0])
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_full_batch_waits_for_nobody_and_keeps_the_order() {
    let queue = queue(2, 10);
    let started = Instant::now();
    let _callers = [1, 2, 3].map(|byte| offer(&queue, byte, None));
    assert_eq!(next(&queue).await, [1, 2]);
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_is_not_full_waits_as_long_as_it_may_and_no_longer() {
    let queue = queue(8, 10);
    let started = Instant::now();
    let first = offer(&queue, 1, None);
    #[expect(
        clippy::async_yields_async,
        reason = "the caller waits after the batch has come together"
    )]
    let late = async {
        tokio::time::sleep(DELAY / 2).await;
        offer(&queue, 2, None)
    };
    let (batch, second) = tokio::join!(next(&queue), late);
    assert_eq!(batch, [1, 2]);
    assert_eq!(started.elapsed(), DELAY);
    drop((first, second));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_would_be_late_does_not_wait_for_a_batch() {
    let queue = queue(8, 10);
    queue.ran(Duration::from_millis(1));
    let started = Instant::now();
    let _caller = offer(&queue, 1, Some(Duration::from_millis(3)));
    assert_eq!(next(&queue).await, [1]);
    assert_eq!(started.elapsed(), Duration::from_millis(1));
}

#[tokio::test(start_paused = true)]
async fn what_is_late_or_left_is_not_run() {
    let queue = queue(8, 10);
    let late = offer(&queue, 1, Some(Duration::ZERO));
    drop(offer(&queue, 2, None));
    let _stays = offer(&queue, 3, None);
    assert_eq!(next(&queue).await, [3]);
    let outcome = late.await.expect("an outcome");
    assert!(
        matches!(outcome, Err(InferError::DeadlinePassed { .. })),
        "{outcome:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_ends_a_batch_and_is_not_overtaken() {
    let queue = queue(8, 10);
    let _first = offer(&queue, 1, None);
    let wide = queue
        .offer(vec![tensor(&[1, 2], vec![2, 2])], 1, None)
        .expect("a place");
    let _last = offer(&queue, 3, None);
    assert_eq!(next(&queue).await, [1]);
    assert_eq!(next(&queue).await, [2]);
    assert_eq!(next(&queue).await, [3]);
    drop(wide);
}

#[tokio::test(start_paused = true)]
async fn refuses_when_full_until_somebody_leaves() {
    let queue = queue(1, 2);
    let first = offer(&queue, 1, None);
    let _second = offer(&queue, 2, None);
    let third = || queue.offer(vec![tensor(&[1, 1], vec![3])], 1, None);
    queue.ran(Duration::from_secs(4));
    match third() {
        Err(Refused::Overloaded { retry_after }) => assert_eq!(retry_after, Duration::from_secs(8)),
        other => panic!("{other:?}"),
    }
    drop(first);
    assert!(third().is_ok());
}

#[tokio::test(start_paused = true)]
async fn several_that_run_batches_miss_nothing() {
    let queue = std::sync::Arc::new(queue(1, 100));
    let mut runners = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let queue = std::sync::Arc::clone(&queue);
        runners.spawn(async move {
            let mut ran = 0;
            while let Some(batch) = queue.next().await {
                ran += batch.len();
                tokio::task::yield_now().await;
            }
            ran
        });
    }
    let mut callers = Vec::new();
    for byte in 0..50 {
        callers.push(offer(&queue, byte, None));
        if byte % 7 == 0 {
            tokio::task::yield_now().await;
        }
    }
    // Nobody is woken by a deadline here, and the queue is not closed before all is gone.
    while queue.waiting() > 0 {
        tokio::task::yield_now().await;
    }
    queue.close();
    let ran: usize = runners.join_all().await.iter().sum();
    assert_eq!(ran, callers.len());
}

#[tokio::test(start_paused = true)]
async fn a_closed_queue_ends_once_it_is_empty() {
    let queue = queue(8, 10);
    let _caller = offer(&queue, 1, None);
    queue.close();
    let refused = queue.offer(vec![tensor(&[1, 1], vec![2])], 1, None);
    assert!(matches!(refused, Err(Refused::Closed(inputs)) if inputs.len() == 1));
    assert_eq!(next(&queue).await, [1]);
    assert!(queue.next().await.is_none());
}

#[test]
fn rows_come_apart_as_they_were_put_together() {
    let one = [tensor(&[1, 2], vec![1, 2])];
    let two = [tensor(&[2, 2], vec![3, 4, 5, 6])];
    let joined = join(&[&one, &two]);
    assert_eq!(joined[0].shape().dims(), [3, 2]);
    let parts = split(&joined, &[1, 2]).expect("has all rows");
    assert_eq!(parts, [one.to_vec(), two.to_vec()]);
    assert!(split(&joined, &[1, 1]).is_none());
}
