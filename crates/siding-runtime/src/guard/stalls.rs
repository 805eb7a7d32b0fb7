//! The latest stalls, for people to see.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::placement::Evidence;

/// So many stalls are kept.
const KEPT: usize = 256;

/// One stall of the event loop.
#[derive(Clone, Debug)]
pub struct Stall {
    /// What was seen of it; up to date while it lasts.
    pub evidence: Evidence,
    /// Whether it is over.
    pub over: bool,
}

/// The latest stalls of one runtime, oldest first.
#[derive(Debug, Default)]
pub(crate) struct StallLog {
    list: Mutex<VecDeque<Stall>>,
}

impl StallLog {
    /// Adds a stall, or brings it up to date.
    pub(super) fn note(&self, evidence: &Evidence, over: bool) {
        let mut list = self.lock();
        let stall = Stall {
            evidence: evidence.clone(),
            over,
        };
        let known = list
            .iter_mut()
            .rev()
            .find(|old| old.evidence.is_of_the_same_poll(evidence));
        match known {
            Some(old) => *old = stall,
            None => {
                if list.len() == KEPT {
                    list.pop_front();
                }
                list.push_back(stall);
            }
        }
    }

    /// The latest stalls, oldest first.
    pub(crate) fn recent(&self) -> Vec<Stall> {
        self.lock().iter().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Stall>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
