//! What is asked of the broker, by means of all its parts.

use std::collections::BTreeSet;
use std::sync::Arc;

use lapin::options::BasicGetOptions;

use super::control::Control;
use super::intake::Intake;
use super::lead::Leads;
use super::leased::Leased;
use super::link::Link;
use super::results::Rpc;
use super::revoked::Revoked;
use super::sender::Sender;
use super::session::Session;
use super::topology::{self, short};
use super::{Task, settle, value};
use crate::broker::{
    BrokerError, Enqueue, Enqueued, Lease, QueueCount, Renewal, Revocation, Settled, Settlement,
};
use crate::celery::{broadcast, unpack};
use crate::message::{Exception, Message, Meta, State, TaskId, Timestamp};
use crate::remote::Remote as _;

/// What clones share.
pub(super) struct Shared {
    pub(super) link: Arc<Link>,
    pub(super) intake: Arc<Intake>,
    pub(super) sender: Sender,
    pub(super) rpc: Option<Arc<Rpc>>,
    pub(super) revoked: Arc<Revoked>,
    pub(super) leads: Leads,
    pub(super) control: Arc<Control>,
    pub(super) tasks: [Task; 2],
}

impl Shared {
    pub(super) async fn enqueue_all(&self, request: Enqueue) -> Result<Vec<Enqueued>, BrokerError> {
        self.sender.check(&request)?;
        let session = self.link.session().await?;
        if let Some(rpc) = &self.rpc {
            rpc.read(&session).await?;
        }
        let mut answers = Vec::with_capacity(request.messages.len());
        let mut messages = Vec::with_capacity(request.messages.len());
        for mut message in request.messages {
            if message.reply_to.is_none() {
                message.reply_to = self.sender.results.reply_to();
            }
            if self.revoked.find(&message.id).is_some() {
                let meta = end_revoked(&message);
                self.sender.results.store(&message, &meta).await?;
                answers.push(Enqueued::Revoked);
            } else {
                messages.push(message);
                answers.push(Enqueued::Accepted);
            }
        }
        let request = Enqueue {
            messages,
            chords: request.chords,
        };
        self.sender.send(&session, request).await?;
        Ok(answers)
    }

    pub(super) async fn settle_one(
        &self,
        lease: Lease,
        settlement: Settlement,
    ) -> Result<Settled, BrokerError> {
        let Some(leased) = self.intake.held.find(&lease) else {
            return Ok(Settled::Refused);
        };
        // What went elsewhere is settled there.
        if !leased.is_certain().await {
            return Ok(Settled::Refused);
        }
        let session = self.link.session().await?;
        let settled = settle::settle(&session, &self.sender, &leased, settlement).await?;
        self.intake.held.remove(&lease);
        Ok(settled)
    }

    pub(super) fn renew_one(&self, lease: &Lease) -> Renewal {
        if self.intake.held.find(lease).is_none() {
            return Renewal::Lost;
        }
        let revoked = self.revoked.find(&lease.id);
        revoked.map_or(Renewal::Held, Renewal::Revoked)
    }

    pub(super) async fn revoke_one(
        &self,
        id: TaskId,
        revocation: Revocation,
    ) -> Result<(), BrokerError> {
        let broadcast = broadcast::revocation(&id, revocation);
        self.revoked.add(id, revocation);
        self.intake.arrivals.tell();
        self.link.session().await?;
        self.control.broadcast(broadcast).await
    }

    fn own_queues(&self) -> BTreeSet<String> {
        let mut queues = self.intake.queues();
        queues.extend(self.link.settings().queues.iter().cloned());
        queues
    }

    pub(super) async fn count(&self) -> Result<Vec<QueueCount>, BrokerError> {
        let session = self.link.session().await?;
        let mut counts = Vec::new();
        for queue in self.own_queues() {
            if let Some(found) = topology::look(&session, &queue).await? {
                counts.push(QueueCount {
                    queue,
                    state: State::Pending,
                    tasks: u64::from(found.messages),
                });
            }
        }
        counts.retain(|count| count.tasks > 0);
        Ok(counts)
    }

    pub(super) async fn purge_all(
        &self,
        queue: Option<String>,
        limit: usize,
    ) -> Result<usize, BrokerError> {
        let session = self.link.session().await?;
        let queues = match queue {
            Some(queue) => BTreeSet::from([queue]),
            None => self.own_queues(),
        };
        let mut purged = 0;
        for queue in queues {
            if topology::look(&session, &queue).await?.is_some() {
                purged += self.purge_one(&session, &queue, limit - purged).await?;
            }
        }
        Ok(purged)
    }

    async fn purge_one(
        &self,
        session: &Session,
        queue: &str,
        limit: usize,
    ) -> Result<usize, BrokerError> {
        let channel = session.channel().await?;
        let mut purged = 0;
        while purged < limit {
            let got = channel.basic_get(short(queue)?, BasicGetOptions::default());
            let Some(got) = session.ask("give a message", got).await? else {
                break;
            };
            let delivery = got.delivery;
            let parcel = value::parcel(&delivery.properties, delivery.data);
            let message = unpack::unpack(&parcel, queue)
                .unwrap_or_else(|refusal| Message::new(refusal.task.unwrap_or_default()));
            let grip = session.grip(delivery.acker);
            let leased = Leased::new(message, grip, &self.link.settings().name);
            let settlement = Settlement::Revoked {
                reason: "revoked".to_owned(),
                successors: Enqueue::default(),
            };
            let _ = settle::settle(session, &self.sender, &leased, settlement).await?;
            purged += 1;
        }
        Ok(purged)
    }
}

/// The end of a message that was revoked before it was sent.
fn end_revoked(message: &Message) -> Meta {
    Meta {
        state: State::Revoked,
        exception: Some(Exception::revoked("revoked")),
        date_done: Some(Timestamp::now()),
        ..Meta::pending(message.id.clone(), message.task.clone())
    }
}
