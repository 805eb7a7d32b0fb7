//! The machine: lists and maps, one rule a line.

use std::collections::BTreeMap;

use siding_tasks::{Enqueued, Message, Quota, State, TaskId, Timestamp};

use super::quota;
use crate::support::LEASE;

/// Few, so that random sequences get there.
pub(crate) const MAX_LOSSES: u32 = 2;

#[derive(Clone, Debug)]
struct Live {
    message: Message,
    seq: u64,
    due: Timestamp,
    lease_until: Option<Timestamp>,
    /// The delivery that may settle it.
    holder: Option<u64>,
    deliveries: u32,
    losses: u32,
    failed_once: bool,
    revoked: bool,
}

#[derive(Clone, Debug)]
struct Done {
    state: State,
    message: Option<Message>,
}

#[derive(Clone, Debug, Default)]
struct Chord {
    size: usize,
    parts: BTreeMap<TaskId, (u32, String)>,
}

#[derive(Debug, Default)]
pub(crate) struct Machine {
    now: i64,
    last: u64,
    live: BTreeMap<TaskId, Live>,
    done: BTreeMap<TaskId, Done>,
    chords: BTreeMap<String, Chord>,
}

/// What a claim gives: ids, and how many times each was delivered.
pub(crate) type Claimed = (Vec<(TaskId, u32, u64)>, Option<Timestamp>);

