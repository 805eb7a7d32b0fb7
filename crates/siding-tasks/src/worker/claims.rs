//! Claiming messages as slots become free.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use siding_runtime::LaneKind;

use super::WorkerError;
use super::crew::Crew;
use super::running;
use super::slots::{Room, Slots};
use crate::broker::{BrokerError, Claim, ClaimRequest};
use crate::message::Message;

/// How long to wait after the broker could not be asked: at first, and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// However far the next message is, the broker is asked again after so long: a clock may have been set.
const PATIENCE: Duration = Duration::from_secs(60);

/// Claims messages as slots become free.
pub(super) struct Claims<'a> {
    crew: &'a Arc<Crew>,
    queues: Vec<String>,
    slots: Slots,
}

/// Whether to ask again.
enum Next {
    AtOnce,
    After(Duration),
    /// When there may be more, it is time, or one of these lanes has a free slot again.
    WhenChanged(Option<Duration>, [bool; 4]),
}

impl<'a> Claims<'a> {
    pub(super) fn new(crew: &'a Arc<Crew>, queues: Vec<String>, slots: Slots) -> Self {
        Self {
            crew,
            queues,
            slots,
        }
    }

    /// Claims and starts messages until `stop` resolves.
    pub(super) async fn run(self, stop: impl Future<Output = ()>) -> Result<(), WorkerError> {
        let mut stop = pin!(stop);
        let mut pause = PAUSE.0;
        loop {
            let room = tokio::select! {
                biased;
                () = &mut stop => return Ok(()),
                room = self.slots.room(&self.crew.tasks) => room,
            };
            let changed = self.crew.broker.changed();
            // Not cancelled by `stop`: what was claimed and not heard of would wait for its lease to run out.
            let next = match self.claim(&room).await {
                Ok(claim) => {
                    pause = PAUSE.0;
                    self.start(claim, room)
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
                    Next::WhenChanged(at, full) => {
                        // Each end means the same: ask again.
                        tokio::select! {
                            () = changed => {}
                            () = self.slots.free(full) => {}
                            () = tokio::time::sleep(at.unwrap_or(PATIENCE).min(PATIENCE)) => {}
                        }
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

    async fn claim(&self, room: &Room) -> Result<Claim, BrokerError> {
        let request = ClaimRequest {
            worker: self.crew.name.clone(),
            queues: self.queues.clone(),
            limit: room.limit,
            known: None,
            quotas: room.quotas.clone(),
            lease: self.crew.lease,
        };
        self.crew.broker.claim(request).await
    }

    fn start(&self, claim: Claim, mut room: Room) -> Next {
        for delivery in claim.deliveries {
            let lane = self.lane(&delivery.message);
            room.fill(lane);
            running::start(self.crew, delivery, self.slots.take(lane));
        }
        if room.limit == 0 {
            return Next::AtOnce;
        }
        let now = self.crew.tasks.now();
        Next::WhenChanged(claim.next_at.map(|at| at.since(now)), room.full())
    }

    /// The lane that the message's task is declared for; the event loop, if nobody knows it.
    fn lane(&self, message: &Message) -> LaneKind {
        self.crew
            .tasks
            .definition(&message.task)
            .map_or(LaneKind::EventLoop, |task| task.declaration().lane)
    }
}
