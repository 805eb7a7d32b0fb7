//! What `GET /api/live` sends: one type for the data of each event.

use std::time::SystemTime;

use serde::Serialize;
use serde_json::value::RawValue;
use siding_runtime::{Counts, Handle, Move, Route as RuntimeRoute, RouteId, Stall};

use super::lanes::Lane;
use super::overview::{Overview, Relief};
use super::routes::{Moved, Summary};
use super::stalls::Entry;
use super::{millis, unix_ms};
use crate::admin::application::Application;

/// `snapshot`: everything.
#[derive(Serialize)]
pub(in crate::admin) struct Snapshot<'a> {
    at_unix_ms: f64,
    overview: Overview,
    lanes: Vec<Lane>,
    relief: Relief,
    routes: Vec<Summary>,
    stalls: Vec<Entry>,
    /// `null` without tasks, and until they have been counted.
    tasks: Option<&'a RawValue>,
    /// `null` without clients of inference services.
    upstreams: Option<Box<RawValue>>,
}

impl<'a> Snapshot<'a> {
    pub(in crate::admin) fn of(application: &Application, tasks: Option<&'a RawValue>) -> Self {
        let handle = &application.handle;
        let routes = handle.routes().all();
        let stalls = handle.stalls();
        Self {
            at_unix_ms: unix_ms(SystemTime::now()),
            overview: Overview::of(application),
            lanes: handle.lanes().into_iter().map(Lane::from).collect(),
            relief: Relief::of(handle),
            routes: routes.iter().map(|route| Summary::of(route)).collect(),
            stalls: stalls
                .iter()
                .map(|stall| Entry::of(handle, stall))
                .collect(),
            tasks,
            upstreams: application.upstreams(),
        }
    }
}

/// `lanes`.
#[derive(Serialize)]
pub(in crate::admin) struct LanesNow {
    at_unix_ms: f64,
    #[serde(flatten)]
    occupancy: Occupancy,
}

/// What lanes and event loop are doing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(in crate::admin) struct Occupancy {
    lanes: Vec<Lane>,
    relief: Relief,
}

impl Occupancy {
    pub(in crate::admin) fn of(handle: &Handle) -> Self {
        Self {
            lanes: handle.lanes().into_iter().map(Lane::from).collect(),
            relief: Relief::of(handle),
        }
    }

    pub(in crate::admin) fn now(self) -> LanesNow {
        LanesNow {
            at_unix_ms: unix_ms(SystemTime::now()),
            occupancy: self,
        }
    }
}

/// `routes`.
#[derive(Serialize)]
pub(in crate::admin) struct RoutesNow {
    at_unix_ms: f64,
    interval: Interval,
    routes: Vec<Summary>,
}

/// The requests to all routes between two events.
#[derive(Serialize)]
struct Interval {
    requests: u64,
    latency_ms_p50: f64,
    latency_ms_p99: f64,
}

impl RoutesNow {
    /// Of the routes that changed, and the latencies that all routes have had since the event before.
    pub(in crate::admin) fn new(routes: Vec<Summary>, latencies: &Counts) -> Self {
        let percentiles = latencies.percentiles();
        Self {
            at_unix_ms: unix_ms(SystemTime::now()),
            interval: Interval {
                requests: percentiles.count,
                latency_ms_p50: millis(percentiles.p50),
                latency_ms_p99: millis(percentiles.p99),
            },
            routes,
        }
    }
}

/// `moved`.
#[derive(Serialize)]
pub(in crate::admin) struct RouteMoved<'a> {
    route_id: u32,
    route: &'a str,
    #[serde(flatten)]
    moved: Moved,
}

impl<'a> RouteMoved<'a> {
    pub(in crate::admin) fn of(route: &'a RuntimeRoute, moved: Move) -> Self {
        Self {
            route_id: route.id().get(),
            route: &route.spec().name,
            moved: Moved::from(moved),
        }
    }
}

/// `stall`.
pub(in crate::admin) fn stall(handle: &Handle, stall: &Stall) -> impl Serialize + use<> {
    Entry::of(handle, stall)
}

/// What tells one stall from another.
pub(in crate::admin) fn stall_key(stall: &Stall) -> (RouteId, SystemTime) {
    (stall.evidence.route, stall.evidence.at)
}
