//! Where a message waits until its task may start.

use std::time::Duration;

use siding_runtime::LaneKind;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::crew::Crew;
use super::ended::Ran;
use super::holdings::{End, Stage};
use super::slots::Slot;
use crate::broker::Lease;
use crate::message::{Message, Timestamp};
use crate::tasks::Tasks;

/// However far its time is, a message looks at the clock again after so long: it may have been set.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where a message waits until its task may start.
#[derive(Debug)]
pub(super) enum Place {
    /// It need not wait.
    Slot(Slot),
    /// It came before its time, or its task may not start so often. It takes a slot when its turn has come.
    Early {
        lane: LaneKind,
        /// One of the places for those that are early; none if the broker gave more than was asked for.
        permit: Option<OwnedSemaphorePermit>,
    },
    /// It is for another worker, and given back after a while: other messages come first meanwhile.
    Elsewhere {
        /// As above.
        permit: Option<OwnedSemaphorePermit>,
    },
}

/// How long a message for another worker is kept from coming again.
const ELSEWHERE: Duration = Duration::from_secs(1);

impl Place {
    pub(super) const fn stage(&self) -> Stage {
        match self {
            Self::Slot(_) => Stage::Active,
            Self::Early { .. } | Self::Elsewhere { .. } => Stage::Scheduled,
        }
    }

    /// The slot of the message, when its turn has come; or how it ended before.
    pub(super) async fn turn(
        self,
        crew: &Crew,
        lease: &Lease,
        message: &Message,
        end: &mut oneshot::Receiver<End>,
    ) -> Result<Slot, Ran> {
        if crew.revoked.contains(message) {
            return Err(Ran::Revoked);
        }
        let (lane, permit) = match self {
            Self::Slot(slot) => return Ok(slot),
            Self::Early { lane, permit } => (Some(lane), permit),
            Self::Elsewhere { permit } => (None, permit),
        };
        let turn = async {
            let Some(lane) = lane else {
                tokio::time::sleep(ELSEWHERE).await;
                return Err(Ran::Stopped);
            };
            due(&crew.tasks, message.eta).await;
            in_time(message, crew.tasks.now())?;
            advance(crew, lease, Stage::Reserved).await;
            crew.rates.turn(&message.task).await;
            let slot = crew.slots.wait(lane).await;
            in_time(message, crew.tasks.now())?;
            Ok(slot)
        };
        let turn = tokio::select! {
            biased;
            why = &mut *end => Err(Ran::from(why)),
            turn = turn => turn,
        };
        drop(permit);
        let slot = turn?;
        if crew.held.advance(lease, Stage::Active) {
            return Ok(slot);
        }
        drop(slot);
        Err(Ran::from(end.await))
    }
}

/// Gets on to `stage`; never, if the work was ended meanwhile.
async fn advance(crew: &Crew, lease: &Lease, stage: Stage) {
    if !crew.held.advance(lease, stage) {
        std::future::pending::<()>().await;
    }
}

/// Resolves when the time has come.
async fn due(tasks: &Tasks, eta: Option<Timestamp>) {
    let Some(eta) = eta else { return };
    loop {
        let now = tasks.now();
        if eta <= now {
            return;
        }
        tokio::time::sleep(eta.since(now).min(PATIENCE)).await;
    }
}

fn in_time(message: &Message, now: Timestamp) -> Result<(), Ran> {
    match message.expires {
        Some(expires) if expires <= now => Err(Ran::Expired),
        Some(_) | None => Ok(()),
    }
}
