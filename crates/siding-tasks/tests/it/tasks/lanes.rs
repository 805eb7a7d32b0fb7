//! Slots of each lane.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, mpsc};

use siding_runtime::{Builder, ComputeConfig};
use siding_tasks::{Broker as _, Task};

use super::app::App;
use super::faulty::Asked;
use super::support::{COMPUTE, On, faulty_on};
use crate::support::{PATIENCE, claim_request};

fn one_computes(builder: Builder) -> Builder {
    builder.compute(ComputeConfig {
        threads: 1,
        ..ComputeConfig::default()
    })
}

/// A task of the compute lane that says that it has begun, and ends when it may.
fn blocks(app: &App) -> (Task<(), ()>, mpsc::Receiver<()>, mpsc::Sender<()>) {
    let (said, began) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let released = Arc::new(Mutex::new(released));
    let f = move || {
        said.send(()).unwrap();
        released.lock().unwrap().recv_timeout(PATIENCE).unwrap();
    };
    let task = app.tasks.register("blocks", On::<COMPUTE, _>(f));
    (task, began, release)
}

#[test]
fn a_full_lane_holds_up_no_task_of_another_and_nobody_asks_in_vain() {
    const CALLS: i64 = 20;
    let (app, _, mut asked) = faulty_on(one_computes);
    let add = app.tasks.register("add", async |x: i64, y: i64| x + y);
    let (blocks, began, release) = blocks(&app);
    app.run(async {
        for _ in 0..3 {
            let _ = blocks.delay(()).await.unwrap();
        }
        let worker = app.start(app.worker());
        began.recv_timeout(PATIENCE).unwrap();
        for n in 0..CALLS {
            let sum = add.delay((n, n)).await.unwrap();
            assert_eq!(sum.get(PATIENCE).await.unwrap(), 2 * n);
        }
        let requests = std::iter::from_fn(|| asked.try_recv().ok());
        let claims = requests.filter(|asked| matches!(asked, Asked::Claim(_)));
        // One at the start, and one for each call.
        let claims = i64::try_from(claims.count()).unwrap();
        assert!(claims <= 1 + CALLS, "{claims}");
        let others = app.store.claim(claim_request(9)).await.unwrap();
        assert_eq!(others.deliveries.len(), 2, "another worker could run them");
        release.send(()).unwrap();
        worker.stop().await;
    });
}

#[test]
fn a_lane_that_is_free_again_takes_the_next() {
    let (app, _, _asked) = faulty_on(one_computes);
    // A lane with room for more than there is does not hide that the other is full.
    let _add = app.tasks.register("add", async |x: i64, y: i64| x + y);
    let (blocks, began, release) = blocks(&app);
    app.run(async {
        let mut results = vec![];
        for _ in 0..3 {
            results.push(blocks.delay(()).await.unwrap());
        }
        let worker = app.start(app.worker());
        for result in results {
            began.recv_timeout(PATIENCE).unwrap();
            assert!(began.try_recv().is_err());
            release.send(()).unwrap();
            result.get(PATIENCE).await.unwrap();
        }
        worker.stop().await;
    });
}

#[test]
fn what_a_broker_delivers_all_the_same_waits_for_its_lane() {
    let (app, faults, _asked) = faulty_on(one_computes);
    faults.blind.store(true, Ordering::SeqCst);
    let add = app.tasks.register("add", async |x: i64, y: i64| x + y);
    let (blocks, began, release) = blocks(&app);
    app.run(async {
        let mut results = vec![];
        for _ in 0..3 {
            results.push(blocks.delay(()).await.unwrap());
        }
        let worker = app.start(app.worker());
        began.recv_timeout(PATIENCE).unwrap();
        let others = app.store.claim(claim_request(9)).await.unwrap();
        assert_eq!(others.deliveries.len(), 0);
        let sum = add.delay((1, 2)).await.unwrap();
        assert_eq!(sum.get(PATIENCE).await.unwrap(), 3);
        for _ in &results {
            release.send(()).unwrap();
        }
        for result in results {
            result.get(PATIENCE).await.unwrap();
        }
        worker.stop().await;
    });
}
