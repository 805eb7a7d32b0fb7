//! A worker that stands still for longer than its lease, and goes on.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;
use siding_tasks::Canvas;

use super::rust_worker::RustWorker;
use super::short_timeouts;
use crate::fleet::{Fleet, SOON, args};

/// Its task has been run by another worker; what it says when it goes on does not count, and what follows runs once.
#[test]
fn a_worker_that_was_stopped_past_its_lease_is_not_heard() {
    Fleet::in_space("5.7", short_timeouts, |fleet| async move {
        let waits_and_counts = || -> Canvas<u64> {
            let wait = fleet
                .tasks
                .signature::<u64>("rust.wait", args([json!(7)]), []);
            wait | fleet.tasks.signature("rust.count", vec![], [])
        };
        let stopped = RustWorker::start(&fleet.space, "rust@test");
        let sent = waits_and_counts().delay().await.unwrap();
        while fleet.space.ask::<u64>("HLEN", "unacked", &[]) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stopped.signal(Signal::STOP);
        let other = RustWorker::start(&fleet.space, "other@test");
        assert_eq!(sent.get(SOON).await.unwrap(), 1);
        drop(other);
        stopped.signal(Signal::CONT);
        // It runs these alone, after what it was at.
        let again = waits_and_counts().delay().await.unwrap();
        assert_eq!(again.get(SOON).await.unwrap(), 2);
    });
}
