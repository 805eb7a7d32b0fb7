//! How many tasks run at once: on each lane, and in all.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use siding_runtime::{Config, LaneKind};
use tokio::sync::Notify;

use crate::broker::Quota;
use crate::tasks::Tasks;

/// How many tasks run at once on the event loop unless the settings say.
const EVENT_LOOP: usize = 256;

/// Every lane, in the order of its slots.
const LANES: [LaneKind; 4] = [
    LaneKind::EventLoop,
    LaneKind::Threads,
    LaneKind::Compute,
    LaneKind::Processes,
];

/// How many tasks run at once: on each lane, and in all. Clones share them.
#[derive(Clone)]
pub(super) struct Slots(Arc<Shared>);

struct Shared {
    lanes: [usize; 4],
    total: Option<usize>,
    used: Mutex<[usize; 4]>,
    /// Told when a slot was given back; the one who claims listens.
    freed: Notify,
}

/// A task's place on its lane.
#[derive(Debug)]
pub(super) struct Slot {
    slots: Slots,
    lane: LaneKind,
}

/// What may be claimed now.
#[derive(Debug)]
pub(super) struct Room {
    /// So many messages.
    pub(super) limit: usize,
    /// So many of them on each lane.
    lanes: [usize; 4],
    /// The tasks of lanes that have less room than `limit`.
    pub(super) quotas: Vec<Quota>,
}

impl Slots {
    pub(super) fn new(config: &Config, total: Option<usize>) -> Self {
        let lanes = LANES.map(|lane| match lane {
            LaneKind::EventLoop => total.unwrap_or(EVENT_LOOP),
            LaneKind::Threads => config.threads.threads_max,
            LaneKind::Compute => config.compute.threads,
            LaneKind::Processes => config.processes.children,
        });
        Self(Arc::new(Shared {
            // A lane without threads, or children, says so to each task.
            lanes: lanes.map(|slots| slots.max(1)),
            total,
            used: Mutex::default(),
            freed: Notify::new(),
        }))
    }

    /// Numbers are whole whatever happens.
    fn used(&self) -> MutexGuard<'_, [usize; 4]> {
        self.0.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a slot; one more than there is, too, if the broker gave more than was asked for.
    pub(super) fn take(&self, lane: LaneKind) -> Slot {
        self.used()[lane as usize] += 1;
        Slot {
            slots: self.clone(),
            lane,
        }
    }

    /// What may be claimed, once that is anything.
    pub(super) async fn room(&self, tasks: &Tasks) -> Room {
        loop {
            let room = self.room_now(tasks);
            if room.limit > 0 {
                return room;
            }
            self.0.freed.notified().await;
        }
    }

    fn room_now(&self, tasks: &Tasks) -> Room {
        let mut names: [Vec<String>; 4] = Default::default();
        for task in tasks.definitions() {
            names[task.declaration().lane as usize].push(task.name().to_owned());
        }
        let used = *self.used();
        let lanes = self.0.lanes;
        let declared = LANES.map(|lane| !names[lane as usize].is_empty());
        // Messages of tasks that nobody has registered are told so on the event loop.
        let none = declared == [false; 4];
        let slots = (0..4).filter(|lane| declared[*lane] || (none && *lane == 0));
        let slots = slots.map(|lane| lanes[lane]).sum::<usize>();
        let total = self.0.total.map_or(slots, |total| total.min(slots));
        let limit = total.saturating_sub(used.iter().sum());
        let free = LANES.map(|lane| lanes[lane as usize].saturating_sub(used[lane as usize]));
        let quotas = names.into_iter().zip(free);
        let quotas = quotas.filter(|(tasks, free)| !tasks.is_empty() && *free < limit);
        Room {
            limit,
            lanes: free,
            quotas: quotas
                .map(|(tasks, limit)| Quota { tasks, limit })
                .collect(),
        }
    }

    /// Resolves when one of these lanes has a free slot; never, when there are none.
    pub(super) async fn free(&self, lanes: [bool; 4]) {
        while !self.is_free(lanes) {
            self.0.freed.notified().await;
        }
    }

    fn is_free(&self, lanes: [bool; 4]) -> bool {
        let used = self.used();
        (0..4).any(|lane| lanes[lane] && used[lane] < self.0.lanes[lane])
    }
}

impl Room {
    /// A message for `lane` came.
    pub(super) fn fill(&mut self, lane: LaneKind) {
        self.limit = self.limit.saturating_sub(1);
        let left = &mut self.lanes[lane as usize];
        *left = left.saturating_sub(1);
    }

    /// The lanes that have no room left: more may wait for them at the broker.
    pub(super) fn full(&self) -> [bool; 4] {
        self.lanes.map(|left| left == 0)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.slots.used()[self.lane as usize] -= 1;
        self.slots.0.freed.notify_one();
    }
}

impl fmt::Debug for Slots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        map.entries(
            LANES
                .map(|lane| lane.as_str())
                .into_iter()
                .zip(self.0.lanes),
        );
        if let Some(total) = self.0.total {
            map.entry(&"total", &total);
        }
        map.finish()
    }
}
