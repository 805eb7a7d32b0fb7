//! What goes on when its request has ended.

use std::fmt;

use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt;
use tracing::{Instrument as _, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::start;

/// Where work comes from: a place in a trace. It holds no span open.
#[derive(Clone)]
pub(crate) struct Origin(Option<Context>);

impl Origin {
    /// The current span.
    pub(crate) fn here() -> Self {
        let current = start::is_on().then(|| Span::current().context());
        Self(current.filter(TraceContextExt::has_active_span))
    }

    /// Runs `future` in a span of its own, `name`, below where it comes from.
    pub(crate) async fn follow<F: Future>(self, name: &'static str, future: F) -> F::Output {
        let Some(context) = self.0 else {
            return future.await;
        };
        let span = tracing::trace_span!(
            target: "siding::request",
            parent: None,
            "background",
            otel.name = name
        );
        // It fails where nothing collects the span after all.
        let _ = span.set_parent(context);
        future.instrument(span).await
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Origin").field(&self.0.is_some()).finish()
    }
}
