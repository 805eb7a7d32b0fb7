//! Claiming messages as slots become free.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use siding_runtime::LaneKind;
use tokio::sync::Semaphore;

use super::crew::Crew;
use super::place::Place;
use super::running;
use super::slots::Room;
use super::{Unknown, WorkerError};
use crate::broker::{BrokerError, Claim, ClaimRequest};
use crate::message::{Message, Timestamp};

/// How long to wait after the broker could not be asked: at first, and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// However far the next message is, the broker is asked again after so long: a clock may have been set.
const PATIENCE: Duration = Duration::from_secs(60);

/// Claims messages as slots become free.
pub(super) struct Claims<'a> {
    crew: &'a Arc<Crew>,
    unknown: Unknown,
    /// Places for messages that came before their time.
    early: Arc<Semaphore>,
    told: bool,
}

/// Whether to ask again.
enum Next {
    AtOnce,
    After(Duration),
    /// When there may be more, it is time, or one of these lanes has a free slot again.
    WhenChanged(Option<Duration>, [bool; 4]),
}

impl<'a> Claims<'a> {
    /// At most `early` messages are held before their time.
    pub(super) fn new(crew: &'a Arc<Crew>, unknown: Unknown, early: usize) -> Self {
        Self {
            crew,
            unknown,
            early: Arc::new(Semaphore::new(early)),
            told: false,
        }
    }

    /// Claims and starts messages until `stop` resolves.
    pub(super) async fn run(mut self, stop: impl Future<Output = ()>) -> Result<(), WorkerError> {
        let mut stop = pin!(stop);
        let mut pause = PAUSE.0;
        loop {
            let room = tokio::select! {
                biased;
                () = &mut stop => return Ok(()),
                room = self.room() => room,
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
                    self.crew.slots.claimed();
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
                            () = self.crew.slots.free(full) => {}
                            () = self.crew.wants.notified() => {}
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

    /// What may be claimed, once that is anything. Any message may turn out to be early.
    async fn room(&mut self) -> Room {
        if self.early.available_permits() == 0 {
            if !self.told {
                let worker = &self.crew.name;
                tracing::warn!(
                    worker,
                    "no more tasks are taken ahead of their time until one is due"
                );
                self.told = true;
            }
            drop(self.early.acquire().await);
        }
        let mut room = self.crew.slots.room(&self.crew.tasks).await;
        room.limit = room.limit.min(self.early.available_permits());
        room
    }

    async fn claim(&self, room: &Room) -> Result<Claim, BrokerError> {
        let known = match self.unknown {
            Unknown::Fail => None,
            Unknown::Leave => Some(self.crew.tasks.names()),
        };
        let request = ClaimRequest {
            worker: self.crew.name.clone(),
            queues: self.crew.queues(),
            limit: room.limit,
            known,
            quotas: room.quotas.clone(),
            lease: self.crew.lease,
        };
        if request.queues.is_empty() {
            return Ok(Claim::default());
        }
        self.crew.broker.claim(request).await
    }

    fn start(&self, claim: Claim, mut room: Room) -> Next {
        let now = self.crew.tasks.now();
        for delivery in claim.deliveries {
            room.deliver();
            let place = self.place(&delivery.message, now, &mut room);
            running::start(self.crew, delivery, place);
        }
        self.crew.slots.claimed();
        if room.limit == 0 {
            return Next::AtOnce;
        }
        Next::WhenChanged(claim.next_at.map(|at| at.since(now)), room.full())
    }

    fn place(&self, message: &Message, now: Timestamp, room: &mut Room) -> Place {
        let permit = || Arc::clone(&self.early).try_acquire_owned().ok();
        let definition = self.crew.tasks.definition(&message.task);
        if definition.is_none() && self.unknown == Unknown::Leave {
            return Place::Elsewhere { permit: permit() };
        }
        // Nobody's tasks are told so on the event loop.
        let lane = definition.map_or(LaneKind::EventLoop, |task| task.declaration().lane);
        let early = message.eta.is_some_and(|eta| eta > now);
        if early || self.crew.rates.is_limited(&message.task) {
            let permit = permit();
            return Place::Early { lane, permit };
        }
        room.fill(lane);
        Place::Slot(self.crew.slots.take(lane))
    }
}
