//! Renewing leases, and hearing that one is lost or its task revoked.

use std::time::Duration;

use tokio::time::Instant;

use super::crew::Crew;
use super::holdings::End;
use crate::broker::{Lease, Renewal};

/// A revoked task hears of it after this long at most, and leases are renewed for that no more often.
const LOOK: Duration = Duration::from_secs(1);

/// Renews what is held, three times in a period, and when something may have been revoked. Never ends.
pub(super) async fn renew(crew: &Crew) {
    let interval = crew.lease / 3;
    let look = LOOK.min(interval);
    let mut last = Instant::now();
    loop {
        let changed = crew.broker.changed();
        let hint = async {
            changed.await;
            tokio::time::sleep_until(last + look).await;
        };
        tokio::select! {
            () = tokio::time::sleep_until(last + interval) => {}
            () = hint => {}
        }
        last = Instant::now();
        let leases = crew.held.leases_older_than(Duration::ZERO);
        if !leases.is_empty() {
            renew_all(crew, leases, last).await;
        }
    }
}

async fn renew_all(crew: &Crew, leases: Vec<Lease>, asked_at: Instant) {
    match crew.broker.renew(leases.clone()).await {
        Ok(answers) => {
            for (lease, answer) in leases.iter().zip(answers) {
                heed(crew, lease, answer, asked_at);
            }
        }
        Err(error) => {
            tracing::warn!(%error, "leases could not be renewed");
            for lease in crew.held.leases_older_than(crew.lease) {
                lose(crew, &lease);
            }
        }
    }
}

fn heed(crew: &Crew, lease: &Lease, answer: Renewal, asked_at: Instant) {
    match answer {
        Renewal::Held => crew.held.renewed(lease, asked_at),
        Renewal::Revoked(revocation) => {
            crew.held.renewed(lease, asked_at);
            crew.held.revoke(lease, revocation);
        }
        Renewal::Lost => lose(crew, lease),
    }
}

fn lose(crew: &Crew, lease: &Lease) {
    tracing::warn!(id = %lease.id, "the lease was lost; the task is given up");
    crew.held.end(lease, End::Lost);
}
