//! The messages that this process has claimed.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::broker::Lease;
use crate::message::Message;

/// How many fences there are.
const MICROS: u64 = 1_000_000;

/// A message that this process has claimed.
#[derive(Clone, Debug)]
pub(super) struct Held {
    /// The delivery tag.
    pub(super) tag: String,
    /// Six digits of the claim's score: whoever claims the message after this one has others.
    pub(super) fence: String,
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
}

/// Seconds since 1970.
pub(super) fn seconds() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default().as_secs()
}

/// A fence at random.
pub(super) fn fence() -> u64 {
    let (_, random) = uuid::Uuid::new_v4().as_u64_pair();
    random % MICROS
}

/// The fence of a claim with this score, which may be a Python worker's.
pub(super) fn fence_of(score: f64) -> String {
    let micros = (score.rem_euclid(1.0) * 1e6).round();
    // Below a million, or exactly that.
    format!("{:06}", micros as u64 % MICROS)
}

/// Seconds since 1970, `later` from now.
pub(super) fn moment(later: std::time::Duration) -> String {
    let then = SystemTime::now() + later;
    let since = then.duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{:.3}", since.as_secs_f64())
}
