//! One cache line per thread that says what the thread is polling; the monitor reads it.
//!
//! # Protocol
//!
//! A slot is one word: `generation << 32 | route`, where route 0 means idle. Only the owning thread writes it, and it
//! writes a new generation at every change, so a monitor that reads the same non-idle word twice knows that one poll
//! lasted from the first read to the second. No clock is read here.
//!
//! The monitor sleeps while every slot is idle. To sleep, it stores `asleep` and then reads every slot again; a thread
//! that becomes busy stores its word and then reads `asleep`. All four accesses are `SeqCst`, so in their single total
//! order at least one side sees the other: either the monitor finds the slot busy, or the thread rings the doorbell
//! (Dekker's argument; the model test in `doorbell` checks it).

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::doorbell::Doorbell;
use super::sync::{AtomicU64, Ordering};
use crate::context::RouteId;
use crate::lane::LaneKind;

/// What a slot's word says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word(u64);

impl Word {
    /// Nothing is being polled.
    pub(crate) const IDLE: Self = Self(0);

    /// The word for the `generation`th change of a slot; `None` is idle.
    pub(crate) const fn new(generation: u32, route: Option<RouteId>) -> Self {
        let route = match route {
            Some(route) => route.0,
            None => 0,
        };
        Self(((generation as u64) << 32) | route as u64)
    }

    /// The route being polled, or `None` when the thread is idle.
    pub(crate) const fn route(self) -> Option<RouteId> {
        // The low half is the route: truncation is the point.
        match self.0 as u32 {
            0 => None,
            route => Some(RouteId(route)),
        }
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Word({} {:?})", self.0 >> 32, self.route())
    }
}

/// What one thread is polling. Aligned so that no two threads share a cache line (two lines on x86, which prefetches
/// in pairs).
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Slot {
    word: AtomicU64,
    lane: LaneKind,
}

impl Slot {
    fn new(lane: LaneKind) -> Self {
        Self {
            word: AtomicU64::new(Word::IDLE.0),
            lane,
        }
    }

    /// The lane that the thread belongs to.
    pub(crate) fn lane(&self) -> LaneKind {
        self.lane
    }

    /// What the thread polls now.
    pub(crate) fn word(&self) -> Word {
        // SeqCst: pairs with `set`, see the module's protocol.
        Word(self.word.load(Ordering::SeqCst))
    }

    /// Only the owning thread calls this.
    pub(super) fn set(&self, word: Word) {
        // SeqCst: ordered before the doorbell's load of `asleep`, see the module's protocol.
        self.word.store(word.0, Ordering::SeqCst);
    }

    /// Like [`set`](Self::set) where no doorbell follows: the monitor may see it a moment later.
    pub(super) fn set_relaxed(&self, word: Word) {
        self.word.store(word.0, Ordering::Relaxed);
    }
}

/// All slots of one runtime, and the doorbell that wakes its monitor.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    list: Mutex<Vec<Arc<Slot>>>,
    doorbell: Doorbell,
}

impl Slots {
    /// Adds a slot for the calling thread.
    pub(super) fn register(&self, lane: LaneKind) -> Arc<Slot> {
        let slot = Arc::new(Slot::new(lane));
        self.lock().push(Arc::clone(&slot));
        slot
    }

    /// Forgets `slot`; its thread is ending.
    pub(super) fn remove(&self, slot: &Arc<Slot>) {
        self.lock().retain(|other| !Arc::ptr_eq(other, slot));
    }

    /// The doorbell that wakes the monitor.
    pub(crate) fn doorbell(&self) -> &Doorbell {
        &self.doorbell
    }

    /// Calls `f` for every slot.
    pub(crate) fn for_each(&self, f: impl FnMut(&Arc<Slot>)) {
        self.lock().iter().for_each(f);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Slot>>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
