//! The span of a request, by OpenTelemetry's conventions for servers of HTTP.

use std::net::SocketAddr;

use axum::http::header::{HOST, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{StatusCode, Version};
use opentelemetry::trace::{Status, TraceContextExt as _};
use opentelemetry_http::HeaderExtractor;
use siding_runtime::Route;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::{propagation, start};
use crate::metrics::{method, pattern};
use crate::routing::Verb;

/// The span of one request, from its head to the end of its response.
#[derive(Debug)]
pub(crate) struct RequestSpan {
    span: Span,
    verb: Verb,
    answered: std::cell::Cell<bool>,
}

impl RequestSpan {
    /// None: for requests of which nobody wants one.
    pub(crate) fn none() -> Self {
        Self {
            span: Span::none(),
            verb: Verb::Other,
            answered: std::cell::Cell::new(true),
        }
    }

    /// The span of the request with this `head`, in the trace that it says it belongs to.
    #[inline]
    pub(crate) fn begin(head: &Parts, peer: SocketAddr) -> Self {
        if start::is_on() {
            Self::open(head, peer)
        } else {
            Self::none()
        }
    }

    fn open(head: &Parts, peer: SocketAddr) -> Self {
        let span = tracing::trace_span!(
            target: "siding::request",
            parent: None,
            "request",
            otel.kind = "server"
        );
        // It fails where nothing collects the span after all.
        let _ = span.set_parent(propagation::extract(&HeaderExtractor(&head.headers)));
        let verb = Verb::of(&head.method);
        span.set_attribute("http.request.method", method(verb));
        span.set_attribute("url.path", head.uri.path().to_owned());
        span.set_attribute("url.scheme", "http");
        span.set_attribute("network.protocol.version", version(head.version));
        span.set_attribute("client.address", peer.ip().to_string());
        span.set_attribute("client.port", i64::from(peer.port()));
        let text = |name| head.headers.get(name)?.to_str().ok();
        if let Some(agent) = text(USER_AGENT) {
            span.set_attribute("user_agent.original", agent.to_owned());
        }
        let host = head.uri.authority().map(|authority| authority.as_str());
        if let Some(host) = host.or_else(|| text(HOST)) {
            address(&span, host);
        }
        Self {
            span,
            verb,
            answered: std::cell::Cell::new(false),
        }
    }

    /// Whether there is none.
    pub(crate) fn is_none(&self) -> bool {
        self.span.is_none()
    }

    /// Runs `f` as a part of the request.
    pub(crate) fn in_scope<R>(&self, f: impl FnOnce() -> R) -> R {
        self.span.in_scope(f)
    }

    /// The head of the response is known. The span goes on until its body has been handed over.
    pub(crate) fn answered(&self, route: Option<&Route>, status: StatusCode) {
        if self.span.is_none() {
            return;
        }
        self.answered.set(true);
        let span = &self.span;
        let name = match route.and_then(|route| pattern(&route.spec().name)) {
            Some(pattern) => {
                span.set_attribute("http.route", pattern.to_owned());
                format!("{} {pattern}", method(self.verb))
            }
            None => method(self.verb).to_owned(),
        };
        span.context().span().update_name(name);
        span.set_attribute("http.response.status_code", i64::from(status.as_u16()));
        if status.is_server_error() {
            span.set_attribute("error.type", status.as_str().to_owned());
            span.set_status(Status::error(""));
        }
    }
}

/// What still belongs to the request, a job that its deadline left behind for one, does not hold its span open.
impl Drop for RequestSpan {
    fn drop(&mut self) {
        if self.span.is_none() {
            return;
        }
        if !self.answered.get() {
            self.span.set_attribute("error.type", "cancelled");
            self.span
                .set_status(Status::error("nobody waited for the answer any more"));
            let name = method(self.verb);
            self.span.context().span().update_name(name);
        }
        self.span.context().span().end();
    }
}

fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        _ => "1.1",
    }
}

/// The server as its client knows it.
fn address(span: &Span, host: &str) {
    let port = host
        .rsplit_once(':')
        .and_then(|(name, port)| Some((name, port.parse::<u16>().ok()?)));
    match port {
        Some((name, port)) => {
            span.set_attribute("server.address", name.to_owned());
            span.set_attribute("server.port", i64::from(port));
        }
        None => span.set_attribute("server.address", host.to_owned()),
    }
}
