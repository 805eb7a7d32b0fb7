//! Where requests come in: limits first, then the router, and an answer in every case.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::{Request, Response, StatusCode};
use hyper::body::{Body as _, Incoming};
use hyper::service::Service as HyperService;
use tower_service::Service as _;

use super::Peer;
use super::answer::{Answer, Visitor};
use super::body::{Outbound, inbound};
use super::line::Line;
use super::shared::Shared;
use crate::Problem;
use crate::arrival::Arrival;
use crate::routing::Verb;
use crate::traces::RequestSpan;

/// The service of one connection.
#[derive(Clone, Debug)]
pub(super) struct Door {
    router: Router,
    peer: SocketAddr,
    line: Arc<Line>,
    shared: Arc<Shared>,
}

impl Door {
    /// The door for the client at `peer`.
    pub(super) fn new(peer: SocketAddr, line: Arc<Line>, shared: Arc<Shared>) -> Self {
        Self {
            router: shared.router.clone(),
            peer,
            line,
            shared,
        }
    }

    /// What is wrong with a request by its head alone.
    fn refuse(&self, request: &Request<Incoming>) -> Option<Problem> {
        let limits = &self.shared.limits;
        if head_bytes(request) > limits.max_header_bytes {
            let detail = format!(
                "the head of a request may be {} bytes long",
                limits.max_header_bytes
            );
            let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
            return Some(Problem::new(status).with_detail(detail));
        }
        if request.body().size_hint().lower() > limits.max_body_bytes as u64 {
            let detail = format!(
                "the body of a request may be {} bytes long",
                limits.max_body_bytes
            );
            return Some(Problem::new(StatusCode::PAYLOAD_TOO_LARGE).with_detail(detail));
        }
        None
    }
}

impl HyperService<Request<Incoming>> for Door {
    type Response = Response<Outbound>;
    type Error = Infallible;
    type Future = Answer;

    fn call(&self, request: Request<Incoming>) -> Answer {
        let in_flight = self.line.request();
        if let Some(problem) = self.refuse(&request) {
            return Answer::refused(problem, Verb::of(request.method()), in_flight);
        }
        let limits = &self.shared.limits;
        let arrival = Arrival::now(limits.request_deadline);
        let (mut head, incoming) = request.into_parts();
        if self.shared.peer == Peer::Told {
            head.extensions.insert(ConnectInfo(self.peer));
        }
        let (body, received) = inbound(incoming, limits.max_body_bytes);
        let visitor = Visitor {
            verb: Verb::of(&head.method),
            span: match in_flight.line().requests() {
                Some(_) => RequestSpan::begin(&head, self.peer),
                None => RequestSpan::none(),
            },
        };
        let mut router = self.router.clone();
        let request = Request::from_parts(head, body);
        let response = visitor.span.in_scope(|| router.call(request));
        Answer::routed(response, arrival, received, visitor, in_flight)
    }
}

/// The length of a request's head as HTTP/1.1 writes it, to a few bytes.
fn head_bytes(request: &Request<Incoming>) -> usize {
    let target = request
        .uri()
        .path_and_query()
        .map_or(1, |target| target.as_str().len());
    let headers: usize = request
        .headers()
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len())
        .sum();
    target + headers
}
