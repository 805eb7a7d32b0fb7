//! The broker's overview, asked at most once in a while.

use std::fmt;
use std::time::Duration;

use siding_tasks::{QueueCount, Tasks};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

/// An answer is good for this long, however many ask: a broker is not loaded by its watchers.
const FRESH: Duration = Duration::from_secs(10);
/// A broker that takes longer counts as away. Prometheus waits for 10 s in all, unless told otherwise.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the broker said last.
#[derive(Default)]
pub(super) struct Overview {
    last: Mutex<Option<(Instant, Answer)>>,
}

/// `None` when the broker did not answer.
pub(super) type Answer = Option<Vec<QueueCount>>;

impl Overview {
    /// Asks the broker, unless it has answered, or failed to, a moment ago. `None` without a broker.
    pub(super) async fn ask(&self, tasks: &Tasks) -> Option<Answer> {
        let broker = tasks.broker().ok()?;
        // Whoever comes meanwhile waits for the same answer.
        let mut last = self.last.lock().await;
        if let Some((at, answer)) = &*last
            && at.elapsed() < FRESH
        {
            return Some(answer.clone());
        }
        let answer = match timeout(PATIENCE, broker.overview()).await {
            Ok(answer) => answer.ok(),
            Err(_) => None,
        };
        *last = Some((Instant::now(), answer.clone()));
        Some(answer)
    }
}

impl fmt::Debug for Overview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Overview").finish_non_exhaustive()
    }
}
