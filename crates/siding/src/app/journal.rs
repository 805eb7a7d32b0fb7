//! What the runtime reports, in the log.

use std::sync::{Arc, OnceLock};

use siding_runtime::{Event, Handle, MoveReason, RouteId};

/// Writes the runtime's events to the log, with the names of routes, which only the runtime's registry knows.
#[derive(Clone, Debug, Default)]
pub(super) struct Journal {
    handle: Arc<OnceLock<Handle>>,
}

impl Journal {
    /// Where the names are to be looked up.
    pub(super) fn attach(&self, handle: &Handle) {
        self.handle.get_or_init(|| handle.clone());
    }

    /// Takes the runtime's events.
    pub(super) fn observer(&self) -> impl Fn(&Event) + Send + Sync + use<> {
        let journal = self.clone();
        move |event| journal.write(event)
    }

    fn write(&self, event: &Event) {
        match event {
            Event::Advice { advice, .. } => tracing::warn!("{advice}"),
            Event::Moved {
                route,
                to,
                reason: MoveReason::Trial,
                ..
            } => {
                let name = self.name(*route);
                tracing::info!("{name} has behaved and is back on the {to} lane on trial");
            }
            Event::StallBegan { route } => {
                tracing::debug!("{} holds an event-loop thread", self.name(*route));
            }
            Event::StallEnded {
                route,
                lasted,
                verdict,
            } => {
                let name = self.name(*route);
                tracing::debug!("{name} held an event-loop thread for {lasted:?}: {verdict}");
            }
            Event::ReliefExhausted { stalled } => tracing::warn!(
                "{stalled} event-loop threads are held and every relief thread is at work (--relief-threads)"
            ),
            Event::Overload { lane, began: true } => {
                tracing::warn!("the {lane} lane is overloaded and refuses work");
            }
            Event::Overload { lane, began: false } => {
                tracing::info!("the {lane} lane has caught up");
            }
            Event::Paused { late } => {
                tracing::info!("the machine paused for {late:?}; nobody is blamed for it");
            }
            other => tracing::debug!("{other:?}"),
        }
    }

    fn name(&self, route: RouteId) -> String {
        let known = self
            .handle
            .get()
            .and_then(|handle| handle.routes().get(route));
        known.map_or_else(
            || format!("route {}", route.get()),
            |route| route.spec().name.clone(),
        )
    }
}
