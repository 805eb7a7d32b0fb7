//! How many tasks run at once: on each lane, and in all.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use siding_runtime::{Config, LaneKind};
use tokio::sync::{Notify, oneshot};

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
pub(crate) struct Slots(Arc<Shared>);

struct Shared {
    places: Mutex<Places>,
    /// Told when a slot was given back, or there are more; the one who claims listens.
    freed: Notify,
}

/// The slots that there are, and who has them.
#[derive(Debug)]
struct Places {
    lanes: [usize; 4],
    total: Option<usize>,
    used: [usize; 4],
    /// Who waits for a slot of a lane, first come first. Nobody does beside a slot that is free.
    waiting: [VecDeque<oneshot::Sender<Slot>>; 4],
    /// Whether what is free is promised to what is being claimed.
    claiming: bool,
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
        let places = Places {
            // A lane without threads, or children, says so to each task.
            lanes: lanes.map(|slots| slots.max(1)),
            total,
            used: [0; 4],
            waiting: Default::default(),
            claiming: false,
        };
        Self(Arc::new(Shared {
            places: Mutex::new(places),
            freed: Notify::new(),
        }))
    }

    /// Numbers are whole whatever happens.
    fn places(&self) -> MutexGuard<'_, Places> {
        self.0.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a slot; one more than there is, too, if the broker gave more than was asked for.
    pub(super) fn take(&self, lane: LaneKind) -> Slot {
        self.places().used[lane as usize] += 1;
        self.slot(lane)
    }

    fn slot(&self, lane: LaneKind) -> Slot {
        Slot {
            slots: self.clone(),
            lane,
        }
    }

    /// A slot, once there is a free one. Those who wait come before what could be claimed.
    pub(super) async fn wait(&self, lane: LaneKind) -> Slot {
        let given = {
            let mut places = self.places();
            if places.has_room(lane as usize) {
                places.used[lane as usize] += 1;
                drop(places);
                return self.slot(lane);
            }
            let (give, given) = oneshot::channel();
            places.waiting[lane as usize].push_back(give);
            given
        };
        given.await.expect("the slots keep who waits for them")
    }

    /// Gives what is free to those who wait for it.
    fn pass(&self) {
        loop {
            let Some((lane, give)) = self.places().next() else {
                break;
            };
            // Who has just stopped waiting gives it back by dropping it.
            let _ = give.send(self.slot(lane));
        }
        self.0.freed.notify_one();
    }

    /// What may be claimed, once that is anything. It is kept free until [`claimed`](Self::claimed).
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
        let declared = LANES.map(|lane| !names[lane as usize].is_empty());
        let mut places = self.places();
        let total = places.all(declared);
        let limit = total.saturating_sub(places.used.iter().sum());
        places.claiming = limit > 0;
        let free = LANES.map(|lane| places.free(lane as usize));
        drop(places);
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

    /// How many tasks run at once at most.
    pub(crate) fn capacity(&self, tasks: &Tasks) -> usize {
        let definitions = tasks.definitions();
        let lanes = definitions.iter().map(|task| task.declaration().lane);
        let mut declared = [false; 4];
        for lane in lanes {
            declared[lane as usize] = true;
        }
        self.places().all(declared)
    }

    /// From now on so many tasks run at once at most, as if the worker was made so.
    pub(crate) fn resize(&self, total: usize) {
        let mut places = self.places();
        places.lanes[LaneKind::EventLoop as usize] = total;
        places.total = Some(total);
        drop(places);
        self.pass();
    }

    /// What was claimed has its slots.
    pub(super) fn claimed(&self) {
        self.places().claiming = false;
        self.pass();
    }

    /// Resolves when one of these lanes has a free slot; never, when there are none.
    pub(super) async fn free(&self, lanes: [bool; 4]) {
        while !self.is_free(lanes) {
            self.0.freed.notified().await;
        }
    }

    fn is_free(&self, lanes: [bool; 4]) -> bool {
        let places = self.places();
        (0..4).any(|lane| lanes[lane] && places.free(lane) > 0)
    }
}

impl Places {
    /// How many slots there are, of lanes that tasks are declared for.
    fn all(&self, declared: [bool; 4]) -> usize {
        // Messages of tasks that nobody has registered are told so on the event loop.
        let none = declared == [false; 4];
        let slots = (0..4).filter(|lane| declared[*lane] || (none && *lane == 0));
        let slots = slots.map(|lane| self.lanes[lane]).sum::<usize>();
        self.total.map_or(slots, |total| total.min(slots))
    }

    fn free(&self, lane: usize) -> usize {
        self.lanes[lane].saturating_sub(self.used[lane])
    }

    /// Whether there is a slot for who waits.
    fn has_room(&self, lane: usize) -> bool {
        let used = self.used.iter().sum::<usize>();
        !self.claiming && self.free(lane) > 0 && self.total.is_none_or(|total| used < total)
    }

    /// Takes a slot for who waits for it longest.
    fn next(&mut self) -> Option<(LaneKind, oneshot::Sender<Slot>)> {
        for lane in LANES {
            while self.has_room(lane as usize) {
                let Some(give) = self.waiting[lane as usize].pop_front() else {
                    break;
                };
                if !give.is_closed() {
                    self.used[lane as usize] += 1;
                    return Some((lane, give));
                }
            }
        }
        None
    }
}

impl Room {
    /// A message came.
    pub(super) fn deliver(&mut self) {
        self.limit = self.limit.saturating_sub(1);
    }

    /// A message for `lane` took a slot.
    pub(super) fn fill(&mut self, lane: LaneKind) {
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
        self.slots.places().used[self.lane as usize] -= 1;
        self.slots.pass();
    }
}

impl fmt::Debug for Slots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = self.places();
        let mut map = f.debug_map();
        let names = LANES.map(|lane| lane.as_str());
        map.entries(names.into_iter().zip(places.lanes));
        if let Some(total) = places.total {
            map.entry(&"total", &total);
        }
        map.finish()
    }
}
