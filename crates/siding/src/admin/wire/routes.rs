//! `GET /api/routes`.

use serde::Serialize;
use siding_runtime::{Handle, LaneKind, Move, RouteSnapshot};

use super::evidence::Evidence;
use super::{VERSION, millis, unix_ms};

/// Every route, the framework's own first.
#[derive(Serialize)]
pub(in crate::admin) struct Routes {
    version: u32,
    routes: Vec<Route>,
}

#[derive(Serialize)]
struct Route {
    id: u32,
    name: String,
    /// `async fn` or `fn`.
    kind: &'static str,
    declared_lane: &'static str,
    /// The lane that placement decided on.
    current_lane: &'static str,
    /// The lane that its requests take at the moment while one of them stalls the event loop.
    diverted_to: Option<&'static str>,
    pinned: bool,
    requests: u64,
    stalls: u64,
    convictions: u32,
    /// What it was doing when it was convicted last.
    verdict: Option<&'static str>,
    evidence: Option<Evidence>,
    moves: Vec<Moved>,
    advice: Option<String>,
    latency_ms_p50: f64,
    latency_ms_p90: f64,
    latency_ms_p99: f64,
    latency_ms_max: f64,
}

#[derive(Serialize)]
struct Moved {
    at_unix_ms: f64,
    from: &'static str,
    to: &'static str,
    reason: &'static str,
}

impl Routes {
    pub(in crate::admin) fn of(handle: &Handle) -> Self {
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
        let latency = route.latency;
        Self {
            id: route.id.get(),
            kind: route.spec.kind.as_str(),
            declared_lane: route.spec.declared.as_str(),
            current_lane: route.settled.as_str(),
            diverted_to: (route.lane != route.settled).then(|| LaneKind::as_str(route.lane)),
            pinned: route.spec.pinned,
            name: route.spec.name,
            requests: latency.count,
            stalls: route.stalls,
            convictions: route.convictions,
            verdict: route
                .evidence
                .as_ref()
                .map(|evidence| evidence.verdict.as_str()),
            evidence: route.evidence.as_ref().map(Evidence::from),
            moves: route.moves.into_iter().map(Moved::from).collect(),
            advice: route.advice,
            latency_ms_p50: millis(latency.p50),
            latency_ms_p90: millis(latency.p90),
            latency_ms_p99: millis(latency.p99),
            latency_ms_max: millis(latency.max),
        }
    }
}

impl From<Move> for Moved {
    fn from(moved: Move) -> Self {
        Self {
            at_unix_ms: unix_ms(moved.at),
            from: moved.from.as_str(),
            to: moved.to.as_str(),
            reason: moved.reason.as_str(),
        }
    }
}
