//! The latest stalls, for people to see.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::placement::{Evidence, Verdict};

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
    list: Mutex<VecDeque<Noted>>,
    /// How often something was noted. Written under the lock; relaxed, because who sees a new one takes the lock.
    version: AtomicU64,
}

/// A stall, and the version of the log that has it as it is.
#[derive(Debug)]
struct Noted {
    stall: Stall,
    version: u64,
}

impl StallLog {
    /// Adds a stall, or brings it up to date.
    pub(super) fn note(&self, evidence: &Evidence, over: bool) {
        let mut list = self.lock();
        let noted = Noted {
            stall: Stall {
                evidence: evidence.clone(),
                over,
            },
            version: self.version.fetch_add(1, Ordering::Relaxed) + 1,
        };
        let known = list
            .iter_mut()
            .rev()
            .find(|old| old.stall.evidence.is_of_the_same_poll(evidence));
        match known {
            Some(old) => *old = noted,
            None => {
                if list.len() == KEPT {
                    make_room(&mut list);
                }
                list.push_back(noted);
            }
        }
    }

    /// The latest stalls, oldest first.
    pub(crate) fn recent(&self) -> Vec<Stall> {
        let list = self.lock();
        list.iter().map(|noted| noted.stall.clone()).collect()
    }

    /// Those that are new or have changed since `version` of the log, oldest first, and the version that has them. It takes no lock
    /// when there are none.
    pub(crate) fn since(&self, version: u64) -> (u64, Vec<Stall>) {
        if self.version.load(Ordering::Relaxed) == version {
            return (version, Vec::new());
        }
        let list = self.lock();
        let changed = list.iter().filter(|noted| noted.version > version);
        let changed = changed.map(|noted| noted.stall.clone()).collect();
        (self.version.load(Ordering::Relaxed), changed)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Noted>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives up the oldest stall that is nobody's fault, or else the oldest: a busy machine preempts so often that nothing else would be
/// seen for long.
fn make_room(list: &mut VecDeque<Noted>) {
    let blameless = |noted: &Noted| matches!(noted.stall.evidence.verdict, Verdict::Preempted);
    let place = list.iter().position(blameless).unwrap_or(0);
    list.remove(place);
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::context::RouteId;
    use crate::lane::LaneKind;
    use crate::placement::PendingStack;

    fn evidence() -> Evidence {
        of(Verdict::Computing)
    }

    fn of(verdict: Verdict) -> Evidence {
        Evidence {
            route: RouteId::CONNECTION,
            lane: LaneKind::EventLoop,
            at: SystemTime::now(),
            lasted: Duration::from_millis(10),
            verdict,
            stack: PendingStack::default(),
        }
    }

    #[test]
    fn what_changed_is_told_once() {
        let (log, first, second) = (StallLog::default(), evidence(), evidence());
        assert!(log.since(0).1.is_empty());
        log.note(&first, false);
        log.note(&second, false);
        let (version, both) = log.since(0);
        assert_eq!(both.len(), 2);
        assert!(log.since(version).1.is_empty());
        log.note(&first, true);
        let (_, changed) = log.since(version);
        assert_eq!(changed.len(), 1);
        assert!(changed[0].over && changed[0].evidence.is_of_the_same_poll(&first));
        assert_eq!(log.recent().len(), 2);
    }

    #[test]
    fn what_is_nobodys_fault_goes_first() {
        let (log, first, last) = (StallLog::default(), evidence(), evidence());
        log.note(&first, true);
        for _ in 0..KEPT {
            log.note(&of(Verdict::Preempted), true);
        }
        log.note(&last, true);
        let kept = log.recent();
        assert_eq!(kept.len(), KEPT);
        assert!(kept[0].evidence.is_of_the_same_poll(&first));
        assert!(kept[KEPT - 1].evidence.is_of_the_same_poll(&last));
        for _ in 0..KEPT {
            log.note(&evidence(), true);
        }
        let oldest = &log.recent()[0].evidence;
        assert!(
            !oldest.is_of_the_same_poll(&first) && matches!(oldest.verdict, Verdict::Computing)
        );
    }
}
