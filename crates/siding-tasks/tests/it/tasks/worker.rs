//! What a worker does beside the good case.

use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use siding_tasks::{Broker, GetError, Revocation, Settled, State, TaskContext, TaskError};
use tokio::sync::oneshot;

use super::app::App;
use super::faulty::Asked;
use super::support::{check_failed, endless, faulty};
use crate::support::{LEASE, PATIENCE};

#[test]
fn a_wish_for_a_retry_is_granted_after_its_delay_and_so_often() {
    let app = App::new();
    let (said, heard) = mpsc::channel();
    let task = app
        .tasks
        .register("fails", move |context: TaskContext| {
            said.send(context.retries()).unwrap();
            Err::<(), _>(TaskError::new("later").retry())
        })
        .max_retries(2)
        .backoff_without_jitter(Duration::from_secs(10), Duration::from_secs(600));
    app.serve(async {
        let result = task.delay(()).await.unwrap();
        for (retries, delay) in [(0, 10), (1, 20)] {
            assert_eq!(heard.recv_timeout(PATIENCE), Ok(retries));
            until_state(&result, State::Retry, retries + 1).await;
            app.clock.advance(Duration::from_secs(delay - 1));
            assert!(
                app.store
                    .claim(crate::support::claim_request(1))
                    .await
                    .unwrap()
                    .deliveries
                    .is_empty()
            );
            app.clock.advance(Duration::from_secs(1));
            wake(&app).await;
        }
        assert_eq!(heard.recv_timeout(PATIENCE), Ok(2));
        let error = result.get(PATIENCE).await.unwrap_err();
        check_failed(&error, "TaskError");
        assert_eq!(result.meta().await.unwrap().unwrap().retries, 2);
    });
}

/// Waits until the task is at `state` with so many retries: the broker says nothing of that.
async fn until_state<T>(result: &siding_tasks::AsyncResult<T>, state: State, retries: u32) {
    loop {
        let meta = result.meta().await.unwrap().unwrap();
        if (meta.state, meta.retries) == (state, retries) {
            return;
        }
        tokio::task::yield_now().await;
    }
}

/// Lets the worker look at the clock, which was moved.
async fn wake(app: &App) {
    let mut message = siding_tasks::Message::new("nobody's");
    message.queue = "nobody's".to_owned();
    let request = siding_tasks::Enqueue {
        messages: vec![message],
        chords: vec![],
    };
    app.store.enqueue(request).await.unwrap();
}

#[derive(Debug, thiserror::Error)]
#[error("the connection was reset")]
struct Reset;

