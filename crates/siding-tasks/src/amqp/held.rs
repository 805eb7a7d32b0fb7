//! Messages that came and are not settled: those that wait to be claimed, and those that workers hold.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lapin::Acker;
use lapin::options::BasicNackOptions;
use tokio::time::Instant;

use super::leased::{Grip, Leased};
use crate::broker::{ClaimRequest, Delivery, Lease, Quota};
use crate::chance::chance;
use crate::message::{Message, TaskId};

/// A message of a task that a worker does not know is given back after about so long, for others: at once, it might come back
/// at once, again and again.
const STRANGER: Duration = Duration::from_secs(1);

/// A worker that has lost a lease hears of it within this time, and ends what it runs.
const HEED: Duration = Duration::from_secs(2);

/// Messages that came and are not settled.
#[derive(Debug, Default)]
pub(super) struct Held(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    last: u64,
    waiting: Vec<Waiting>,
    leased: HashMap<u64, Arc<Leased>>,
}

/// A message that waits to be claimed.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) message: Message,
    pub(super) grip: Grip,
    pub(super) deliveries: u32,
    since: Instant,
    /// When it is given back, if its task is for others.
    stranger_until: Instant,
}

impl Waiting {
    pub(super) fn new(message: Message, grip: Grip, deliveries: u32) -> Self {
        // The server goes round those who consume: of two that give something back in the same order again and again, each
        // would get its own each time.
        let patience = STRANGER.mul_f64(0.5 + chance());
        let now = Instant::now();
        Self {
            message,
            grip,
            deliveries,
            since: now,
            stranger_until: now + patience,
        }
    }

    /// Whether a worker here is about to hear that it has lost this message: until then it runs it.
    fn is_early(&self, lost: &HashSet<TaskId>) -> bool {
        lost.contains(&self.message.id) && self.since.elapsed() < HEED
    }
}

/// What a claim finds.
#[derive(Debug, Default)]
pub(super) struct Picked {
    pub(super) deliveries: Vec<Delivery>,
    /// Messages of tasks that the worker does not know, to give back.
    pub(super) strangers: Vec<Acker>,
    /// How many wait that were not wanted now.
    pub(super) unwanted: usize,
    /// When the next of them is to be given back.
    pub(super) next_stranger: Option<Instant>,
}

impl Held {
    /// Nothing is left half done under the lock.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, waiting: Waiting) {
        self.inner().waiting.push(waiting);
    }

    /// How many workers hold.
    pub(super) fn leased(&self) -> usize {
        let mut inner = self.inner();
        // Who holds one that is lost learns it by its lease.
        inner.waiting.retain(|one| one.grip.holds());
        inner.leased.values().filter(|one| one.is_held()).count()
    }

    /// Whether it is in doubt of anything that workers hold.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.inner().leased.values().any(|one| one.is_in_doubt())
    }

    /// A message has come again. If a worker here holds it, and that was in doubt, the worker goes on with it.
    pub(super) fn regain(&self, message: &Message, grip: &Grip) -> bool {
        let inner = self.inner();
        let same = |one: &&Arc<Leased>| {
            let held = &one.message;
            held.id == message.id && held.retries == message.retries && held.queue == message.queue
        };
        let mut held = inner.leased.values().filter(same);
        let found = held.find(|one| one.is_in_doubt());
        if let Some(one) = found {
            one.regain(grip.clone());
        }
        found.is_some()
    }

    pub(super) fn has_waiting(&self) -> bool {
        !self.inner().waiting.is_empty()
    }

    /// What of that which waits is for this worker now: the most urgent first, then the oldest.
    pub(super) fn pick(&self, request: &ClaimRequest) -> Picked {
        let mut inner = self.inner();
        // A stable sort: among equals, the oldest stays first.
        inner
            .waiting
            .sort_by_key(|one| std::cmp::Reverse(one.message.priority));
        let mut picked = Picked::default();
        let mut wants = Wants::new(request);
        let lost = inner.lost();
        for one in std::mem::take(&mut inner.waiting) {
            let verdict = match one.is_early(&lost) {
                true => Verdict::Leave,
                false => wants.verdict(&one),
            };
            match verdict {
                Verdict::Take => picked.deliveries.push(inner.lease(one, request)),
                Verdict::Leave => {
                    picked.unwanted += 1;
                    inner.waiting.push(one);
                }
                Verdict::GiveBackLater => {
                    picked.unwanted += 1;
                    let until = one.stranger_until;
                    let next = picked.next_stranger.get_or_insert(until);
                    *next = until.min(*next);
                    inner.waiting.push(one);
                }
                Verdict::GiveBack => picked.strangers.push(one.grip.into_acker()),
            }
        }
        picked
    }

    /// Those that wait, no longer.
    pub(super) fn drain_waiting(&self) -> Vec<Acker> {
        let waiting = std::mem::take(&mut self.inner().waiting);
        waiting
            .into_iter()
            .map(|one| one.grip.into_acker())
            .collect()
    }

    /// Those that wait and came from none of these queues, no longer.
    pub(super) fn drain_others(&self, queues: &std::collections::BTreeSet<String>) -> Vec<Acker> {
        let mut inner = self.inner();
        let (keep, others) = std::mem::take(&mut inner.waiting)
            .into_iter()
            .partition(|one| queues.contains(&one.message.queue));
        inner.waiting = keep;
        let others: Vec<Waiting> = others;
        others
            .into_iter()
            .map(|one| one.grip.into_acker())
            .collect()
    }

    /// The message of a lease that is not over.
    pub(super) fn find(&self, lease: &Lease) -> Option<Arc<Leased>> {
        let mut inner = self.inner();
        let found = inner.leased.get(&lease.token)?;
        if found.is_held() {
            return Some(Arc::clone(found));
        }
        inner.leased.remove(&lease.token);
        None
    }

    /// A lease is over.
    pub(super) fn remove(&self, lease: &Lease) -> Option<Arc<Leased>> {
        self.inner().leased.remove(&lease.token)
    }
}

