//! What a wall clock that is set back would do.
//!
//! A message that was sent before the jump would wait until the clock had caught up, and so would a lease. When the clock
//! has gone back by more than a second, everything that was to happen at once is made due now, and no lease lasts longer
//! than its period. Etas are moments that somebody chose, and stay. A clock that is set forward ends leases early: their
//! tasks are delivered again, and the workers that had them are refused.

use std::time::Duration;

use super::tx::Tx;
use crate::message::Timestamp;

/// Less than this only makes somebody wait for as long.
const TOLERATED: Duration = Duration::from_secs(1);

/// Sees that the clock has gone back.
#[derive(Debug)]
pub(super) struct JumpGuard {
    latest: Timestamp,
    opened: bool,
}

impl JumpGuard {
    pub(super) const fn new(now: Timestamp) -> Self {
        Self {
            latest: now,
            opened: true,
        }
    }

    /// Puts right what a jump since the last commit, or before the file was opened, has put wrong.
    pub(super) fn check(&self, tx: &mut Tx<'_>) -> rusqlite::Result<()> {
        if self.opened || self.latest.since(tx.now) >= TOLERATED {
            repair(tx)?;
        }
        Ok(())
    }

    /// A transaction that was checked at `now` is durable.
    pub(super) fn committed(&mut self, now: Timestamp) {
        let jumped = self.latest.since(now) >= TOLERATED;
        self.latest = if jumped { now } else { self.latest.max(now) };
        self.opened = false;
    }
}

fn repair(tx: &mut Tx<'_>) -> rusqlite::Result<()> {
    let now = tx.now;
    let due = tx.change(
        "UPDATE live SET due = ?1 WHERE eta IS NULL AND due > ?1",
        [now],
    )?;
    let leases = tx.change(
        "UPDATE live SET lease_until = ?1 + lease_ms WHERE lease_until IS NOT NULL AND lease_until - lease_ms > ?1",
        [now],
    )?;
    tx.change(
        "UPDATE leaders SET until = ?1 + period_ms WHERE until - period_ms > ?1",
        [now],
    )?;
    if due + leases > 0 {
        tracing::warn!(
            due,
            leases,
            "the clock was set back; messages and leases were moved to the new time"
        );
        tx.news.changed = true;
    }
    Ok(())
}
