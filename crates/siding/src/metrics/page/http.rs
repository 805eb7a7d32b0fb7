//! Requests and connections.

use std::fmt;

use super::Page;
use super::writer::{Labels, Writer, label};
use crate::metrics::catalogue as names;
use crate::metrics::requests::{Kind, Outcome};
use crate::routing::Verb;

impl Page {
    pub(super) fn requests(&self, out: &mut Writer<'_>) -> fmt::Result {
        let requests = self.metrics.requests();
        let routes = self.sources.handle.routes().all();
        let routed = routes.iter().flat_map(|route| {
            let pattern = pattern(&route.spec().name);
            let of = requests.of(Some(route.id()));
            of.map(move |(kind, timings)| (labels(pattern, kind), timings))
        });
        let unrouted = requests.of(None);
        let unrouted = unrouted.map(|(kind, timings)| (labels(None, kind), timings));
        out.histograms(names::REQUEST_DURATION, routed.chain(unrouted))
    }

    pub(super) fn connections(&self, out: &mut Writer<'_>) -> fmt::Result {
        let Some(server) = self.metrics.0.server.get() else {
            return Ok(());
        };
        let Some(now) = server.now() else {
            return Ok(());
        };
        out.gauge(names::ACTIVE_REQUESTS, now.requests)?;
        out.gauge(names::CONNECTIONS, now.connections)?;
        out.gauge(names::CONNECTIONS_MAX, now.connections_max)?;
        out.counter(names::CONNECTIONS_ACCEPTED, now.accepted)
    }
}

/// The path of a route's name, `GET /users/{id}`; a fallback has none.
pub(crate) fn pattern(name: &str) -> Option<&str> {
    let (_, path) = name.split_once(' ')?;
    path.starts_with('/').then_some(path)
}

fn labels(pattern: Option<&str>, kind: Kind) -> Labels {
    let mut labels = vec![
        label("http_request_method", method(kind.verb)),
        label("url_scheme", "http"),
    ];
    labels.extend(pattern.map(|pattern| label("http_route", pattern)));
    match kind.outcome {
        Outcome::Answered(status) => {
            labels.push(label("http_response_status_code", status.as_str()));
            if status.is_server_error() {
                labels.push(label("error_type", status.as_str()));
            }
        }
        Outcome::Cancelled => labels.push(label("error_type", "cancelled")),
        Outcome::Other => labels.push(label("error_type", "_OTHER")),
    }
    labels
}

/// The method, or OpenTelemetry's word for those that are not known.
pub(crate) fn method(verb: Verb) -> &'static str {
    match verb {
        Verb::Other => "_OTHER",
        known => known.as_str(),
    }
}
