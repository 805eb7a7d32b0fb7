//! What people do to tasks: revoke, send again, throw away. And what time does.

use std::time::Duration;

use super::claim::millis;
use super::end::{self, Ending, Errbacks};
use super::lease::revocation_text;
use super::live::{self, Batch, Live};
use super::tx::Tx;
use crate::broker::{Enqueue, Enqueued, Revocation};
use crate::message::{TaskId, wire};

/// Ends it if it waits, asks it to end if it runs, and remembers its id if it is not there.
pub(super) fn revoke(tx: &mut Tx<'_>, id: &TaskId, revocation: Revocation) -> rusqlite::Result<()> {
    let waiting = Live::find(tx, "id = ?1 AND lease_until IS NULL", [id])?;
    if let Some(live) = waiting {
        return end::end_unsettled(tx, &live, &Ending::revoked("revoked"), Errbacks::Send);
    }
    // To terminate is more than to ignore, and is not taken back.
    let running = tx.change(
        "UPDATE live SET revocation = iif(revocation = 'terminate', revocation, ?2) WHERE id = ?1",
        (id, revocation_text(revocation)),
    )?;
    if running == 1 {
        tx.news.changed = true;
        return Ok(());
    }
    let keep = tx.settings.keep_revocations;
    end::record_unseen(tx, id, "", &Ending::revoked("revoked"), keep)
}

/// Whether it was sent once more.
pub(super) fn replay(tx: &mut Tx<'_>, id: &TaskId) -> rusqlite::Result<bool> {
    let text = tx.first(
        "SELECT message FROM done WHERE id = ?1 AND state <> 'SUCCESS' AND message IS NOT NULL",
        [id],
        |row| row.get::<_, String>(0),
    )?;
    let Some(Ok(mut message)) = text.as_deref().map(wire::read) else {
        return Ok(false);
    };
    message.retries = 0;
    message.eta = None;
    message.expires = None;
    let taken = tx.first(
        "SELECT 1 FROM live WHERE unique_key = ?1",
        [&message.unique_key],
        |_| Ok(()),
    )?;
    let enqueue = Enqueue {
        messages: vec![message],
        chords: Vec::new(),
    };
    let (None, Ok(batch)) = (taken, Batch::new(enqueue)) else {
        return Ok(false);
    };
    tx.change("DELETE FROM done WHERE id = ?1", [id])?;
    let answers = live::accept(tx, &batch)?;
    Ok(answers == [Enqueued::Accepted])
}

/// Ends at most `limit` messages that wait, and says how many there were.
pub(super) fn purge(tx: &mut Tx<'_>, queue: Option<&str>, limit: usize) -> rusqlite::Result<usize> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let waiting = match queue {
        Some(queue) => Live::select(
            tx,
            "queue = ?1 AND lease_until IS NULL LIMIT ?2",
            (queue, limit),
        )?,
        None => Live::select(tx, "lease_until IS NULL LIMIT ?1", [limit])?,
    };
    for live in &waiting {
        end::end_unsettled(tx, live, &Ending::revoked("purged"), Errbacks::Skip)?;
    }
    Ok(waiting.len())
}

/// So many rows are deleted in one transaction.
pub(super) const TIDIED: usize = 200;

/// Deletes some of what has outlived its time, and says how many rows that were.
pub(super) fn tidy(tx: &Tx<'_>) -> rusqlite::Result<usize> {
    tx.change(
        "DELETE FROM done WHERE seq IN (SELECT seq FROM done WHERE keep_until <= ?1 ORDER BY keep_until LIMIT ?2)",
        (tx.now, i64::try_from(TIDIED).unwrap_or(i64::MAX)),
    )
}

/// Whether `holder` leads now.
pub(super) fn lead(
    tx: &Tx<'_>,
    name: &str,
    holder: &str,
    period: Duration,
) -> rusqlite::Result<bool> {
    let led = tx.change(
        "INSERT INTO leaders (name, holder, until, period_ms) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (name) DO UPDATE SET holder = ?2, until = ?3, period_ms = ?4
         WHERE holder = ?2 OR until <= ?5",
        (name, holder, tx.now.after(period), millis(period), tx.now),
    )?;
    Ok(led == 1)
}

pub(super) fn resign(tx: &Tx<'_>, name: &str, holder: &str) -> rusqlite::Result<()> {
    tx.change(
        "DELETE FROM leaders WHERE name = ?1 AND holder = ?2",
        (name, holder),
    )
    .map(drop)
}
