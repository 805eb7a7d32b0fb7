//! Waiting for a lock on the file that somebody else holds.
//!
//! SQLite asks a handler whether to try again, on the thread that wants the lock. Not every `rusqlite` of the range that this
//! crate takes lets a handler capture anything, so what it needs to know is kept with the thread: whoever uses a
//! connection on a thread says there first, by [`Patience::here`], how long to wait and which file it is.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;

/// A lock that others hold for longer is worth a word: a service that starts would only seem to hang.
const NOTICE: Duration = Duration::from_secs(1);

/// How long to wait for whose lock.
#[derive(Clone, Debug)]
pub(super) struct Patience {
    pub(super) file: Arc<Path>,
    pub(super) timeout: Duration,
}

thread_local! {
    static WAITING: RefCell<Option<Waiting>> = const { RefCell::new(None) };
}

struct Waiting {
    patience: Patience,
    since: Instant,
    told: bool,
}

impl Patience {
    /// Has this connection wait, and this thread know how.
    pub(super) fn on(&self, conn: &mut Connection) -> rusqlite::Result<()> {
        self.here();
        conn.busy_handler(Some(try_again as fn(i32) -> bool))
    }

    /// Has this thread know how to wait, for a connection that was opened on another.
    pub(super) fn here(&self) {
        let waiting = Waiting {
            patience: self.clone(),
            since: Instant::now(),
            told: false,
        };
        WAITING.set(Some(waiting));
    }
}

/// Waits in small steps: others hold a lock for less than a millisecond, as a rule, and SQLite's own waiting soon takes steps
/// of 100 ms.
fn try_again(tries: i32) -> bool {
    let within = WAITING.with_borrow_mut(|waiting| match waiting {
        Some(waiting) => waiting.within(tries),
        None => false,
    });
    if within {
        let step = Duration::from_micros(100) * u32::try_from(tries + 1).unwrap_or(1);
        #[expect(
            clippy::disallowed_methods,
            reason = "the store's own thread waits, and SQLite offers nothing to wait on"
        )]
        std::thread::sleep(step.min(Duration::from_millis(5)));
    }
    within
}

impl Waiting {
    /// Whether there is time for another try.
    fn within(&mut self, tries: i32) -> bool {
        if tries == 0 {
            (self.since, self.told) = (Instant::now(), false);
        }
        let waited = self.since.elapsed();
        let timeout = self.patience.timeout;
        if waited >= NOTICE && waited < timeout && !self.told {
            self.told = true;
            let file = self.patience.file.display();
            tracing::warn!(
                "another program holds the lock of {file}; waiting for it, for {timeout:?} at most"
            );
        }
        waited < timeout
    }
}
