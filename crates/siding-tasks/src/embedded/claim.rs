//! Deliveries.

use std::time::Duration;

use super::end::{self, Ending, Errbacks};
use super::live::Live;
use super::tx::Tx;
use crate::broker::ClaimRequest;
use crate::message::{TaskId, Timestamp};

/// So many leases and messages that have run out are dealt with in one claim, to keep its transaction short.
const REAPED: u32 = 100;

/// What was claimed, with messages still as text.
#[derive(Debug, Default)]
pub(super) struct Claimed {
    pub(super) deliveries: Vec<Delivered>,
    pub(super) next_at: Option<Timestamp>,
}

#[derive(Debug)]
pub(super) struct Delivered {
    pub(super) id: TaskId,
    pub(super) token: i64,
    pub(super) deliveries: u32,
    pub(super) text: String,
}

pub(super) fn claim(tx: &mut Tx<'_>, request: &ClaimRequest) -> rusqlite::Result<Claimed> {
    reap_leases(tx)?;
    reap_expired(tx)?;
    let mut claimed = Claimed::default();
    for seq in due(tx, request)? {
        claimed.deliveries.push(deliver(tx, seq, request)?);
    }
    claimed.next_at = if request.limit > 0 && claimed.deliveries.len() == request.limit {
        Some(tx.now)
    } else {
        next_at(tx, &request.queues)?
    };
    Ok(claimed)
}

/// Leases that ran out: the worker is lost, or the machine has slept.
fn reap_leases(tx: &mut Tx<'_>) -> rusqlite::Result<()> {
    let lost = Live::select(
        tx,
        "lease_until <= ?1 ORDER BY lease_until LIMIT ?2",
        (tx.now, REAPED),
    )?;
    for live in lost {
        let losses = live.losses + 1;
        if live.revoked {
            end::end_unsettled(tx, &live, &Ending::revoked("revoked"), Errbacks::Send)?;
        } else if losses >= tx.settings.max_losses {
            let ending = Ending::failure(end::worker_lost(losses));
            end::end_unsettled(tx, &live, &ending, Errbacks::Send)?;
        } else {
            // The token stays: as long as nobody else has begun, the late worker may still settle.
            tx.change(
                "UPDATE live SET lease_until = NULL, losses = ?2 WHERE seq = ?1",
                (live.seq, losses),
            )?;
            tx.news.changed = true;
        }
    }
    Ok(())
}

fn reap_expired(tx: &mut Tx<'_>) -> rusqlite::Result<()> {
    let expired = Live::select(
        tx,
        "lease_until IS NULL AND expires <= ?1 ORDER BY expires LIMIT ?2",
        (tx.now, REAPED),
    )?;
    for live in expired {
        end::end_unsettled(tx, &live, &Ending::revoked("expired"), Errbacks::Send)?;
    }
    Ok(())
}

/// What to deliver: by priority, then by when it is due, then by when it came, over all queues.
///
/// Each step reads one priority of one queue in the order of the index, and skips priorities that nobody has: looking
/// costs the same however much waits for its eta.
fn due(tx: &Tx<'_>, request: &ClaimRequest) -> rusqlite::Result<Vec<i64>> {
    let mut chosen = Vec::new();
    let mut above = u32::MAX;
    while chosen.len() < request.limit {
        let Some(priority) = next_priority(tx, &request.queues, above)? else {
            break;
        };
        let mut found = Vec::new();
        for queue in &request.queues {
            let limit = i64::try_from(request.limit - chosen.len()).unwrap_or(i64::MAX);
            found.extend(tx.rows(
                "SELECT due, seq FROM live
                 WHERE queue = ?1 AND priority = ?2 AND due <= ?3 AND lease_until IS NULL
                       AND (expires IS NULL OR expires > ?3)
                 ORDER BY due, seq LIMIT ?4",
                (queue, priority, tx.now, limit),
                |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)),
            )?);
        }
        found.sort_unstable();
        found.dedup();
        let free = request.limit - chosen.len();
        chosen.extend(found.into_iter().take(free).map(|(_, seq)| seq));
        above = priority;
    }
    Ok(chosen)
}

/// The highest priority below `above` that anything in the queues waits with.
fn next_priority(tx: &Tx<'_>, queues: &[String], above: u32) -> rusqlite::Result<Option<u32>> {
    let mut highest = None;
    for queue in queues {
        let one = tx.value(
            "SELECT max(priority) FROM live WHERE queue = ?1 AND priority < ?2 AND lease_until IS NULL",
            (queue, above),
        )?;
        highest = highest.max(one);
    }
    Ok(highest)
}

fn deliver(tx: &mut Tx<'_>, seq: i64, request: &ClaimRequest) -> rusqlite::Result<Delivered> {
    let token = tx.next()?;
    let delivered = tx.first(
        "UPDATE live SET token = ?2, lease_until = ?3, lease_ms = ?4, worker = ?5, deliveries = deliveries + 1
         WHERE seq = ?1 RETURNING id, deliveries, message",
        (
            seq,
            token,
            tx.now.after(request.lease),
            millis(request.lease),
            &request.worker,
        ),
        |row| {
            Ok(Delivered {
                id: row.get(0)?,
                token,
                deliveries: row.get(1)?,
                text: row.get(2)?,
            })
        },
    )?;
    delivered.ok_or(rusqlite::Error::QueryReturnedNoRows)
}

/// A period in whole milliseconds, rounded up as [`Timestamp::after`] does.
pub(super) fn millis(period: Duration) -> i64 {
    Timestamp::from_millis(0).after(period).as_millis()
}

/// When something will be due at the latest: an eta, the end of a lease, in whatever queue, or of a message's time.
fn next_at(tx: &Tx<'_>, queues: &[String]) -> rusqlite::Result<Option<Timestamp>> {
    let mut next = tx.value::<Option<Timestamp>>(
        "SELECT min(lease_until) FROM live WHERE lease_until IS NOT NULL",
        [],
    )?;
    let mut sooner = |at: Option<Timestamp>| next = [next, at].into_iter().flatten().min();
    sooner(tx.value(
        "SELECT min(expires) FROM live WHERE expires IS NOT NULL AND lease_until IS NULL",
        [],
    )?);
    let mut above = u32::MAX;
    while let Some(priority) = next_priority(tx, queues, above)? {
        for queue in queues {
            sooner(tx.value(
                "SELECT min(due) FROM live WHERE queue = ?1 AND priority = ?2 AND lease_until IS NULL",
                (queue, priority),
            )?);
        }
        above = priority;
    }
    Ok(next)
}
