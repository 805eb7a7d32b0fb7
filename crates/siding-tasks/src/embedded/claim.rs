//! Deliveries.

use std::time::Duration;

use super::due::{self, Wanted};
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
    let mut wanted = Wanted::new(request);
    for seq in due::due(tx, &mut wanted)? {
        claimed.deliveries.push(deliver(tx, seq, request)?);
    }
    claimed.next_at = if wanted.is_full() && !claimed.deliveries.is_empty() {
        Some(tx.now)
    } else {
        due::next_at(tx, &wanted)?
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
