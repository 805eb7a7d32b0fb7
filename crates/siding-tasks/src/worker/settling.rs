//! Telling the broker how a delivery ended, until it has heard.

use std::time::Duration;

use tokio::sync::oneshot;

use super::crew::Crew;
use super::ended::Verdict;
use super::holdings::End;
use crate::broker::{BrokerError, Lease, Settled, Settlement};

/// How long to wait between attempts: at first, and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(2));

/// Settles or gives back the message, trying again while the lease lasts. Says whether that counted.
pub(super) async fn settle(
    crew: &Crew,
    lease: &Lease,
    verdict: &Verdict,
    end: &mut oneshot::Receiver<End>,
) -> bool {
    let settled = async {
        match verdict {
            Verdict::Settle(settlement) => tell(crew, lease, settlement).await,
            Verdict::Release => release(crew, lease).await,
            Verdict::Silence => false,
        }
    };
    tokio::select! {
        biased;
        counted = settled => counted,
        () = lost(end) => {
            tracing::warn!(id = %lease.id, "the lease was lost before the result was stored");
            false
        }
    }
}

/// Resolves when the lease is lost; whatever else is said comes too late.
async fn lost(end: &mut oneshot::Receiver<End>) {
    if end.is_terminated() || end.await != Ok(End::Lost) {
        std::future::pending::<()>().await;
    }
}

async fn tell(crew: &Crew, lease: &Lease, settlement: &Settlement) -> bool {
    let mut pause = PAUSE.0;
    loop {
        match crew.broker.settle(lease.clone(), settlement.clone()).await {
            Ok(Settled::Done) => return true,
            Ok(Settled::Refused) => {
                tracing::warn!(id = %lease.id, "the result came after the lease was over; it does not count");
                return false;
            }
            Err(error) => {
                if gives_up(lease, &error) {
                    return false;
                }
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE.1);
    }
}

async fn release(crew: &Crew, lease: &Lease) -> bool {
    let mut pause = PAUSE.0;
    while let Err(error) = crew.broker.release(vec![lease.clone()]).await {
        if gives_up(lease, &error) {
            return false;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE.1);
    }
    true
}

/// The message is delivered again when its lease has run out, which is what at least once means.
fn gives_up(lease: &Lease, error: &BrokerError) -> bool {
    let again = matches!(error, BrokerError::Unavailable(_));
    tracing::warn!(id = %lease.id, %error, again, "the end of a task could not be stored");
    !again
}
