//! What comes in: consumed from the queues that workers claim from, looked at, and kept until it is claimed.
//!
//! Nothing is consumed before the first claim. As many unsettled messages are asked for as workers hold and have room for.
//! What came and is not claimed for a while goes back to its queue, for others: the worker is busy, or gone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lapin::options::BasicAckOptions;
use tokio::time::Instant;

use super::arrivals::{Arrivals, Arrived, Taken};
use super::consumers::Consumers;
use super::held::{Held, Waiting, give_back};
use super::inboxes::Inboxes;
use super::leased::Leased;
use super::revoked::Revoked;
use super::sender::{self, Sender};
use super::session::Session;
use super::tidy::GONE;
use super::{dead, delay, error, settle, value};
use crate::broker::{BrokerError, Claim, ClaimRequest, Enqueue, Settlement};
use crate::canvas;
use crate::celery::parcel::Parcel;
use crate::celery::unpack;
use crate::message::{Message, Timestamp};

/// So many more messages are asked for at most, when those that came are not wanted now.
const BEHIND: usize = 256;

/// What comes in.
#[derive(Debug)]
pub(super) struct Intake {
    pub(super) arrivals: Arc<Arrivals>,
    pub(super) held: Held,
    pub(super) revoked: Arc<Revoked>,
    sender: Sender,
    inboxes: Arc<Inboxes>,
    /// Held while deliveries are looked at, and consumers change.
    pub(super) consumers: tokio::sync::Mutex<Consumers>,
    wants: Mutex<BTreeMap<String, Want>>,
    /// How many messages the latest claim left though it had room.
    unwanted: AtomicUsize,
}

/// What a worker wanted when it claimed last.
#[derive(Debug)]
pub(super) struct Want {
    queues: Vec<String>,
    limit: usize,
    pub(super) at: Instant,
}

/// A message that came long before its eta.
type Far<'a> = (Taken<'a>, Message, Parcel);

impl Intake {
    pub(super) fn new(sender: Sender, revoked: Arc<Revoked>) -> Self {
        let inboxes = Arc::<Inboxes>::default();
        let consumers = Consumers::new(Arc::clone(&inboxes));
        Self {
            arrivals: Arc::new(Arrivals::new()),
            held: Held::default(),
            revoked,
            sender,
            inboxes,
            consumers: tokio::sync::Mutex::new(consumers),
            wants: Mutex::default(),
            unwanted: AtomicUsize::new(0),
        }
    }

    /// Nothing is left half done under the lock.
    pub(super) fn wants(&self) -> MutexGuard<'_, BTreeMap<String, Want>> {
        self.wants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The queues that somebody serves.
    pub(super) fn queues(&self) -> BTreeSet<String> {
        let wants = self.wants();
        let queues = wants.values().flat_map(|want| &want.queues);
        queues.cloned().collect()
    }

    /// Messages for a worker: of those that have come.
    pub(super) async fn claim(
        &self,
        session: &Session,
        request: &ClaimRequest,
    ) -> Result<Claim, BrokerError> {
        let request = &ClaimRequest {
            queues: self.inboxes.served(session, request),
            ..request.clone()
        };
        self.want(request);
        let prefetch = self.prefetch();
        {
            let queues = self.queues();
            let mut consumers = self.consumers.lock().await;
            consumers
                .consume(session, &queues, prefetch, &self.arrivals)
                .await?;
            give_back(self.held.drain_others(&queues)).await;
            self.look(session, &request.worker).await?;
        }
        let picked = self.held.pick(request);
        let full = picked.deliveries.len() >= request.limit;
        // Nobody else decides by it.
        let unwanted = if full { 0 } else { picked.unwanted };
        self.unwanted.store(unwanted, Ordering::Relaxed);
        if let Some(want) = self.wants().get_mut(&request.worker) {
            want.limit = want.limit.saturating_sub(picked.deliveries.len());
        }
        if !picked.strangers.is_empty() {
            super::spawn(give_back(picked.strangers)).detach();
        }
        let now = Timestamp::now();
        let later = |at: Instant| now.after(at.saturating_duration_since(Instant::now()));
        Ok(Claim {
            deliveries: picked.deliveries,
            next_at: match full {
                true => Some(now),
                false => picked.next_stranger.map(later),
            },
        })
    }

    /// Notes what a worker wants.
    fn want(&self, request: &ClaimRequest) {
        let mut wants = self.wants();
        wants.retain(|_, want| want.at.elapsed() < GONE);
        let want = Want {
            queues: request.queues.clone(),
            limit: request.limit,
            at: Instant::now(),
        };
        wants.insert(request.worker.clone(), want);
    }