impl Inner {
    fn lease(&mut self, waiting: Waiting, request: &ClaimRequest) -> Delivery {
        self.last += 1;
        let lease = Lease {
            id: waiting.message.id.clone(),
            token: self.last,
            period: request.lease,
        };
        let leased = Leased::new(waiting.message.clone(), waiting.grip, &request.worker);
        self.leased.insert(self.last, Arc::new(leased));
        Delivery {
            lease,
            message: waiting.message,
            deliveries: waiting.deliveries,
        }
    }

    /// The messages whose leases are lost, of which the workers have not heard yet.
    fn lost(&self) -> HashSet<TaskId> {
        let lost = self.leased.values().filter(|one| !one.is_held());
        lost.map(|one| one.message.id.clone()).collect()
    }
}

enum Verdict {
    Take,
    Leave,
    GiveBackLater,
    GiveBack,
}

/// What a worker still wants.
struct Wants<'a> {
    request: &'a ClaimRequest,
    queues: HashSet<&'a str>,
    known: Option<HashSet<&'a str>>,
    limit: usize,
    quotas: Vec<(&'a Quota, usize)>,
}

impl<'a> Wants<'a> {
    fn new(request: &'a ClaimRequest) -> Self {
        let known = request.known.as_ref();
        Self {
            request,
            queues: request.queues.iter().map(String::as_str).collect(),
            known: known.map(|names| names.iter().map(String::as_str).collect()),
            limit: request.limit,
            quotas: request
                .quotas
                .iter()
                .map(|quota| (quota, quota.limit))
                .collect(),
        }
    }

    fn verdict(&mut self, one: &Waiting) -> Verdict {
        if !self.queues.contains(one.message.queue.as_str()) {
            return Verdict::Leave;
        }
        let task = &one.message.task;
        if let Some(known) = &self.known
            && !known.contains(task.as_str())
        {
            return if Instant::now() < one.stranger_until {
                Verdict::GiveBackLater
            } else {
                tracing::debug!(task, worker = self.request.worker, "a task for others");
                Verdict::GiveBack
            };
        }
        if self.limit == 0 {
            return Verdict::Leave;
        }
        let mut quotas = self.quotas.iter_mut();
        if let Some((_, left)) = quotas.find(|(quota, _)| quota.tasks.contains(task)) {
            if *left == 0 {
                return Verdict::Leave;
            }
            *left -= 1;
        }
        self.limit -= 1;
        Verdict::Take
    }
}

/// Gives messages back to their queues. Those whose channel is gone are there already.
pub(super) async fn give_back(ackers: Vec<Acker>) {
    for acker in ackers {
        let options = BasicNackOptions {
            multiple: false,
            requeue: true,
        };
        if let Err(error) = acker.nack(options).await {
            tracing::debug!(%error, "a message went back to its queue with its channel");
        }
    }
}
