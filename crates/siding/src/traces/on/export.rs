//! From a span's end to the collector: a queue with a bound, and one warning.
//!
//! The SDK's batch processor has a queue and a thread of its own, and whoever ends a span waits for neither. It does not say how many
//! spans it dropped, so the bound is kept here, in front of it.

use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor};

use crate::traces::SpanFigures;

/// OpenTelemetry's own default.
const QUEUE_MAX: usize = 2_048;

/// What became of spans. Relaxed throughout: each is a number of its own.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Spans in the queue and on their way.
    waiting: AtomicUsize,
    exported: AtomicU64,
    dropped: AtomicU64,
    failed: AtomicU64,
    away: AtomicBool,
    /// Where the collector is.
    place: String,
}

impl Tally {
    /// Of spans for the collector at `place`.
    pub(super) fn of(place: String) -> Self {
        Self {
            place,
            ..Self::default()
        }
    }

    pub(super) fn figures(&self) -> SpanFigures {
        SpanFigures {
            exported: self.exported.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
        }
    }

    fn taken(&self, spans: usize) {
        self.waiting.fetch_sub(spans, Ordering::Relaxed);
        self.exported.fetch_add(spans as u64, Ordering::Relaxed);
        if self.away.swap(false, Ordering::Relaxed) {
            tracing::info!("the collector takes traces again");
        }
    }

    /// Says once that the collector is away, not at every batch.
    fn refused(&self, spans: usize, why: &dyn std::fmt::Display) {
        self.waiting.fetch_sub(spans, Ordering::Relaxed);
        self.failed.fetch_add(spans as u64, Ordering::Relaxed);
        if !self.away.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "traces cannot be sent to {}: {why}; spans are lost until the collector is back \
                 (siding_trace_spans_failed_total counts them), and requests do not wait for it",
                self.place
            );
        }
    }
}

/// The processor of all spans.
pub(super) fn processor<E: SpanExporter + 'static>(exporter: E, tally: &Arc<Tally>) -> Bounded {
    let counted = Counted {
        exporter,
        tally: Arc::clone(tally),
    };
    Bounded {
        batches: BatchSpanProcessor::builder(counted).build(),
        tally: Arc::clone(tally),
        waiting_max: queue_max(),
    }
}

fn queue_max() -> usize {
    let named = env::var("OTEL_BSP_MAX_QUEUE_SIZE").ok();
    let named = named.and_then(|number| number.trim().parse().ok());
    named.unwrap_or(QUEUE_MAX)
}

/// Drops what finds the queue full.
#[derive(Debug)]
pub(super) struct Bounded {
    batches: BatchSpanProcessor,
    tally: Arc<Tally>,
    waiting_max: usize,
}

impl SpanProcessor for Bounded {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.batches.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if !span.span_context.is_sampled() {
            return;
        }
        let before = self.tally.waiting.fetch_add(1, Ordering::Relaxed);
        if before < self.waiting_max {
            self.batches.on_end(span);
        } else {
            self.tally.waiting.fetch_sub(1, Ordering::Relaxed);
            self.tally.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.batches.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.batches.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.batches.set_resource(resource);
    }
}

/// Counts what the collector takes.
#[derive(Debug)]
struct Counted<E> {
    exporter: E,
    tally: Arc<Tally>,
}

impl<E: SpanExporter> SpanExporter for Counted<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let result = self.exporter.export(batch).await;
        match &result {
            Ok(()) => self.tally.taken(spans),
            Err(error) => self.tally.refused(spans, error),
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
