//! The messages that this process has claimed.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::broker::Lease;
use crate::message::Message;

/// A message that this process has claimed.
#[derive(Clone, Debug)]
pub(super) struct Held {
    /// The delivery tag.
    pub(super) tag: String,
    /// The score of the claim, as it was written: whoever claims it after this one has another.
    pub(super) score: String,
    /// The list it came from.
    pub(super) list: String,
    /// Its text.
    pub(super) raw: Arc<str>,
    pub(super) message: Arc<Message>,
    /// The worker it was claimed for.
    pub(super) worker: Arc<str>,
}

/// The messages that this process has claimed, by the tokens of their leases.
#[derive(Debug, Default)]
pub(super) struct Holding {
    held: Mutex<HashMap<u64, Held>>,
    tokens: AtomicU64,
}

impl Holding {
    /// Nothing is left half done under the lock.
    fn held(&self) -> MutexGuard<'_, HashMap<u64, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps `held`, and returns the token of its lease.
    pub(super) fn keep(&self, held: Held) -> u64 {
        // Relaxed: a number that nobody else has is all that is asked.
        let token = self.tokens.fetch_add(1, Ordering::Relaxed) + 1;
        self.held().insert(token, held);
        token
    }

    pub(super) fn get(&self, lease: &Lease) -> Option<Held> {
        self.held().get(&lease.token).cloned()
    }

    pub(super) fn forget(&self, lease: &Lease) {
        self.held().remove(&lease.token);
    }

    /// The claim was renewed.
    pub(super) fn renewed(&self, lease: &Lease, score: String) {
        if let Some(held) = self.held().get_mut(&lease.token) {
            held.score = score;
        }
    }
}

/// Seconds since 1970 in microseconds, with a random part below a millisecond: two workers hardly ever write the same.
pub(super) fn score() -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let (_, random) = uuid::Uuid::new_v4().as_u64_pair();
    format!(
        "{}.{:03}{:03}",
        now.as_secs(),
        now.subsec_millis(),
        random % 1_000
    )
}

/// Seconds since 1970, `later` from now.
pub(super) fn moment(later: std::time::Duration) -> String {
    let then = SystemTime::now() + later;
    let since = then.duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{:.3}", since.as_secs_f64())
}
