//! Claiming messages as slots become free.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::WorkerError;
use super::crew::Crew;
use super::running;
use crate::broker::{BrokerError, Claim, ClaimRequest};

/// How long to wait after the broker could not be asked: at first, and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// However far the next message is, the broker is asked again after so long: a clock may have been set.
const PATIENCE: Duration = Duration::from_secs(60);

/// Claims messages as slots become free.
pub(super) struct Claims<'a> {
    crew: &'a Arc<Crew>,
    queues: Vec<String>,
    slots: Arc<Semaphore>,
}

/// Whether to ask again.
enum Next {
    AtOnce,
    After(Duration),
    WhenChanged(Option<Duration>),
}

impl<'a> Claims<'a> {
    pub(super) fn new(crew: &'a Arc<Crew>, queues: Vec<String>, slots: usize) -> Self {
        Self {
            crew,
            queues,
            slots: Arc::new(Semaphore::new(slots)),
        }
    }

    /// Claims and starts messages until `stop` resolves.
    pub(super) async fn run(self, stop: impl Future<Output = ()>) -> Result<(), WorkerError> {
        let mut stop = pin!(stop);
        let mut pause = PAUSE.0;
        loop {
            let slots = tokio::select! {
                biased;
                () = &mut stop => return Ok(()),
                slots = self.free_slots() => slots,
            };
            let changed = self.crew.broker.changed();
            // Not cancelled by `stop`: what was claimed and not heard of would wait for its lease to run out.
            let next = match self.claim(slots.num_permits()).await {
                Ok(claim) => {
                    pause = PAUSE.0;
                    self.start(claim, slots)
                }
                Err(error @ BrokerError::Unavailable(_)) => {
                    tracing::warn!(%error, "cannot claim tasks; trying again");
                    let now = pause;
                    pause = (pause * 2).min(PAUSE.1);
                    Next::After(now)
                }
                Err(error) => return Err(WorkerError::Broker(error)),
            };
            let wait = async {
                match next {
                    Next::AtOnce => {}
                    Next::After(pause) => tokio::time::sleep(pause).await,
                    Next::WhenChanged(at) => {
                        let patience = at.unwrap_or(PATIENCE).min(PATIENCE);
                        // Both ends mean the same: ask again.
                        let _ = tokio::time::timeout(patience, changed).await;
                    }
                }
            };
            tokio::select! {
                biased;
                () = &mut stop => return Ok(()),
                () = wait => {}
            }
        }
    }

    /// Every slot that is free, once one is.
    async fn free_slots(&self) -> OwnedSemaphorePermit {
        let mut slots = Arc::clone(&self.slots)
            .acquire_owned()
            .await
            .expect("the slots are never closed");
        let more = u32::try_from(self.slots.available_permits()).unwrap_or(u32::MAX);
        if let Ok(more) = Arc::clone(&self.slots).try_acquire_many_owned(more) {
            slots.merge(more);
        }
        slots
    }

    async fn claim(&self, limit: usize) -> Result<Claim, BrokerError> {
        let request = ClaimRequest {
            worker: self.crew.name.clone(),
            queues: self.queues.clone(),
            limit,
            lease: self.crew.lease,
        };
        self.crew.broker.claim(request).await
    }

    fn start(&self, claim: Claim, mut slots: OwnedSemaphorePermit) -> Next {
        for delivery in claim.deliveries {
            let Some(slot) = slots.split(1) else {
                unreachable!("the broker gives no more than was asked for");
            };
            running::start(self.crew, delivery, slot);
        }
        if slots.num_permits() == 0 {
            return Next::AtOnce;
        }
        let now = self.crew.tasks.now();
        Next::WhenChanged(claim.next_at.map(|at| at.since(now)))
    }
}
