//! What can be set of the embedded store.

use std::sync::Arc;
use std::time::Duration;

use super::clock::{Clock, SystemClock};

/// What can be set of the embedded store. The defaults suit a service and its workers on one machine.
///
/// ```
/// use siding_tasks::EmbeddedSettings;
/// use std::time::Duration;
///
/// let mut settings = EmbeddedSettings::default();
/// settings.keep_results = Duration::from_secs(7 * 24 * 60 * 60);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EmbeddedSettings {
    /// How long the result of a task that succeeded is kept; 1 day.
    pub keep_results: Duration,
    /// How long a task that failed or was revoked is kept with its message, so that it can be sent again; 7 days.
    pub keep_dead_letters: Duration,
    /// How long the revocation of a task that is not there yet is remembered; 7 days.
    pub keep_revocations: Duration,
    /// After its worker was lost so many times a task is not delivered again but fails with `WorkerLostError`; 5. One that
    /// kills its worker each time would otherwise kill all of them, for ever.
    pub max_losses: u32,
    /// How many requests may wait for the writer, and for each of the two readers; 4096. Further ones wait to be let in.
    pub waiting_requests: usize,
    /// How many requests share one transaction, and so one write through to the disk, at most; 512. More of them make the
    /// first of them wait longer.
    pub group: usize,
    /// How long to wait for another program that holds the file; 30 s. Processes that use this store hold it for
    /// milliseconds.
    pub busy_timeout: Duration,
    /// The file grows no further than so many bytes, and enqueuing then fails as it does when the disk is full; no limit.
    pub max_bytes: Option<u64>,
    /// How often to look whether another process has written while somebody waits for that, in case its message was lost;
    /// 1 s. `None` relies on the messages.
    pub safety_net: Option<Duration>,
    /// How often to delete what has outlived its time; 1 min.
    pub tidy: Duration,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Default for EmbeddedSettings {
    fn default() -> Self {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        Self {
            keep_results: DAY,
            keep_dead_letters: DAY * 7,
            keep_revocations: DAY * 7,
            max_losses: 5,
            waiting_requests: 4096,
            group: 512,
            busy_timeout: Duration::from_secs(30),
            max_bytes: None,
            safety_net: Some(Duration::from_secs(1)),
            tidy: Duration::from_secs(60),
            clock: Arc::new(SystemClock),
        }
    }
}
