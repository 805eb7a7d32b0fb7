//! The JSON of the admin listener, version 1. Its types are apart from the runtime's, so that those may change.

use std::time::Duration;

use serde::Serialize;
use siding_runtime::{Handle, LaneSnapshot, Percentiles, RouteSnapshot};

use super::evidence::{Evidence, Move};
use crate::app::kind_name;

const VERSION: u32 = 1;

/// `GET /api/routes`.
#[derive(Serialize)]
pub(super) struct Routes {
    version: u32,
    routes: Vec<Route>,
}

#[derive(Serialize)]
struct Route {
    id: u32,
    name: String,
    kind: &'static str,
    declared_lane: &'static str,
    /// Where its next request goes. Differs from `settled_lane` only while one of its polls stalls the event loop.
    current_lane: &'static str,
    settled_lane: &'static str,
    pinned: bool,
    verdict: Option<&'static str>,
    evidence: Option<Evidence>,
    advice: Option<String>,
    stalls: u64,
    convictions: u32,
    moves: Vec<Move>,
    requests: u64,
    latency_ms_p50: f64,
    latency_ms_p90: f64,
    latency_ms_p99: f64,
    latency_ms_max: f64,
}

impl Routes {
    pub(super) fn of(handle: &Handle) -> Self {
        let routes = handle.routes().all();
        Self {
            version: VERSION,
            routes: routes
                .iter()
                .map(|route| Route::from(route.snapshot()))
                .collect(),
        }
    }
}

impl From<RouteSnapshot> for Route {
    fn from(route: RouteSnapshot) -> Self {
        let Percentiles {
            count,
            p50,
            p90,
            p99,
            max,
            ..
        } = route.latency;
        Self {
            id: route.id.get(),
            name: route.spec.name,
            kind: kind_name(route.spec.kind),
            declared_lane: route.spec.declared.as_str(),
            current_lane: route.lane.as_str(),
            settled_lane: route.settled.as_str(),
            pinned: route.spec.pinned,
            verdict: route
                .evidence
                .as_ref()
                .map(|evidence| evidence.verdict.as_str()),
            evidence: route.evidence.as_ref().map(Evidence::from),
            advice: route.advice,
            stalls: route.stalls,
            convictions: route.convictions,
            moves: route.moves.iter().map(Move::from).collect(),
            requests: count,
            latency_ms_p50: millis(p50),
            latency_ms_p90: millis(p90),
            latency_ms_p99: millis(p99),
            latency_ms_max: millis(max),
        }
    }
}

/// `GET /api/lanes`.
#[derive(Serialize)]
pub(super) struct Lanes {
    version: u32,
    lanes: Vec<Lane>,
}

#[derive(Serialize)]
struct Lane {
    lane: &'static str,
    threads: usize,
    threads_max: usize,
    running: usize,
    waiting: usize,
    waiting_max: usize,
    overloaded: bool,
    admitted: u64,
    completed: u64,
    refused: u64,
    deadline_passed: u64,
    client_gone: u64,
    panicked: u64,
    service_time_ms: f64,
}

impl Lanes {
    pub(super) fn of(handle: &Handle) -> Self {
        Self {
            version: VERSION,
            lanes: handle.lanes().into_iter().map(Lane::from).collect(),
        }
    }
}

impl From<LaneSnapshot> for Lane {
    fn from(lane: LaneSnapshot) -> Self {
        Self {
            lane: lane.lane.as_str(),
            threads: lane.threads,
            threads_max: lane.threads_max,
            running: lane.running,
            waiting: lane.waiting,
            waiting_max: lane.waiting_max,
            overloaded: lane.overloaded,
            admitted: lane.admitted,
            completed: lane.completed,
            refused: lane.refused,
            deadline_passed: lane.deadline_passed,
            client_gone: lane.client_gone,
            panicked: lane.panicked,
            service_time_ms: millis(lane.service_time),
        }
    }
}

/// `GET /api/stalls`.
#[derive(Serialize)]
pub(super) struct Stalls {
    version: u32,
    stalls: Vec<Stall>,
}

#[derive(Serialize)]
struct Stall {
    route: String,
    over: bool,
    #[serde(flatten)]
    evidence: Evidence,
}

impl Stalls {
    pub(super) fn of(handle: &Handle) -> Self {
        let name = |id| {
            handle
                .routes()
                .get(id)
                .map_or_else(String::new, |route| route.spec().name.clone())
        };
        let stall = |stall: siding_runtime::Stall| Stall {
            route: name(stall.evidence.route),
            over: stall.over,
            evidence: Evidence::from(&stall.evidence),
        };
        Self {
            version: VERSION,
            stalls: handle.stalls().into_iter().map(stall).collect(),
        }
    }
}

pub(super) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
