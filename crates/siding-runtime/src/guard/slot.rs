//! One cache line per thread that says what the thread is polling; the monitor reads it.
//!
//! # Protocol
//!
//! A slot is one word: `generation << 32 | route`, where route 0 means idle. Only the owning thread writes it, and it
//! writes a new generation at every change, so a monitor that reads the same non-idle word twice knows that one poll
//! lasted from the first read to the second. No clock is read here.
//!
//! The monitor sleeps while every slot is idle. To sleep, it stores `asleep`, and reads every slot again behind a
//! `SeqCst` fence; a thread that becomes busy stores its word, and reads `asleep` behind a `SeqCst` fence. Whichever
//! fence comes second in their total order, the load behind it sees the store before the other: either the monitor
//! finds the slot busy, or the thread rings the doorbell (Dekker's argument; `doorbell` has a model test). A thread that
//! becomes idle, or goes from one poll to the next, has nobody to wake and needs no fence.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::doorbell::Doorbell;
use crate::context::RouteId;
use crate::inspect::{StackBounds, Tid, Unknown};

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
    tid: Tid,
    stack: Result<StackBounds, Unknown>,
}

impl Slot {
    /// A slot for the calling thread.
    fn of_this_thread() -> Self {
        Self {
            word: AtomicU64::new(Word::IDLE.0),
            tid: Tid::current(),
            stack: StackBounds::current(),
        }
    }

    /// The kernel's id of the thread.
    pub(crate) fn tid(&self) -> Tid {
        self.tid
    }

    /// Where the thread's stack lies.
    pub(crate) fn stack(&self) -> Result<StackBounds, Unknown> {
        self.stack.clone()
    }

    /// What the thread polls now.
    pub(crate) fn word(&self) -> Word {
        // Relaxed: the word publishes nothing but itself. The fences of the module's protocol order it where it matters.
        Word(self.word.load(Ordering::Relaxed))
    }

    /// Only the owning thread calls this; one that becomes busy rings the doorbell then.
    pub(super) fn set(&self, word: Word) {
        self.word.store(word.0, Ordering::Relaxed);
    }
}

/// The slots of one event loop, and the doorbell that wakes its monitor.
#[derive(Debug)]
pub(crate) struct Slots {
    list: Mutex<List>,
    doorbell: Doorbell,
}

#[derive(Debug, Default)]
struct List {
    slots: Vec<Arc<Slot>>,
    /// Counts the changes of `slots`.
    version: u64,
}

impl Slots {
    /// No slots yet.
    pub(crate) fn new() -> Self {
        Self {
            list: Mutex::default(),
            doorbell: Doorbell::new(),
        }
    }

    /// Adds a slot for the calling thread.
    pub(super) fn register(&self) -> Arc<Slot> {
        let slot = Arc::new(Slot::of_this_thread());
        let mut list = self.lock();
        list.slots.push(Arc::clone(&slot));
        list.version += 1;
        slot
    }

    /// Forgets `slot`; its thread is ending.
    pub(super) fn remove(&self, slot: &Arc<Slot>) {
        let mut list = self.lock();
        list.slots.retain(|other| !Arc::ptr_eq(other, slot));
        list.version += 1;
    }

    /// The slots and their version, if that is not `version`.
    pub(super) fn changed_since(&self, version: u64) -> Option<(u64, Vec<Arc<Slot>>)> {
        let list = self.lock();
        (list.version != version).then(|| (list.version, list.slots.clone()))
    }

    /// Whether any thread is in a poll.
    pub(super) fn any_busy(&self) -> bool {
        self.lock()
            .slots
            .iter()
            .any(|slot| slot.word().route().is_some())
    }

    /// The doorbell that wakes the monitor.
    pub(crate) fn doorbell(&self) -> &Doorbell {
        &self.doorbell
    }

    fn lock(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
