//! Telling the broker that a task has started.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use super::crew::Crew;
use crate::broker::Lease;

/// How long the end of a task waits for the broker to hear of its start. What is said later could undo the end.
const PATIENCE: Duration = Duration::from_secs(1);

/// Awaits `work`, and tells the broker meanwhile that it has started. That it cannot hear does no harm.
pub(super) async fn beside<T>(work: impl Future<Output = T>, crew: &Crew, lease: &Lease) -> T {
    let mut work = pin!(work);
    let mut said = pin!(async {
        if let Err(error) = crew.broker.started(lease.clone()).await {
            tracing::warn!(id = %lease.id, %error, "nobody was told that a task has started");
        }
    });
    tokio::select! {
        biased;
        // First, so that it is said before anything that the task does.
        () = &mut said => work.await,
        done = &mut work => {
            if tokio::time::timeout(PATIENCE, said).await.is_err() {
                tracing::warn!(id = %lease.id, "nobody was told in time that a task has started");
            }
            done
        }
    }
}