impl Machine {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            now: now.as_millis(),
            ..Self::default()
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }

    pub(crate) fn pass(&mut self, by: std::time::Duration) {
        self.now = self.now().after(by).as_millis();
    }

    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    pub(crate) fn expect_chord(&mut self, group: &str, size: usize) {
        self.chords.entry(group.to_owned()).or_default().size = size;
    }

    pub(crate) fn enqueue(&mut self, message: Message) -> Enqueued {
        let id = message.id.clone();
        match self
            .done
            .get(&id)
            .map(|done| (done.state, done.message.is_some()))
        {
            Some((State::Success, _)) => return Enqueued::Duplicate(id),
            Some((State::Revoked, seen)) => {
                if !seen {
                    self.end(message, State::Revoked);
                }
                return Enqueued::Revoked;
            }
            _ => {}
        }
        if self.live.contains_key(&id) {
            return Enqueued::Duplicate(id);
        }
        if let Some(holder) = self.keyed(&message) {
            return Enqueued::Duplicate(holder);
        }
        self.done.remove(&id);
        let live = Live {
            due: message.eta.unwrap_or(self.now()),
            message,
            seq: self.next(),
            lease_until: None,
            holder: None,
            deliveries: 0,
            losses: 0,
            failed_once: false,
            revoked: false,
        };
        self.live.insert(id, live);
        Enqueued::Accepted
    }

    fn keyed(&self, message: &Message) -> Option<TaskId> {
        let key = message.unique_key.as_ref()?;
        let same = |live: &&Live| live.message.unique_key.as_ref() == Some(key);
        self.live
            .values()
            .find(same)
            .map(|live| live.message.id.clone())
    }

    pub(crate) fn claim(&mut self, limit: usize, mut quotas: Vec<Quota>) -> Claimed {
        self.reap();
        let now = self.now();
        let mut due = self
            .live
            .values()
            .filter(|live| live.lease_until.is_none() && live.due <= now)
            .collect::<Vec<_>>();
        due.sort_by_key(|live| (std::cmp::Reverse(live.message.priority), live.due, live.seq));
        let mut within = |task: &str| match quota(&mut quotas, task) {
            Some(quota) if quota.limit == 0 => false,
            Some(quota) => {
                quota.limit -= 1;
                true
            }
            None => true,
        };
        let ids = due
            .iter()
            .filter(|live| within(&live.message.task))
            .take(limit)
            .map(|live| live.message.id.clone())
            .collect::<Vec<_>>();
        let mut claimed = Vec::new();
        for id in ids {
            let holder = self.next();
            let live = self.live.get_mut(&id).unwrap();
            live.lease_until = Some(now.after(LEASE));
            live.holder = Some(holder);
            live.deliveries += 1;
            claimed.push((id, live.deliveries, holder));
        }
        let next_at = if claimed.len() == limit {
            Some(now)
        } else {
            self.next_at(quotas)
        };
        (claimed, next_at)
    }

    fn next_at(&self, mut quotas: Vec<Quota>) -> Option<Timestamp> {
        let mut wanted = |task: &str| quota(&mut quotas, task).is_none_or(|quota| quota.limit > 0);
        let moments = self.live.values().flat_map(|live| match live.lease_until {
            Some(until) => [Some(until), None],
            None => {
                let due = wanted(&live.message.task).then_some(live.due);
                [due, live.message.expires]
            }
        });
        moments.flatten().min()
    }

    fn reap(&mut self) {
        let now = self.now();
        let ids = self.live.keys().cloned().collect::<Vec<_>>();
        for id in &ids {
            let live = self.live.get_mut(id).unwrap();
            if live.lease_until.is_none_or(|until| until > now) {
                continue;
            }
            live.losses += 1;
            live.lease_until = None;
            if live.revoked {
                self.end_live(id, State::Revoked);
            } else if live.losses >= MAX_LOSSES {
                self.end_live(id, State::Failure);
            }
        }
        for id in &ids {
            let Some(live) = self.live.get(id) else {
                continue;
            };
            let expired = live.message.expires.is_some_and(|at| at <= now);
            if live.lease_until.is_none() && expired {
                self.end_live(id, State::Revoked);
            }
        }
    }

    fn end_live(&mut self, id: &TaskId, state: State) {
        let live = self.live.remove(id).unwrap();
        self.end(live.message, state);
    }

    /// Not with success.
    fn end(&mut self, message: Message, state: State) {
        let chord = message.embed.chord.clone();
        let group = message.group.clone();
        let kept = Done {
            state,
            message: Some(message.clone()),
        };
        self.done.insert(message.id, kept);
        let (Some(body), Some(group)) = (chord, group) else {
            return;
        };
        if self.chords.remove(&group).is_some() {
            let failed = Done {
                state: State::Failure,
                message: None,
            };
            self.done
                .entry(body.options.task_id.unwrap())
                .or_insert(failed);
        }
    }

    fn held(&self, id: &TaskId, holder: u64) -> bool {
        self.live
            .get(id)
            .is_some_and(|live| live.holder == Some(holder))
    }

    pub(crate) fn succeed(&mut self, id: &TaskId, holder: u64, result: &str) -> bool {
        if !self.held(id, holder) {
            return false;
        }
        let message = self.live.remove(id).unwrap().message;
        let done = Done {
            state: State::Success,
            message: None,
        };
        self.done.insert(id.clone(), done);
        self.count(&message, result);
        true
    }

    fn count(&mut self, message: &Message, result: &str) {
        let (Some(body), Some(group)) = (&message.embed.chord, &message.group) else {
            return;
        };
        let Some(chord) = self.chords.get_mut(group) else {
            return;
        };
        let part = (message.group_index.unwrap(), result.to_owned());
        chord.parts.insert(message.id.clone(), part);
        if chord.parts.len() < chord.size {
            return;
        }
        let mut parts = self
            .chords
            .remove(group)
            .unwrap()
            .parts
            .into_values()
            .collect::<Vec<_>>();
        parts.sort_unstable();
        let results = parts
            .into_iter()
            .map(|(_, result)| result)
            .collect::<Vec<_>>();
        let mut sent = Message::new(body.task.clone());
        sent.id = body.options.task_id.clone().unwrap();
        sent.parent_id = Some(message.id.clone());
        sent.root_id = Some(message.root_id.as_ref().unwrap_or(&message.id).clone());
        sent.args = vec![crate::support::json(&format!("[{}]", results.join(",")))];
        self.enqueue(sent);
    }

    pub(crate) fn fail(&mut self, id: &TaskId, holder: u64) -> bool {
        let held = self.held(id, holder);
        if held {
            self.end_live(id, State::Failure);
        }
        held
    }

    pub(crate) fn retry(&mut self, id: &TaskId, holder: u64, message: Message) -> bool {
        if !self.held(id, holder) {
            return false;
        }
        let now = self.now();
        let live = self.live.get_mut(id).unwrap();
        if live.revoked {
            self.end_live(id, State::Revoked);
            return true;
        }
        live.due = message.eta.unwrap_or(now);
        live.message = message;
        live.lease_until = None;
        live.holder = None;
        live.deliveries = 0;
        live.losses = 0;
        live.failed_once = true;
        true
    }

    pub(crate) fn release(&mut self, id: &TaskId, holder: u64) {
        if !self.held(id, holder) {
            return;
        }
        let live = self.live.get_mut(id).unwrap();
        live.lease_until = None;
        live.holder = None;
        if live.revoked {
            self.end_live(id, State::Revoked);
        }
    }

    /// Whether it is held, and whether it was revoked.
    pub(crate) fn renew(&mut self, id: &TaskId, holder: u64) -> Option<bool> {
        if !self.held(id, holder) {
            return None;
        }
        let until = self.now().after(LEASE);
        let live = self.live.get_mut(id).unwrap();
        if live.lease_until.is_none() {
            live.losses -= 1;
        }
        live.lease_until = Some(until);
        Some(live.revoked)
    }

    pub(crate) fn revoke(&mut self, id: &TaskId) {
        match self.live.get_mut(id) {
            Some(live) if live.lease_until.is_some() => live.revoked = true,
            Some(_) => self.end_live(id, State::Revoked),
            None => {
                let in_advance = Done {
                    state: State::Revoked,
                    message: None,
                };
                self.done.entry(id.clone()).or_insert(in_advance);
            }
        }
    }

    pub(crate) fn replay(&mut self, id: &TaskId) -> bool {
        let Some(Done {
            state,
            message: Some(message),
        }) = self.done.get(id)
        else {
            return false;
        };
        if *state == State::Success || self.keyed(message).is_some() {
            return false;
        }
        let mut message = message.clone();
        message.retries = 0;
        message.eta = None;
        message.expires = None;
        self.done.remove(id);
        self.enqueue(message) == Enqueued::Accepted
    }

    /// All that waits.
    pub(crate) fn purge(&mut self) -> usize {
        let waiting = self.live.values().filter(|live| live.lease_until.is_none());
        let ids = waiting
            .map(|live| live.message.id.clone())
            .collect::<Vec<_>>();
        for id in &ids {
            self.end_live(id, State::Revoked);
        }
        ids.len()
    }

    pub(crate) fn state(&self, id: &TaskId) -> Option<State> {
        if let Some(live) = self.live.get(id) {
            return Some(match (live.lease_until, live.failed_once) {
                (Some(_), _) => State::Started,
                (None, true) => State::Retry,
                (None, false) => State::Pending,
            });
        }
        self.done.get(id).map(|done| done.state)
    }

    pub(crate) fn ids(&self) -> Vec<TaskId> {
        self.live.keys().chain(self.done.keys()).cloned().collect()
    }

    pub(crate) fn message(&self, id: &TaskId) -> Option<Message> {
        self.live.get(id).map(|live| live.message.clone())
    }
}
