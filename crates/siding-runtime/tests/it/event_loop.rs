//! The event loop while somebody blocks it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use siding_runtime::{Builder, Runtime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{DEADLINE, builder, eventually};

/// Blocks an event-loop worker until another task, woken by a socket, has run; says whether it did within `patience`.
fn io_runs_beside_a_blocked_worker(runtime: &Runtime, patience: Duration) -> bool {
    let (mut near, mut far) = runtime.block_on(socket_pair());
    let (ran, has_run) = mpsc::channel();
    let waiter = runtime.handle().spawn(async move {
        far.read_u8().await.unwrap();
        ran.send(()).unwrap();
    });
    let blocker = runtime.handle().spawn(async move {
        near.write_u8(7).await.unwrap();
        has_run.recv_timeout(patience).is_ok()
    });
    runtime.block_on(async {
        let progressed = blocker.await.unwrap();
        waiter.abort();
        progressed
    })
}

async fn socket_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    (near, listener.accept().await.unwrap().0)
}

#[test]
fn relief_takes_over_for_a_blocked_worker() {
    let runtime = builder().build().unwrap();
    assert!(io_runs_beside_a_blocked_worker(&runtime, DEADLINE));
}

/// The control: without relief the same work stands still. With one worker that is certain, not likely.
#[test]
fn without_relief_it_stands_still() {
    let runtime = builder().relief_threads(0).build().unwrap();
    assert!(!io_runs_beside_a_blocked_worker(
        &runtime,
        Duration::from_millis(300)
    ));
}

/// tokio#4730: one worker is blocked, the other idle, and nobody polls the driver. Which worker parks on the driver is
/// up to tokio, so the situation is made again and again.
#[test]
fn an_idle_worker_beside_a_blocked_one_still_gets_io() {
    let runtime = Builder::new()
        .event_loop_threads(2)
        .relief_threads(4)
        .build()
        .unwrap();
    for round in 0..50 {
        assert!(
            io_runs_beside_a_blocked_worker(&runtime, DEADLINE),
            "round {round}"
        );
    }
}

#[test]
fn relief_carries_more_blocked_workers_than_there_are_cores() {
    let runtime = builder().build().unwrap();
    let (done, all) = mpsc::channel();
    let barrier = Arc::new(std::sync::Barrier::new(4));
    for _ in 0..4 {
        let (barrier, done) = (Arc::clone(&barrier), done.clone());
        runtime.handle().spawn(async move {
            // Passes only when four workers are in it at the same time.
            barrier.wait();
            done.send(()).unwrap();
        });
    }
    for _ in 0..4 {
        all.recv_timeout(DEADLINE)
            .expect("four workers blocked at the same time");
    }
}

#[test]
fn relief_goes_back_when_the_stall_is_over() {
    let (seen, events) = mpsc::channel();
    let observer = move |event: &siding_runtime::Event| {
        if let siding_runtime::Event::Relief { active } = event {
            // The receiver is gone when the test is over.
            let _ = seen.send(*active);
        }
    };
    let runtime = builder().observer(observer).build().unwrap();
    for _ in 0..3 {
        let (release, blocked) = mpsc::channel::<()>();
        let blocker = runtime
            .handle()
            .spawn(async move { blocked.recv_timeout(DEADLINE) });
        assert_eq!(events.recv_timeout(DEADLINE), Ok(1));
        release.send(()).unwrap();
        assert_eq!(events.recv_timeout(DEADLINE), Ok(0));
        runtime.block_on(blocker).unwrap().unwrap();
    }
}

/// Relief workers are called back while tasks hand each other on through the slot that no worker can steal from.
#[test]
fn a_worker_that_is_called_back_traps_no_task() {
    let runtime = builder().build().unwrap();
    let passes = Arc::new(AtomicUsize::new(0));
    let (there, mut at_a) = tokio::sync::mpsc::channel::<()>(1);
    let (back, mut at_b) = tokio::sync::mpsc::channel::<()>(1);
    let count = Arc::clone(&passes);
    runtime.block_on(there.send(())).unwrap();
    runtime.handle().spawn(async move {
        while at_a.recv().await.is_some() && back.send(()).await.is_ok() {
            count.fetch_add(1, Ordering::Relaxed);
        }
    });
    runtime
        .handle()
        .spawn(async move { while at_b.recv().await.is_some() && there.send(()).await.is_ok() {} });
    for round in 0..20 {
        let (release, blocked) = mpsc::channel::<()>();
        let blocker = runtime
            .handle()
            .spawn(async move { blocked.recv_timeout(DEADLINE) });
        advance(&passes, &format!("beside stall {round}"));
        release.send(()).unwrap();
        runtime.block_on(blocker).unwrap().unwrap();
        advance(&passes, &format!("after stall {round}"));
    }
}

/// Waits until the count has gone on by more passes than happen while relief comes and goes.
#[track_caller]
fn advance(passes: &AtomicUsize, when: &str) {
    let target = passes.load(Ordering::Relaxed) + 20_000;
    eventually(when, || {
        (passes.load(Ordering::Relaxed) > target).then_some(())
    });
}
