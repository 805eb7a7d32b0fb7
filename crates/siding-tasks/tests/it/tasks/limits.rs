//! Time limits.

use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use siding_runtime::ComputeConfig;
use siding_tasks::{TaskContext, TaskError};

use super::app::App;
use super::support::{COMPUTE, On, check_failed, endless, faulty_on};
use crate::support::PATIENCE;

#[test]
fn a_future_is_dropped_at_its_time_limit() {
    let app = App::new();
    let (task, heard) = endless(&app);
    let task = task.time_limit(Duration::from_millis(20));
    app.serve(async {
        let result = task.delay(()).await.unwrap();
        check_failed(
            &result.get(PATIENCE).await.unwrap_err(),
            "TimeLimitExceeded",
        );
        assert_eq!(heard.try_iter().collect::<Vec<_>>(), ["began", "dropped"]);
    });
}

#[test]
fn a_function_at_its_time_limit_is_reported_and_told() {
    let app = App::new();
    let (release, released) = mpsc::channel::<()>();
    let (said, heard) = mpsc::channel();
    let released = Arc::new(std::sync::Mutex::new(released));
    let task = app
        .tasks
        .register("blocks", move |context: TaskContext| {
            let deadline = context.deadline().is_some();
            released.lock().unwrap().recv_timeout(PATIENCE).unwrap();
            said.send((deadline, context.is_cancelled())).unwrap();
        })
        .time_limit(Duration::from_millis(20));
    app.serve(async {
        let result = task.delay(()).await.unwrap();
        check_failed(
            &result.get(PATIENCE).await.unwrap_err(),
            "TimeLimitExceeded",
        );
        release.send(()).unwrap();
        assert_eq!(heard.recv_timeout(PATIENCE), Ok((true, true)));
    });
}

#[test]
fn a_soft_time_limit_lets_the_task_end_itself() {
    let app = App::new();
    let plain = app
        .tasks
        .register("plain", |context: TaskContext| {
            loop {
                context.check()?;
                std::thread::yield_now();
            }
            #[expect(unreachable_code, reason = "it says what the task returns")]
            Ok::<(), TaskError>(())
        })
        .soft_time_limit(Duration::from_millis(20));
    let polled = app
        .tasks
        .register("polled", |context: TaskContext| async move {
            context.soft_time_limit().await;
            context.soft_time_limit_passed()
        })
        .soft_time_limit(Duration::from_millis(20));
    app.serve(async {
        let error = plain
            .delay(())
            .await
            .unwrap()
            .get(PATIENCE)
            .await
            .unwrap_err();
        check_failed(&error, "SoftTimeLimitExceeded");
        assert!(polled.delay(()).await.unwrap().get(PATIENCE).await.unwrap());
    });
}

/// How many jobs wait in the compute lane is seen by looking.
#[test]
fn a_task_that_waits_for_its_lane_does_not_fail_by_its_limit() {
    const LIMIT: Duration = Duration::from_secs(1);
    let (app, faults, _asked) = faulty_on(|builder| {
        builder.compute(ComputeConfig {
            threads: 1,
            ..ComputeConfig::default()
        })
    });
    faults.blind.store(true, Ordering::SeqCst);
    let (release, released) = mpsc::channel::<()>();
    let released = Arc::new(std::sync::Mutex::new(released));
    let blocks = move || released.lock().unwrap().recv_timeout(PATIENCE).unwrap();
    let blocks = app
        .tasks
        .register("blocks", On::<COMPUTE, _>(blocks.clone()));
    let deadline = |context: TaskContext| context.deadline().is_some();
    let quick = app
        .tasks
        .register("quick", On::<COMPUTE, _>(deadline))
        .time_limit(LIMIT);
    let (endless, _heard) = endless(&app);
    let endless = endless.time_limit(LIMIT);
    app.serve(async {
        let blocks = blocks.delay(()).await.unwrap();
        let quick = quick.delay(()).await.unwrap();
        while app.runtime.handle().compute().snapshot().waiting < 1 {
            tokio::task::yield_now().await;
        }
        // It began later than the other was given to its lane.
        let endless = endless.delay(()).await.unwrap().get(PATIENCE).await;
        check_failed(&endless.unwrap_err(), "TimeLimitExceeded");
        release.send(()).unwrap();
        blocks.get(PATIENCE).await.unwrap();
        assert!(quick.get(PATIENCE).await.unwrap());
    });
}
