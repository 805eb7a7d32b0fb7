//! What the runtime reports, in the log.

use std::sync::{Arc, OnceLock};

use siding_runtime::{Event, Handle, LaneKind, MoveReason, RouteId};

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
                from,
                to,
                reason,
            } => self.moved(*route, *from, *to, *reason),
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
            Event::Killed { source, job, ran } => {
                let name = self.name(source.route);
                tracing::info!("{name}: the child process of job {job} was killed after {ran:?}");
            }
            Event::Crashed { source, job, end } => {
                let name = self.name(source.route);
                tracing::warn!("{name}: the child process of job {job} {end}");
            }
            Event::Relief { .. }
            | Event::Resized { .. }
            | Event::Refused { .. }
            | Event::DeadlinePassed { .. }
            | Event::ClientGone { .. }
            | Event::Panicked { .. } => tracing::debug!("{event:?}"),
        }
    }

    /// A conviction's own sentence, with what to change, follows as its advice once the evidence is complete.
    fn moved(&self, route: RouteId, from: LaneKind, to: LaneKind, reason: MoveReason) {
        let name = self.name(route);
        match reason {
            MoveReason::Convicted => {
                tracing::info!("{name} held up the {from} lane and was moved to the {to} lane");
            }
            MoveReason::Trial => {
                tracing::info!("{name} has behaved and is back on the {to} lane on trial");
            }
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
