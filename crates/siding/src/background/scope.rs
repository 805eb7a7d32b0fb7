//! Where an extractor finds the list of its handler.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use siding_runtime::{Handle, RouteId};

use super::draft::Draft;
use super::list::List;

/// One handler's place for a list. It lies in a thread-local during each poll of the handler, on whatever lane that is, and
/// not in the request's extensions, which would cost every request an allocation.
#[derive(Debug)]
struct Slot {
    route: RouteId,
    draft: Option<Draft>,
}

thread_local! {
    static CURRENT: Cell<Option<Slot>> = const { Cell::new(None) };
}

/// The list of the handler that is polled on this thread; a new one if it has none.
pub(super) fn list() -> Option<Arc<List>> {
    let handle = Handle::try_current()?;
    let mut slot = CURRENT.take()?;
    let draft = slot
        .draft
        .get_or_insert_with(|| Draft::new(Arc::new(List::new(handle, slot.route))));
    let list = Arc::clone(draft.list());
    CURRENT.set(Some(slot));
    Some(list)
}

/// Takes the list of the handler that is polled on this thread, if it has one.
pub(super) fn take() -> Option<Draft> {
    let mut slot = CURRENT.take()?;
    let draft = slot.draft.take();
    CURRENT.set(Some(slot));
    draft
}

pin_project! {
    /// A handler that may ask for a list. Dropped before the list was taken out, it drops that.
    #[derive(Debug)]
    pub(crate) struct Scope<F> {
        slot: Option<Slot>,
        #[pin]
        handler: F,
    }
}

impl<F> Scope<F> {
    /// The handler of `route`.
    pub(crate) fn new(route: RouteId, handler: F) -> Self {
        let slot = Some(Slot { route, draft: None });
        Self { slot, handler }
    }
}

impl<F: Future> Future for Scope<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let outer = CURRENT.replace(this.slot.take());
        let _entered = Entered {
            slot: this.slot,
            outer,
        };
        this.handler.poll(cx)
    }
}

/// Puts the outer slot back, also when the poll panics.
struct Entered<'a> {
    slot: &'a mut Option<Slot>,
    outer: Option<Slot>,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        *self.slot = CURRENT.replace(self.outer.take());
    }
}
