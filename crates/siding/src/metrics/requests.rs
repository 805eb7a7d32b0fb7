//! Requests, counted by route, method and status.
//!
//! # Protocol
//! Nothing here is ever removed, so a reader needs no lock. A route's place is found by its number, in segments that double
//! (64, 128, 256, … places); a place is a list of kinds, one for each method and status that the route has answered so far, which
//! is short. The first request of a kind appends it; a request of a known kind compares a few numbers.
//!
//! # Bound
//! Routes are those that were registered, methods beyond the standard ones count as one, and a route whose handler answers with
//! more than [`KINDS_MAX`] combinations counts the rest as one.

use std::sync::OnceLock;
use std::time::Duration;

use axum::http::StatusCode;
use siding_runtime::{RouteId, Timings};

use super::series::Series;
use crate::routing::Verb;

/// So many combinations of method and status a route has to itself.
const KINDS_MAX: usize = 64;
/// The places of the first segment, and how many segments make room for every number there is.
const FIRST: usize = 64;
const SEGMENTS: usize = 27;

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was answered so.
    Answered(StatusCode),
    /// It was not answered: its client left, or a drain was cut short.
    Cancelled,
    /// One of more kinds than are told apart.
    Other,
}

/// What is told apart of a route's requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) verb: Verb,
    pub(super) outcome: Outcome,
}

/// All requests of one server.
#[derive(Debug)]
pub(crate) struct Requests {
    segments: [OnceLock<Box<[Place]>>; SEGMENTS],
    /// Those that no route was found for.
    unrouted: Place,
}

impl Default for Requests {
    fn default() -> Self {
        Self {
            segments: [const { OnceLock::new() }; SEGMENTS],
            unrouted: Place::default(),
        }
    }
}

/// The requests of one route.
#[derive(Debug, Default)]
pub(super) struct Place {
    first: OnceLock<Box<Node>>,
}

#[derive(Debug)]
struct Node {
    kind: Kind,
    series: Series,
    next: OnceLock<Box<Self>>,
}

impl Requests {
    /// Counts one request of `route`.
    pub(crate) fn record(
        &self,
        route: Option<RouteId>,
        verb: Verb,
        outcome: Outcome,
        lasted: Duration,
    ) {
        let place = match route {
            Some(route) => self.place(route),
            None => &self.unrouted,
        };
        place.series(Kind { verb, outcome }).record(lasted);
    }

    fn place(&self, route: RouteId) -> &Place {
        let (segment, index) = locate(route);
        let places = self.segments[segment].get_or_init(|| {
            let places = FIRST << segment;
            (0..places).map(|_| Place::default()).collect()
        });
        &places[index]
    }

    /// What is known of `route`, or of requests without one.
    pub(super) fn of(&self, route: Option<RouteId>) -> impl Iterator<Item = (Kind, Timings)> {
        let place = match route.map(locate) {
            None => Some(&self.unrouted),
            Some((segment, index)) => self.segments[segment].get().map(|places| &places[index]),
        };
        place.into_iter().flat_map(Place::read)
    }
}

/// The segment of `route`, and its place there.
fn locate(route: RouteId) -> (usize, usize) {
    let number = route.get() as usize + FIRST;
    let segment = (number.ilog2() - FIRST.ilog2()) as usize;
    (segment, number - (FIRST << segment))
}

impl Place {
    fn series(&self, kind: Kind) -> &Series {
        let other = Kind {
            verb: Verb::Other,
            outcome: Outcome::Other,
        };
        let mut slot = &self.first;
        for known in 0.. {
            let kind = if known < KINDS_MAX { kind } else { other };
            // Whoever comes first decides whose kind it is.
            let node = slot.get_or_init(|| Box::new(Node::new(kind)));
            if node.kind == kind {
                return &node.series;
            }
            slot = &node.next;
        }
        unreachable!("the last of a list counts whatever comes")
    }

    fn read(&self) -> impl Iterator<Item = (Kind, Timings)> {
        let nodes = std::iter::successors(self.first.get(), |node| node.next.get());
        nodes.map(|node| (node.kind, node.series.timings()))
    }
}

impl Node {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            series: Series::new(),
            next: OnceLock::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use siding_runtime::Builder;

    use super::*;

    const SHORT: Duration = Duration::from_micros(1);

    fn counts(requests: &Requests, route: Option<RouteId>) -> Vec<(Kind, u64)> {
        let of = requests.of(route);
        of.map(|(kind, timings)| (kind, timings.count())).collect()
    }

    #[test]
    fn kinds_of_a_route_are_told_apart() {
        let requests = Requests::default();
        let answered = |status| Outcome::Answered(status);
        for (verb, outcome) in [
            (Verb::Get, answered(StatusCode::OK)),
            (Verb::Get, Outcome::Cancelled),
            (Verb::Head, answered(StatusCode::OK)),
            (Verb::Get, answered(StatusCode::OK)),
        ] {
            requests.record(Some(RouteId::BACKGROUND), verb, outcome, SHORT);
        }
        let kind = |verb, outcome| Kind { verb, outcome };
        assert_eq!(
            counts(&requests, Some(RouteId::BACKGROUND)),
            [
                (kind(Verb::Get, answered(StatusCode::OK)), 2),
                (kind(Verb::Get, Outcome::Cancelled), 1),
                (kind(Verb::Head, answered(StatusCode::OK)), 1),
            ]
        );
        assert_eq!(counts(&requests, Some(RouteId::OFFLOAD)), []);
        assert_eq!(counts(&requests, None), []);
    }

    #[test]
    fn a_route_has_a_bounded_number_of_kinds() {
        let requests = Requests::default();
        let statuses = 200..200 + u16::try_from(2 * KINDS_MAX).unwrap();
        for status in statuses.clone() {
            let status = StatusCode::from_u16(status).unwrap();
            requests.record(None, Verb::Get, Outcome::Answered(status), SHORT);
        }
        let counts = counts(&requests, None);
        assert_eq!(counts.len(), KINDS_MAX + 1);
        assert_eq!(counts[KINDS_MAX].0.outcome, Outcome::Other);
        let total: u64 = counts.iter().map(|(_, count)| count).sum();
        assert_eq!(total, statuses.len() as u64);
    }

    #[test]
    fn every_route_has_a_place_of_its_own() {
        let runtime = Builder::new().relief_threads(0).build().unwrap();
        let requests = Requests::default();
        let routes = runtime.handle().routes();
        for number in 0..500 {
            let route = routes.register(siding_runtime::RouteSpec {
                name: format!("GET /{number}"),
                kind: siding_runtime::Kind::Async,
                declared: siding_runtime::LaneKind::EventLoop,
                pinned: false,
            });
            assert_eq!(counts(&requests, Some(route.id())), []);
            let answered = Outcome::Answered(StatusCode::OK);
            requests.record(Some(route.id()), Verb::Get, answered, SHORT);
            assert_eq!(counts(&requests, Some(route.id())).len(), 1);
        }
    }
}
