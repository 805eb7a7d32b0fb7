//! Keeping a delivery, and giving it back.

use super::claim::millis;
use super::end::{self, Ending, Errbacks};
use super::live::Live;
use super::settle::token;
use super::tx::Tx;
use crate::broker::{Lease, Renewal, Revocation};

/// Of one that ran out and that nobody else has claimed since, too: it is then as if it had not.
pub(super) fn renew(tx: &Tx<'_>, lease: &Lease) -> rusqlite::Result<Renewal> {
    let revocation = tx.first(
        "UPDATE live SET losses = losses - (lease_until IS NULL), lease_until = ?3, lease_ms = ?4
         WHERE id = ?1 AND token = ?2 RETURNING revocation",
        (
            &lease.id,
            token(lease),
            tx.now.after(lease.period),
            millis(lease.period),
        ),
        |row| row.get::<_, Option<String>>(0),
    )?;
    Ok(match revocation {
        None => Renewal::Lost,
        Some(None) => Renewal::Held,
        Some(Some(revocation)) => Renewal::Revoked(revocation_of(&revocation)),
    })
}

pub(super) fn release(tx: &mut Tx<'_>, lease: &Lease) -> rusqlite::Result<()> {
    let held = Live::find(tx, "id = ?1 AND token = ?2", (&lease.id, token(lease)))?;
    let Some(live) = held else { return Ok(()) };
    if live.revoked {
        return end::end_unsettled(tx, &live, &Ending::revoked("revoked"), Errbacks::Send);
    }
    let void = tx.next()?;
    tx.change(
        "UPDATE live SET token = ?2, lease_until = NULL, lease_ms = NULL, worker = NULL WHERE seq = ?1",
        (live.seq, void),
    )?;
    tx.news.changed = true;
    Ok(())
}

const IGNORE: &str = "ignore";
const TERMINATE: &str = "terminate";

pub(super) const fn revocation_text(revocation: Revocation) -> &'static str {
    match revocation {
        Revocation::Ignore => IGNORE,
        Revocation::Terminate => TERMINATE,
    }
}

fn revocation_of(text: &str) -> Revocation {
    match text {
        TERMINATE => Revocation::Terminate,
        _ => Revocation::Ignore,
    }
}
