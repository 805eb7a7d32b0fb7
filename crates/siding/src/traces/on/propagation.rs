//! W3C's trace context and baggage, on the wire and back.
//!
//! What comes from outside is a claim: the propagators take what is well formed and within W3C's limits, and nothing else; a request
//! with anything else begins a trace of its own.

use opentelemetry::Context;
use opentelemetry::propagation::{
    Extractor, Injector, TextMapCompositePropagator, TextMapPropagator as _,
};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
use std::sync::LazyLock;

static PROPAGATOR: LazyLock<TextMapCompositePropagator> = LazyLock::new(|| {
    TextMapCompositePropagator::new(vec![
        Box::new(TraceContextPropagator::new()),
        Box::new(BaggagePropagator::new()),
    ])
});

/// The context that `carrier` has.
pub(super) fn extract(carrier: &dyn Extractor) -> Context {
    PROPAGATOR.extract_with_context(&Context::new(), carrier)
}

/// Writes `context` to `carrier`.
pub(super) fn inject(context: &Context, carrier: &mut dyn Injector) {
    PROPAGATOR.inject_context(context, carrier);
}