    /// How many unsettled messages suit all workers.
    pub(super) fn prefetch(&self) -> u16 {
        let room: usize = self.wants().values().map(|want| want.limit).sum();
        let behind = self.unwanted.load(Ordering::Relaxed).min(BEHIND);
        let prefetch = room + self.held.leased() + behind;
        u16::try_from(prefetch.max(1)).unwrap_or(u16::MAX)
    }

    /// Looks at all that came.
    pub(super) async fn look(&self, session: &Session, worker: &str) -> Result<(), BrokerError> {
        let now = Timestamp::now();
        let mut far: Vec<Far<'_>> = Vec::new();
        while let Some(taken) = self.arrivals.take() {
            let Some(arrived) = taken.get() else { continue };
            let delivery = &arrived.delivery;
            let parcel = value::parcel(&delivery.properties, delivery.data.clone());
            match unpack::unpack(&parcel, &arrived.queue) {
                Err(refusal) => {
                    let buried = dead::bury(session, &*self.sender.results, arrived, &refusal);
                    if let Err(error) = buried.await {
                        if !session.is_connected() {
                            return Err(error);
                        }
                        // Others behind it are not held up. It comes again with the next connection.
                        tracing::error!(%error, "a message that cannot be understood cannot be moved away; it is held");
                    }
                    taken.keep();
                }
                Ok(message) if self.regained(session, arrived, &message) => drop(taken.keep()),
                Ok(message) => match self.ended(&message, now) {
                    Some(reason) => {
                        let grip = session.grip(delivery.acker.clone());
                        let leased = Leased::new(message, grip, worker);
                        self.revoke(session, &leased, reason).await?;
                        taken.keep();
                    }
                    None if is_far(session, &message, now) => far.push((taken, message, parcel)),
                    None => self.keep(session, taken, message),
                },
            }
        }
        self.park(session, far, now).await
    }

    /// Whether a message has come back to whoever works on it here; see [`leased`](super::leased).
    fn regained(&self, session: &Session, arrived: &Arrived, message: &Message) -> bool {
        let delivery = &arrived.delivery;
        let grip = session.grip(delivery.acker.clone());
        let regained = delivery.redelivered && self.held.regain(message, &grip);
        if regained {
            let (task, id) = (&message.task, &message.id);
            tracing::info!(task, %id, "the message has come back to this worker, which goes on with its task");
        }
        regained
    }

    /// Why a message is not to run.
    fn ended(&self, message: &Message, now: Timestamp) -> Option<&'static str> {
        let expired = message.expires.is_some_and(|expires| expires <= now);
        match self.revoked.find(&message.id) {
            Some(_) => Some("revoked"),
            None => expired.then_some("expired"),
        }
    }

    async fn revoke(
        &self,
        session: &Session,
        leased: &Leased,
        reason: &str,
    ) -> Result<(), BrokerError> {
        let message = &leased.message;
        tracing::info!(task = message.task, id = %message.id, reason, "task revoked");
        let errbacks = canvas::after_failure(message, Timestamp::now());
        let settlement = Settlement::Revoked {
            reason: reason.to_owned(),
            successors: errbacks.unwrap_or_else(|error| {
                tracing::error!(task = message.task, id = %message.id, %error, "errbacks are left out");
                Enqueue::default()
            }),
        };
        let _ = settle::settle(session, &self.sender, leased, settlement).await?;
        Ok(())
    }

    /// Keeps a message until it is claimed.
    fn keep(&self, session: &Session, taken: Taken<'_>, message: Message) {
        if let Some(arrived) = taken.keep() {
            let delivery = arrived.delivery;
            let deliveries = value::deliveries(&delivery.properties, delivery.redelivered);
            let waiting = Waiting::new(message, session.grip(delivery.acker), deliveries);
            self.held.add(waiting);
        }
    }

    /// Parks messages in the server, where that can be done.
    async fn park(
        &self,
        session: &Session,
        far: Vec<Far<'_>>,
        now: Timestamp,
    ) -> Result<(), BrokerError> {
        let mut parked = Vec::with_capacity(far.len());
        let mut outgoing = Vec::with_capacity(far.len());
        for (taken, message, parcel) in far {
            if delay::can_park(session, &message.queue).await {
                outgoing.push(delay::outgoing(session, &message, parcel, now).await);
                parked.push(taken);
            } else {
                self.keep(session, taken, message);
            }
        }
        sender::publish(session, outgoing).await?;
        for taken in parked {
            if let Some(arrived) = taken.keep() {
                let acked = arrived.delivery.acker.ack(BasicAckOptions::default()).await;
                acked.map_err(|error| error::failed("take back a message", &error))?;
            }
        }
        Ok(())
    }
}

fn is_far(session: &Session, message: &Message, now: Timestamp) -> bool {
    message
        .eta
        .is_some_and(|eta| delay::is_far(session, eta, now))
}
