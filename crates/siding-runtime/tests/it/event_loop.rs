//! The event loop while somebody blocks it.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use siding_runtime::{Builder, Runtime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{DEADLINE, builder};

/// Blocks an event-loop worker `rounds` times, each time until another task, woken by a socket, has run. Says in how many
/// rounds that task ran within `patience`. Each block begins in a poll that was woken by a socket too, and by nothing
/// else: then tokio wakes no other worker, and whether one polls the driver is up to chance (tokio#4730).
fn io_beside_a_blocked_worker(runtime: &Runtime, rounds: usize, patience: Duration) -> usize {
    let (mut trigger, mut triggered) = runtime.block_on(socket_pair());
    let (near, mut far) = runtime.block_on(socket_pair());
    let (ran, has_run) = mpsc::channel();
    let (done, is_done) = mpsc::channel();
    runtime
        .handle()
        .spawn(async move { while far.read_u8().await.is_ok() && ran.send(()).is_ok() {} });
    runtime.handle().spawn(async move {
        while triggered.read_u8().await.is_ok() {
            assert_eq!(near.try_write(&[7]).unwrap(), 1);
            done.send(has_run.recv_timeout(patience).is_ok()).unwrap();
        }
    });
    let mut round = || {
        runtime.block_on(trigger.write_u8(7)).unwrap();
        is_done.recv_timeout(DEADLINE * 2).unwrap()
    };
    (0..rounds).filter(|_| round()).count()
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
    assert_eq!(io_beside_a_blocked_worker(&runtime, 1, DEADLINE), 1);
}

/// The control: without relief the same work stands still. With one worker that is certain, not likely.
#[test]
fn without_relief_it_stands_still() {
    let runtime = builder().relief_threads(0).build().unwrap();
    assert_eq!(
        io_beside_a_blocked_worker(&runtime, 1, Duration::from_millis(300)),
        0
    );
}

/// tokio#4730: one worker is blocked, the other idle, and nobody polls the driver. Each round follows at once, so that
/// relief is still at work from the one before and nobody new comes to look.
#[test]
fn an_idle_worker_beside_a_blocked_one_still_gets_io() {
    let runtime = Builder::new()
        .event_loop_threads(2)
        .relief_threads(4)
        .build()
        .unwrap();
    let patience = Duration::from_secs(5);
    assert_eq!(io_beside_a_blocked_worker(&runtime, 50, patience), 50);
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
