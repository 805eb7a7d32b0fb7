//! Which tasks were revoked by remote control.

use std::collections::{HashSet, VecDeque};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::message::{Message, RawJson, TaskId};

/// How many are remembered, and how long, as in Celery.
const REMEMBERED: (usize, Duration) = (50_000, Duration::from_secs(3 * 3_600));

/// Which tasks were revoked by remote control. It is forgotten with the worker, as in Celery.
#[derive(Debug, Default)]
pub(crate) struct Revoked(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    ids: Recent<TaskId>,
    /// A header that tasks are stamped with, and its value.
    stamps: Recent<(String, String)>,
}

impl Revoked {
    /// Nothing is left half done under the lock.
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers that a task was revoked.
    pub(crate) fn add(&self, id: TaskId) {
        self.memory().ids.add(id);
    }

    /// Remembers that all tasks with this stamp were revoked.
    pub(crate) fn add_stamp(&self, header: String, stamp: String) {
        self.memory().stamps.add((header, stamp));
    }

    /// Whether a task was revoked, by its id or by a stamp.
    pub(super) fn contains(&self, message: &Message) -> bool {
        let mut memory = self.memory();
        if memory.ids.contains(&message.id) {
            return true;
        }
        !memory.stamps.is_empty()
            && stamps(message)
                .iter()
                .any(|stamp| memory.stamps.contains(stamp))
    }

    /// The ids, the oldest first.
    pub(crate) fn ids(&self) -> Vec<TaskId> {
        self.memory().ids.all()
    }
}

/// The stamps of a task: a header, and one of its values as text.
pub(crate) fn stamps(message: &Message) -> Vec<(String, String)> {
    let read = |name: &str| message.headers.get(name);
    let names: Option<Vec<String>> =
        read("stamped_headers").and_then(|headers| headers.read().ok().flatten());
    let values: Option<std::collections::BTreeMap<String, RawJson>> =
        read("stamps").and_then(|stamps| stamps.read().ok().flatten());
    let (Some(names), Some(values)) = (names, values) else {
        return Vec::new();
    };
    let of_name = |name: String| {
        let values = values.get(&name).map(texts).unwrap_or_default();
        values.into_iter().map(move |value| (name.clone(), value))
    };
    names.into_iter().flat_map(of_name).collect()
}

/// A value, or each value of a list, as text.
pub(crate) fn texts(value: &RawJson) -> Vec<String> {
    let values = match value.read::<Vec<RawJson>>() {
        Ok(values) => values,
        Err(_) => vec![value.clone()],
    };
    let text = |value: RawJson| value.read().unwrap_or_else(|_| value.get().to_owned());
    values.into_iter().map(text).collect()
}

/// The last of something, each once.
#[derive(Debug)]
struct Recent<K> {
    known: HashSet<K>,
    /// When they came, the oldest first.
    order: VecDeque<(Instant, K)>,
}

impl<K> Default for Recent<K> {
    fn default() -> Self {
        Self {
            known: HashSet::new(),
            order: VecDeque::new(),
        }
    }
}

impl<K: Clone + Eq + Hash> Recent<K> {
    fn add(&mut self, key: K) {
        self.forget();
        if !self.known.insert(key.clone()) {
            return;
        }
        self.order.push_back((Instant::now(), key));
        if self.order.len() > REMEMBERED.0
            && let Some((_, oldest)) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    /// Forgets those that are too old.
    fn forget(&mut self) {
        while let Some((_, old)) = self
            .order
            .pop_front_if(|(at, _)| at.elapsed() > REMEMBERED.1)
        {
            self.known.remove(&old);
        }
    }

    fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    fn contains(&mut self, key: &K) -> bool {
        self.forget();
        self.known.contains(key)
    }

    fn all(&mut self) -> Vec<K> {
        self.forget();
        self.order.iter().map(|(_, key)| key.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_oldest_are_forgotten_when_there_are_too_many_and_all_in_time() {
        let mut recent = Recent::default();
        for number in 0..=REMEMBERED.0 {
            recent.add(number);
        }
        assert!(!recent.contains(&0));
        assert!(recent.contains(&1));
        assert_eq!(recent.all().len(), REMEMBERED.0);
        tokio::time::advance(REMEMBERED.1).await;
        recent.add(0);
        assert!(recent.contains(&2));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(recent.all(), [0]);
    }

    #[test]
    fn a_task_is_revoked_by_any_of_its_stamps() {
        let mut message = Message::new("stamped");
        for (name, value) in [
            ("stamped_headers", r#"["customer", "batch"]"#),
            (
                "stamps",
                r#"{"customer": [7, "x"], "batch": "b1", "other": "o"}"#,
            ),
        ] {
            let value = RawJson::parse(value.to_owned()).unwrap();
            message.headers.insert(name.to_owned(), value);
        }
        let revoked_by = |header: &str, stamp: &str| {
            let revoked = Revoked::default();
            revoked.add_stamp(header.to_owned(), stamp.to_owned());
            revoked.contains(&message)
        };
        assert!(revoked_by("customer", "7"));
        assert!(revoked_by("customer", "x"));
        assert!(revoked_by("batch", "b1"));
        assert!(!revoked_by("batch", "x"));
        assert!(!revoked_by("other", "o"));
    }
}
