//! Traces: a span for each request, for what it waited for and where it ran, and for the tasks that it sent.
//!
//! With the feature `otel`, and where the environment or [`Settings::traces`](crate::Settings) names a collector, spans go there
//! by OTLP. The rest of the crate says what happens by the same few calls in every case; without the feature they are empty, and
//! where no collector is named they cost the reading of one flag.

#[cfg(not(feature = "otel"))]
mod off;
#[cfg(feature = "otel")]
mod on;

#[cfg(not(feature = "otel"))]
pub(crate) use off::{Origin, RequestSpan, figures, finish, trace_tasks};
#[cfg(feature = "otel")]
pub use on::Traces;
#[cfg(feature = "otel")]
pub(crate) use on::{Origin, RequestSpan, figures, finish, start, trace_tasks, with_trace_ids};

/// What became of spans since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SpanFigures {
    /// The collector has them.
    pub(crate) exported: u64,
    /// There was no place for them in the queue.
    pub(crate) dropped: u64,
    /// The collector could not be reached, or would not have them.
    pub(crate) failed: u64,
}
