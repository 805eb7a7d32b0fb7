//! Beginning and ending to send spans.

use std::env;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::{Layer, Registry};

use super::OWN_SPANS;
use super::client::Client;
use super::export::{self, Tally};
use super::settings::{Target, Traces};
use crate::traces::SpanFigures;

/// How long the last spans may take to be sent when the program ends.
const FLUSH_LIMIT: Duration = Duration::from_secs(5);

/// Whether spans are collected. A process has one subscriber, and so one exporter.
static ON: AtomicBool = AtomicBool::new(false);
static EXPORT: OnceLock<Export> = OnceLock::new();

struct Export {
    provider: SdkTracerProvider,
    tally: Arc<Tally>,
}

/// Whether spans are collected.
#[inline]
pub(super) fn is_on() -> bool {
    // Relaxed: it is set before the runtime starts, and a request that misses its end has a span too many.
    ON.load(Ordering::Relaxed)
}

/// The layer that collects the spans of the application `name`, where they are asked for. An error is for the log, once there is
/// one: the application does without traces then.
pub(crate) fn start(
    traces: &Traces,
    name: &'static str,
) -> Result<Option<impl Layer<Registry> + Send + Sync + use<>>, String> {
    let Some(target) = traces.target().map_err(|error| error.to_string())? else {
        return Ok(None);
    };
    let export = Export::new(target, name)?;
    let tracer = export.provider.tracer("siding");
    let Ok(()) = EXPORT.set(export) else {
        return Err("traces are sent already; a process sends them once".to_owned());
    };
    ON.store(true, Ordering::Relaxed);
    let filter = OWN_SPANS.iter().fold(
        Targets::new().with_default(LevelFilter::INFO),
        |filter, target| filter.with_target(*target, LevelFilter::TRACE),
    );
    let layer = tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false);
    Ok(Some(layer.with_filter(filter)))
}

impl Export {
    fn new(target: Target, name: &'static str) -> Result<Self, String> {
        let mut builder = SpanExporter::builder()
            .with_http()
            .with_http_client(Client::new());
        if let Some(endpoint) = target.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        let exporter = builder.build().map_err(|error| error.to_string())?;
        let tally = Arc::new(Tally::of(target.place));
        let provider = SdkTracerProvider::builder()
            .with_span_processor(export::processor(exporter, &tally))
            .with_resource(resource(name))
            .build();
        Ok(Self { provider, tally })
    }
}

/// What the environment says, and the application's name where that says none.
fn resource(name: &'static str) -> Resource {
    let attributes = env::var("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
    let is_named =
        env::var_os("OTEL_SERVICE_NAME").is_some() || attributes.contains("service.name=");
    let builder = Resource::builder();
    match is_named {
        true => builder.build(),
        false => builder.with_service_name(name).build(),
    }
}

/// What became of spans; `None` where none are collected.
pub(crate) fn figures() -> Option<SpanFigures> {
    EXPORT.get().map(|export| export.tally.figures())
}

/// Sends what is left, and collects no more.
pub(crate) fn finish() {
    let Some(export) = EXPORT.get() else {
        return;
    };
    ON.store(false, Ordering::Relaxed);
    if let Err(error) = export.provider.shutdown_with_timeout(FLUSH_LIMIT) {
        tracing::debug!("the last spans may be lost: {error}");
    }
}
