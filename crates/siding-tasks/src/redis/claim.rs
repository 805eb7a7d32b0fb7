//! Claiming messages.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use serde_json::json;

use super::held::{self, Held};
use super::{Shared, scripts};
use crate::broker::{BrokerError, Claim, ClaimRequest, Delivery, Lease, Revocation, Settlement};
use crate::celery::envelope;
use crate::celery::parcel::Refusal;
use crate::celery::unpack;
use crate::message::{Exception, Message, TaskId, Timestamp};

/// How many messages of a list that a worker has no room for are passed over, to find one that it has.
const DEPTH: usize = 64;

/// What a script says of a claim: the place of its list, its text, its tag, its fence, and how it was revoked.
type Claimed = (usize, String, String, String, String);

/// The claims, what could not be decoded by its queue, and the mark of what is left.
type Answer = (Vec<Claimed>, Vec<(String, String)>, String);

impl Shared {
    pub(super) async fn claim(
        self: &Arc<Self>,
        request: ClaimRequest,
    ) -> Result<Claim, BrokerError> {
        let lists = self.keys.lists(&self.served(&request).await?);
        let mut call = scripts::CLAIM.prepare_invoke();
        call.key(self.keys.unacked())
            .key(self.keys.unacked_index())
            .key(self.keys.leases())
            .key(self.keys.undecodable())
            .key(self.keys.revoked());
        for (list, _) in &lists {
            call.key(list);
        }
        let queues: Vec<_> = lists.iter().map(|(_, queue)| queue).collect();
        call.arg(request.limit)
            .arg(held::seconds())
            .arg(held::fence())
            .arg(held::moment(request.lease))
            .arg(DEPTH)
            .arg(json!(queues).to_string())
            .arg(wanted(&request));
        let (claims, bad, left): Answer = self.link.run(&call).await?;
        self.note(lists.iter().map(|(list, _)| list.clone()).collect(), left);
        for (queue, text) in bad {
            tracing::error!(
                queue,
                bytes = text.len(),
                "a text that is no message was put aside"
            );
        }
        let worker: Arc<str> = request.worker.as_str().into();
        let mut claim = Claim::default();
        let full = claims.len() >= request.limit;
        for claimed in claims {
            let from = &lists[claimed.0 - 1];
            match self.take(claimed, from, &worker, request.lease).await {
                Ok(delivery) => claim.deliveries.extend(delivery),
                // Its lease runs out; those that were claimed with it are not to wait for that.
                Err(error) => tracing::warn!(%error, "a message that is not to run was not ended"),
            }
        }
        // Those that were not delivered have left room.
        claim.next_at = full.then(Timestamp::now);
        Ok(claim)
    }

    fn note(&self, lists: Vec<String>, left: String) {
        *self.looked.lock().unwrap_or_else(PoisonError::into_inner) = (lists, left);
    }

    /// Resolves when there are other messages than the last claim left.
    pub(super) fn changed(&self) -> impl Future<Output = ()> + Send + '_ {
        let asked_at = tokio::time::Instant::now();
        async move {
            let (lists, left) = self
                .looked
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            if lists.is_empty() {
                return tokio::time::sleep(Duration::from_secs(1)).await;
            }
            self.ears.changed(lists, left).await;
            // Beside other workers lists change all the time; what this one has no room for is not asked for as often.
            tokio::time::sleep_until(asked_at + Duration::from_millis(2)).await;
        }
    }

    /// A claimed text as a delivery, unless it is none that is to run.
    async fn take(
        &self,
        (_, raw, tag, fence, revocation): Claimed,
        (list, queue): &(String, String),
        worker: &Arc<str>,
        period: Duration,
    ) -> Result<Option<Delivery>, BrokerError> {
        let opened = envelope::open(&raw)
            .and_then(|(parcel, address)| Ok((unpack::unpack(&parcel, queue)?, address)));
        let (message, redelivered, refusal) = match opened {
            Ok((message, address)) => (message, address.redelivered, None),
            Err(refusal) => (stand_in(&refusal, queue), false, Some(refusal)),
        };
        let deliveries = losses(&message).map_or(1 + u32::from(redelivered), |losses| losses + 1);
        let held = Held {
            tag,
            fence,
            list: list.clone(),
            raw: raw.into(),
            message: Arc::new(message),
            worker: Arc::clone(worker),
        };
        let message = Arc::clone(&held.message);
        let lease = Lease {
            id: message.id.clone(),
            token: self.holding.keep(held),
            period,
        };
        let end = match (refusal, Revocation::parse(&revocation)) {
            (Some(refusal), _) => Some(refused(&refusal)),
            (None, Some(_)) => Some(revoked("revoked")),
            (None, None) => message
                .expires
                .is_some_and(|expires| expires <= Timestamp::now())
                .then(|| revoked("expired")),
        };
        if let Some(end) = end {
            let _ = self.settle(&lease, end).await?;
            return Ok(None);
        }
        Ok(Some(Delivery {
            lease,
            message: Message::clone(&message),
            deliveries,
        }))
    }
}

/// As in Celery, errbacks do not hear of it.
fn revoked(reason: &str) -> Settlement {
    Settlement::Revoked {
        reason: reason.to_owned(),
        successors: crate::broker::Enqueue::default(),
    }
}

/// What the script is told of quotas and known tasks; nothing when any message will do.
fn wanted(request: &ClaimRequest) -> String {
    if request.quotas.is_empty() && request.known.is_none() {
        return String::new();
    }
    let mut tasks = HashMap::new();
    for name in request.known.iter().flatten() {
        tasks.insert(name.as_str(), 0);
    }
    for (number, quota) in (1..).zip(&request.quotas) {
        tasks.extend(quota.tasks.iter().map(|name| (name.as_str(), number)));
    }
    let left: Vec<_> = request.quotas.iter().map(|quota| quota.limit).collect();
    json!({"tasks": tasks, "left": left, "only": request.known.is_some()}).to_string()
}

/// How many workers were lost with it, if any were: what [`restore`](super::restore) counts.
pub(super) fn losses(message: &Message) -> Option<u32> {
    message.headers.get(super::restore::LOSSES)?.read().ok()
}

/// A message for what is known of one that cannot be read, so that its end can be stored.
fn stand_in(refusal: &Refusal, queue: &str) -> Message {
    let mut message = Message::new(refusal.task.clone().unwrap_or_else(|| "unknown".to_owned()));
    message.id = refusal.id.clone().unwrap_or_else(TaskId::new);
    message.queue = queue.to_owned();
    message
}

fn refused(refusal: &Refusal) -> Settlement {
    let (id, task) = (
        refusal.id.as_ref().map(TaskId::as_str),
        refusal.task.as_deref(),
    );
    tracing::error!(id, task, error = %refusal, "a message cannot be read; it is kept as a dead letter");
    Settlement::Failure {
        exception: Exception {
            exc_type: "DecodeError".to_owned(),
            exc_module: "kombu.exceptions".to_owned(),
            message: refusal.why.clone(),
        },
        traceback: None,
        children: Vec::new(),
        successors: crate::broker::Enqueue::default(),
    }
}
