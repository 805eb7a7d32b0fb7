//! Claiming messages as slots become free.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use siding_runtime::LaneKind;
use tokio::sync::Semaphore;

use super::WorkerError;
use super::crew::Crew;
use super::place::Place;
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
    pub(super) fn new(
        crew: &'a Arc<Crew>,
        queues: Vec<String>,
        slots: Slots,
        early: usize,
    ) -> Self {
        Self {
            crew,
            queues,
            slots,
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
                    self.slots.claimed();
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
        let mut room = self.slots.room(&self.crew.tasks).await;
        room.limit = room.limit.min(self.early.available_permits());
        room
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
        let now = self.crew.tasks.now();
        for delivery in claim.deliveries {
            let lane = self.lane(&delivery.message);
            room.deliver();
            let place = if delivery.message.eta.is_some_and(|eta| eta > now) {
                self.early(lane)
            } else {
                room.fill(lane);
                Place::Slot(self.slots.take(lane))
            };
            running::start(self.crew, delivery, place);
        }
        self.slots.claimed();
        if room.limit == 0 {
            return Next::AtOnce;
        }
        Next::WhenChanged(claim.next_at.map(|at| at.since(now)), room.full())
    }

    fn early(&self, lane: LaneKind) -> Place {
        Place::Early {
            slots: self.slots.clone(),
            lane,
            permit: Arc::clone(&self.early).try_acquire_owned().ok(),
        }
    }

    /// The lane that the message's task is declared for; the event loop, if nobody knows it.
    fn lane(&self, message: &Message) -> LaneKind {
        self.crew
            .tasks
            .definition(&message.task)
            .map_or(LaneKind::EventLoop, |task| task.declaration().lane)
    }
}
