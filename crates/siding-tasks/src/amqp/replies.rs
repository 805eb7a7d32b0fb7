//! Results that came, and who waits for them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::message::{Meta, TaskId};

/// So many results are kept; the oldest go first.
const KEPT: usize = 10_000;

/// Results that came, and who waits for them.
#[derive(Debug, Default)]
pub(super) struct Replies(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    latest: HashMap<TaskId, Meta>,
    order: VecDeque<TaskId>,
    waiting: HashMap<TaskId, watch::Sender<Option<Meta>>>,
}

impl Replies {
    /// Nothing is left half done under the lock.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A result came. One that is ready already stays: its task ran twice.
    pub(super) fn add(&self, meta: Meta) {
        let mut inner = self.inner();
        let inner = &mut *inner;
        let id = meta.id.clone();
        if meta.state.is_ready()
            && let Some(waiting) = inner.waiting.remove(&id)
        {
            waiting.send_replace(Some(meta.clone()));
        }
        match inner.latest.get_mut(&id) {
            Some(before) if before.state.is_ready() => {}
            Some(before) => *before = meta,
            None => {
                inner.order.push_back(id.clone());
                inner.latest.insert(id, meta);
            }
        }
        if inner.order.len() > KEPT
            && let Some(oldest) = inner.order.pop_front()
        {
            inner.latest.remove(&oldest);
        }
    }

    /// The latest that came of a task.
    pub(super) fn find(&self, id: &TaskId) -> Option<Meta> {
        self.inner().latest.get(id).cloned()
    }

    /// Resolves when a task is ready.
    pub(super) async fn finished(&self, id: &TaskId) -> Meta {
        let mut waiting = {
            let mut inner = self.inner();
            if let Some(meta) = inner.latest.get(id).filter(|meta| meta.state.is_ready()) {
                return meta.clone();
            }
            let told = inner.waiting.entry(id.clone()).or_default().subscribe();
            Waiting {
                replies: self,
                id,
                told: Some(told),
            }
        };
        let Some(told) = waiting.told.as_mut() else {
            return std::future::pending().await;
        };
        let told = told.wait_for(Option::is_some).await;
        match told.ok().and_then(|told| told.clone()) {
            Some(meta) => meta,
            // The sender goes only after it was used.
            None => std::future::pending().await,
        }
    }
}

/// One who waits for a task.
struct Waiting<'a> {
    replies: &'a Replies,
    id: &'a TaskId,
    /// Only `drop` takes it.
    told: Option<watch::Receiver<Option<Meta>>>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.told = None;
        let mut inner = self.replies.inner();
        if inner
            .waiting
            .get(self.id)
            .is_some_and(watch::Sender::is_closed)
        {
            inner.waiting.remove(self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::State;

    fn meta(id: &str, state: State) -> Meta {
        Meta {
            state,
            ..Meta::pending(TaskId::from(id), "add".to_owned())
        }
    }

    #[tokio::test]
    async fn whoever_waits_hears_of_the_end_only() {
        let replies = Replies::default();
        let id = TaskId::from("a");
        let finished = replies.finished(&id);
        tokio::pin!(finished);
        replies.add(meta("a", State::Started));
        tokio::select! {
            biased;
            _ = &mut finished => panic!("it has only started"),
            () = std::future::ready(()) => {}
        }
        replies.add(meta("b", State::Success));
        replies.add(meta("a", State::Success));
        replies.add(meta("a", State::Failure));
        assert_eq!(finished.await.state, State::Success);
        drop(
            tokio::time::timeout(
                std::time::Duration::ZERO,
                replies.finished(&TaskId::from("c")),
            )
            .await,
        );
        assert_eq!(replies.inner().waiting.len(), 0);
    }

    #[test]
    fn the_oldest_results_are_forgotten() {
        let replies = Replies::default();
        for number in 0..=KEPT {
            replies.add(meta(&number.to_string(), State::Success));
        }
        assert_eq!(replies.find(&TaskId::from("0")), None);
        assert!(replies.find(&TaskId::from("1")).is_some());
    }
}