#[derive(Debug, thiserror::Error)]
#[error("the query failed")]
struct Query(#[source] Reset);

#[test]
fn an_error_is_retried_by_any_of_its_causes() {
    let app = App::new();
    let task = app
        .tasks
        .register("query", || Err::<(), _>(Query(Reset)))
        .retry_on::<Reset>();
    let other = app
        .tasks
        .register("reset", || Err::<(), _>(Reset))
        .retry_on::<Query>();
    app.serve(async {
        let result = task.delay(()).await.unwrap();
        until_state(&result, State::Retry, 1).await;
        let meta = result.meta().await.unwrap().unwrap();
        assert_eq!(
            meta.exception.unwrap().message,
            "the query failed: the connection was reset"
        );
        check_failed(
            &other
                .delay(())
                .await
                .unwrap()
                .get(PATIENCE)
                .await
                .unwrap_err(),
            "Reset",
        );
    });
}

#[test]
fn a_revoked_future_is_dropped() {
    let app = App::new();
    let (task, heard) = endless(&app);
    app.serve(async {
        let result = task.delay(()).await.unwrap();
        assert_eq!(heard.recv_timeout(PATIENCE), Ok("began"));
        result.revoke(Revocation::Terminate).await.unwrap();
        let error = result.get(PATIENCE).await.unwrap_err();
        let GetError::Revoked { reason, .. } = error else {
            panic!("{error}");
        };
        assert_eq!(reason, "terminated");
        assert_eq!(heard.recv_timeout(PATIENCE), Ok("dropped"));
    });
}

#[test]
fn a_revoked_function_is_told_and_its_result_does_not_count() {
    let app = App::new();
    let (said, heard) = mpsc::channel();
    let task = app.tasks.register("loop", move |context: TaskContext| {
        said.send("began").unwrap();
        while context.check().is_ok() && !siding_runtime::cancelled() {
            std::thread::yield_now();
        }
        said.send("left").unwrap();
    });
    app.serve(async {
        let result = task.delay(()).await.unwrap();
        assert_eq!(heard.recv_timeout(PATIENCE), Ok("began"));
        result.revoke(Revocation::Terminate).await.unwrap();
        assert!(matches!(
            result.get(PATIENCE).await,
            Err(GetError::Revoked { .. })
        ));
        assert_eq!(heard.recv_timeout(PATIENCE), Ok("left"));
    });
}

#[test]
fn a_task_revoked_before_it_runs_never_does() {
    let app = App::new();
    let (task, heard) = endless(&app);
    app.run(async {
        let result = task.delay(()).await.unwrap();
        result.revoke(Revocation::Ignore).await.unwrap();
        let worker = app.start(app.worker());
        assert!(matches!(
            result.get(PATIENCE).await,
            Err(GetError::Revoked { .. })
        ));
        worker.stop().await;
    });
    assert!(heard.try_recv().is_err());
}

#[test]
fn a_task_that_expired_is_revoked() {
    let app = App::new();
    let (task, heard) = endless(&app);
    app.run(async {
        let result = task
            .apply_async(())
            .expires_in(Duration::from_secs(5))
            .await
            .unwrap();
        app.clock.advance(Duration::from_secs(6));
        let worker = app.start(app.worker());
        let error = result.get(PATIENCE).await.unwrap_err();
        assert!(error.to_string().ends_with("expired"), "{error}");
        worker.stop().await;
    });
    assert!(heard.try_recv().is_err());
}

#[test]
fn a_lost_lease_ends_the_work_and_the_task_runs_again() {
    let (app, faults, _asked) = faulty();
    let (task, heard) = endless(&app);
    app.run(async {
        // With one slot it does not claim, either.
        let lease = Duration::from_millis(60);
        let worker = app.start(app.worker().concurrency(1).lease(lease));
        let result = task.delay(()).await.unwrap();
        assert_eq!(heard.recv_timeout(PATIENCE), Ok("began"));
        // Another worker gets it, as this one seems to be gone.
        let renewing = faults.renewing.lock().await;
        app.clock.advance(LEASE);
        let other = app
            .store
            .claim(crate::support::claim_request(1))
            .await
            .unwrap();
        assert_eq!(other.deliveries.len(), 1);
        drop(renewing);
        assert_eq!(heard.recv_timeout(PATIENCE), Ok("dropped"));
        let settled = app.store.settle(
            other.deliveries[0].lease.clone(),
            crate::support::success("null"),
        );
        assert_eq!(settled.await.unwrap(), Settled::Done);
        result.get(PATIENCE).await.unwrap();
        worker.stop().await;
    });
}

#[test]
fn a_stop_gives_back_what_does_not_end_in_time() {
    let (app, _, mut asked) = faulty();
    let (task, heard) = endless(&app);
    app.run(async {
        let worker = app.start(app.worker().stop_limit(Duration::from_millis(20)));
        let result = task.delay(()).await.unwrap();
        assert_eq!(heard.recv_timeout(PATIENCE), Ok("began"));
        worker.stop().await;
        assert_eq!(heard.try_recv(), Ok("dropped"));
        let mut requests = std::iter::from_fn(|| asked.try_recv().ok());
        assert!(requests.any(|asked| asked == Asked::Release(vec![result.id().clone()])));
        assert_eq!(
            app.store
                .claim(crate::support::claim_request(1))
                .await
                .unwrap()
                .deliveries
                .len(),
            1
        );
    });
}

#[test]
fn a_worker_that_is_dropped_gives_back_what_it_holds() {
    let (app, _, mut asked) = faulty();
    let (task, heard) = endless(&app);
    app.run(async {
        let worker = app
            .runtime
            .handle()
            .spawn(app.worker().run(std::future::pending()));
        let result = task.delay(()).await.unwrap();
        assert_eq!(heard.recv_timeout(PATIENCE), Ok("began"));
        worker.abort();
        while asked.recv().await != Some(Asked::Release(vec![result.id().clone()])) {}
        assert_eq!(heard.recv_timeout(PATIENCE), Ok("dropped"));
    });
}

#[test]
fn a_worker_that_is_dropped_while_it_stops_gives_back_what_it_holds() {
    let (app, _, mut asked) = faulty();
    let (task, heard) = endless(&app);
    app.run(async {
        let (stop, stopped) = oneshot::channel::<()>();
        let worker = app.worker().stop_limit(Duration::from_secs(3_600));
        let mut worker = Box::pin(worker.run(async { drop(stopped.await) }));
        let result = task.delay(()).await.unwrap();
        while heard.try_recv() != Ok("began") {
            assert!(futures_pending(&mut worker).await);
            tokio::task::yield_now().await;
        }
        drop(stop);
        assert!(futures_pending(&mut worker).await, "the task runs on");
        assert!(heard.try_recv().is_err());
        drop(worker);
        while asked.recv().await != Some(Asked::Release(vec![result.id().clone()])) {}
        assert_eq!(heard.recv_timeout(PATIENCE), Ok("dropped"));
    });
}

#[test]
fn a_worker_with_schedules_leads_until_it_stops() {
    let app = App::new();
    let task = app.tasks.register("tick", async || ());
    app.tasks
        .every(Duration::from_secs(60), task.s(()))
        .name("tick");
    app.run(async {
        let worker = app.start(app.worker());
        let tick = app
            .tasks
            .result::<()>(format!("tick@{}", crate::support::START));
        tick.get(PATIENCE).await.unwrap();
        let lead = || {
            app.store
                .lead("periodic".to_owned(), "another".to_owned(), LEASE)
        };
        assert!(!lead().await.unwrap());
        worker.stop().await;
        assert!(lead().await.unwrap());
    });
}

#[test]
fn a_stop_lets_what_runs_end() {
    let app = App::new();
    let (release, released) = mpsc::channel::<()>();
    let (said, heard) = mpsc::channel();
    let released = Arc::new(std::sync::Mutex::new(released));
    let task = app.tasks.register("slow", move || {
        said.send(()).unwrap();
        released.lock().unwrap().recv_timeout(PATIENCE).unwrap();
        7
    });
    app.run(async {
        let worker = app.start(app.worker());
        let first = task.delay(()).await.unwrap();
        heard.recv_timeout(PATIENCE).unwrap();
        let stopped = worker.stop();
        tokio::pin!(stopped);
        assert!(futures_pending(&mut stopped).await);
        let second = task.delay(()).await.unwrap();
        release.send(()).unwrap();
        stopped.await;
        assert_eq!(first.get(PATIENCE).await.unwrap(), 7);
        assert_eq!(second.state().await.unwrap(), State::Pending);
    });
}

/// Polls once, and says whether there is more to wait for.
async fn futures_pending<F: Future + Unpin>(future: &mut F) -> bool {
    std::future::poll_fn(|cx| {
        std::task::Poll::Ready(std::pin::Pin::new(&mut *future).poll(cx).is_pending())
    })
    .await
}

#[test]
fn no_more_is_claimed_than_there_are_slots() {
    let (app, _, mut asked) = faulty();
    let (task, heard) = endless(&app);
    app.run(async {
        for _ in 0..5 {
            let _ = task.delay(()).await.unwrap();
        }
        let worker = app.start(app.worker().concurrency(2).stop_limit(Duration::ZERO));
        assert_eq!(heard.recv_timeout(PATIENCE), Ok("began"));
        assert_eq!(heard.recv_timeout(PATIENCE), Ok("began"));
        assert_eq!(asked.recv().await, Some(Asked::Claim(2)));
        // The rest is there for others.
        let others = app
            .store
            .claim(crate::support::claim_request(9))
            .await
            .unwrap();
        assert_eq!(others.deliveries.len(), 3);
        worker.stop().await;
    });
}

#[test]
fn a_broker_that_is_away_is_asked_again() {
    let (app, faults, mut asked) = faulty();
    let add = app.tasks.register("add", async |x: i64, y: i64| x + y);
    faults.claims.store(2, Ordering::SeqCst);
    faults.settlements.store(2, Ordering::SeqCst);
    app.serve(async {
        let result = add.delay((1, 2)).await.unwrap();
        assert_eq!(result.get(PATIENCE).await.unwrap(), 3);
        let mut settlements = vec![];
        while settlements.len() < 3 {
            if let Some(Asked::Settle(_, settled)) = asked.recv().await {
                settlements.push(settled);
            }
        }
        let full = Err("the disk is full".to_owned());
        assert_eq!(settlements, [full.clone(), full, Ok(Settled::Done)]);
    });
}
