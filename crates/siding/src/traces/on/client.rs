//! The exporter's client of HTTP: ureq, which blocks the exporter's own thread and nothing else, and takes no runtime of its own.

use std::env;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Request, Response};
use opentelemetry_http::{HttpClient, HttpError};
use ureq::Agent;

/// An answer is a few bytes; whatever is longer is no collector's.
const ANSWER_BYTES_MAX: u64 = 1024 * 1024;
/// OpenTelemetry's default.
const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Client(Agent);

impl Client {
    /// With the time limit of the environment.
    pub(super) fn new() -> Self {
        let agent = Agent::config_builder()
            .timeout_global(Some(timeout()))
            .http_status_as_error(false)
            .build();
        Self(agent.into())
    }
}

fn timeout() -> Duration {
    let names = [
        "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
        "OTEL_EXPORTER_OTLP_TIMEOUT",
    ];
    let named = names.into_iter().find_map(|name| env::var(name).ok());
    let millis = named.and_then(|millis| millis.trim().parse().ok());
    millis.map_or(TIMEOUT, Duration::from_millis)
}

impl HttpClient for Client {
    fn send_bytes<'client, 'future>(
        &'client self,
        request: Request<Bytes>,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'future>>
    where
        'client: 'future,
        Self: 'future,
    {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let request = Request::from_parts(parts, body.to_vec());
            let (parts, mut body) = self.0.run(request)?.into_parts();
            let body = body.with_config().limit(ANSWER_BYTES_MAX).read_to_vec()?;
            Ok(Response::from_parts(parts, Bytes::from(body)))
        })
    }
}
