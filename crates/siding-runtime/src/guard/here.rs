//! The calling thread's own slot.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::sync::Arc;

use super::slot::{Slot, Slots, Word};
use crate::context::{RouteId, WorkContext};

thread_local! {
    static HERE: Here = const { Here { seat: RefCell::new(Seat::Stranger), generation: Cell::new(0), route: Cell::new(None), rested: Cell::new(true) } };
}

struct Here {
    seat: RefCell<Seat>,
    generation: Cell<u32>,
    route: Cell<Option<RouteId>>,
    /// Whether the thread has polled nothing since it last woke from idling.
    rested: Cell<bool>,
}

/// A thread's relation to a runtime's slots.
enum Seat {
    /// The thread belongs to no event loop: what it does holds up nobody else.
    Stranger,
    /// The thread may poll for an event loop and has not done so yet. Tokio does not tell its workers from its blocking
    /// threads, so a slot is taken only at the first guarded poll.
    Standing(Arc<Slots>),
    /// The thread has a slot.
    Seated { slots: Arc<Slots>, slot: Arc<Slot> },
}

impl Drop for Here {
    fn drop(&mut self) {
        if let Seat::Seated { slots, slot } = self.seat.get_mut() {
            slots.remove(slot);
        }
    }
}

/// Declares that the calling thread belongs to the event loop that owns `slots`.
pub(crate) fn attach(slots: &Arc<Slots>) {
    HERE.with(|here| *here.seat.borrow_mut() = Seat::Standing(Arc::clone(slots)));
}

/// Notes that the calling thread has just woken from idling: nothing is left in it of what it did before.
pub(crate) fn note_rest() {
    HERE.with(|here| here.rested.set(true));
}

/// Whether the calling thread has polled nothing, as far as the guard sees, since it last woke from idling.
pub(crate) fn is_rested() -> bool {
    HERE.with(|here| here.rested.get())
}

/// Marks the calling thread as busy with `context` until the returned value is dropped. Nests.
pub(crate) fn enter(context: WorkContext) -> Entered {
    let outer_context = WorkContext::replace(Some(context));
    let outer_route = HERE.with(|here| {
        here.rested.set(false);
        let outer = here.route.replace(Some(context.route));
        here.publish(Some(context.route), outer.is_none());
        outer
    });
    Entered {
        outer_context,
        outer_route,
        not_send: PhantomData,
    }
}

/// The scope of one guarded poll or job; see [`enter`].
#[must_use]
#[derive(Debug)]
pub(crate) struct Entered {
    outer_context: Option<WorkContext>,
    outer_route: Option<RouteId>,
    /// The scope belongs to the thread that entered it.
    not_send: PhantomData<*const ()>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        WorkContext::replace(self.outer_context);
        HERE.with(|here| {
            here.route.set(self.outer_route);
            here.publish(self.outer_route, false);
        });
    }
}

impl Here {
    fn publish(&self, route: Option<RouteId>, ring: bool) {
        let generation = self.generation.get().wrapping_add(1);
        self.generation.set(generation);
        let word = Word::new(generation, route);
        if let Seat::Seated { slots, slot } = &*self.seat.borrow() {
            slot.set(word);
            if ring {
                slots.doorbell().ring_if_asleep();
            }
            return;
        }
        self.sit_down(word);
    }

    /// The first guarded poll of a thread: takes a slot.
    #[cold]
    fn sit_down(&self, word: Word) {
        let mut seat = self.seat.borrow_mut();
        if let Seat::Standing(slots) = &*seat {
            let (slots, slot) = (Arc::clone(slots), slots.register());
            slot.set(word);
            slots.doorbell().ring_if_asleep();
            *seat = Seat::Seated { slots, slot };
        }
    }
}
