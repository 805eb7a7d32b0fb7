//! Which tasks are revoked, as far as this process remembers.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::broker::Revocation;
use crate::message::TaskId;

/// As many as a worker of Celery remembers.
const REMEMBERED: usize = 50_000;

/// The latest tasks that were revoked.
#[derive(Debug, Default)]
pub(super) struct Revoked(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    how: HashMap<TaskId, Revocation>,
    order: VecDeque<TaskId>,
}

impl Revoked {
    /// Nothing is left half done under the lock.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers it, and forgets the oldest if there are too many.
    pub(super) fn add(&self, id: TaskId, how: Revocation) {
        let mut inner = self.inner();
        if inner.how.insert(id.clone(), how).is_none() {
            inner.order.push_back(id);
        }
        if inner.order.len() > REMEMBERED
            && let Some(oldest) = inner.order.pop_front()
        {
            inner.how.remove(&oldest);
        }
    }

    /// How it was revoked, if it was.
    pub(super) fn find(&self, id: &TaskId) -> Option<Revocation> {
        self.inner().how.get(id).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_forgotten() {
        let revoked = Revoked::default();
        for number in 0..=REMEMBERED {
            revoked.add(TaskId::from(number.to_string()), Revocation::Terminate);
        }
        assert_eq!(revoked.find(&TaskId::from("0")), None);
        assert_eq!(
            revoked.find(&TaskId::from("1")),
            Some(Revocation::Terminate)
        );
    }
}
