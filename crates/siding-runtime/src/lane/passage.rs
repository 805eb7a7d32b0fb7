//! A job's way through its lane as [`tracing`] spans: the wait, and then the run.
//!
//! Both are of level `TRACE`, so that they cost one comparison unless somebody collects them. Whatever span was current where
//! the job was given to the lane is current where it runs, so that what the job logs, and the spans that it opens itself, have
//! their place there.

use tracing::Span;

use super::LaneKind;

/// The target of the spans, by which subscribers choose them.
pub const LANE_SPANS: &str = "siding::lane";

/// A job that waits.
#[derive(Debug)]
pub(crate) struct Passage {
    lane: LaneKind,
    parent: Span,
    wait: Span,
}

impl Passage {
    /// A job of the current span begins to wait for `lane`.
    pub(crate) fn begin(lane: LaneKind) -> Self {
        let parent = Span::current();
        let wait = tracing::trace_span!(
            target: LANE_SPANS,
            parent: &parent,
            "lane wait",
            siding.lane = lane.as_str()
        );
        Self { lane, parent, wait }
    }

    /// The wait is over: the span to run in.
    pub(crate) fn run(self) -> Span {
        let Self { lane, parent, wait } = self;
        drop(wait);
        let run = tracing::trace_span!(
            target: LANE_SPANS,
            parent: &parent,
            "lane run",
            siding.lane = lane.as_str()
        );
        if run.is_disabled() { parent } else { run }
    }

    /// `f`, to be run by the lane.
    pub(crate) fn carry<R>(self, f: impl FnOnce() -> R) -> impl FnOnce() -> R {
        move || self.run().in_scope(f)
    }
}
