//! `GET /api/routes` and `GET /api/routes/{id}`.

use serde::Serialize;
use siding_runtime::{Handle, LaneKind, Move, RouteSnapshot};

use super::evidence::Evidence;
use super::{VERSION, millis, unix_ms};
use crate::admin::source::Excerpt;

/// Every route, the framework's own first.
#[derive(Serialize)]
pub(in crate::admin) struct Routes {
    version: u32,
    routes: Vec<Route>,
}

/// A route with what convicted it.
#[derive(Serialize)]
struct Route {
    #[serde(flatten)]
    summary: Summary,
    evidence: Option<Evidence>,
    /// The latest, oldest first.
    moves: Vec<Moved>,
    advice: Option<String>,
}

/// A route with what convicted it, and the source of that.
#[derive(Serialize)]
pub(in crate::admin) struct OneRoute {
    version: u32,
    #[serde(flatten)]
    route: Route,
    /// Innermost first; without the frames whose files cannot be read here.
    source: Vec<Source>,
}

/// Lines around the one that a frame of the stack is at.
#[derive(Serialize)]
struct Source {
    /// The frame's place in `evidence.stack`.
    frame: usize,
    file: String,
    line: u32,
    lines: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    number: u32,
    text: String,
    /// Whether the frame is at it.
    marked: bool,
}

/// A route's figures.
#[derive(Serialize)]
pub(in crate::admin) struct Summary {
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
    /// Whether there is something to change in its code.
    advised: bool,
    latency_ms_p50: f64,
    latency_ms_p90: f64,
    latency_ms_p99: f64,
    latency_ms_max: f64,
}

#[derive(Serialize)]
pub(super) struct Moved {
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
    fn from(mut route: RouteSnapshot) -> Self {
        let (evidence, advice) = (route.evidence.as_ref(), route.advice.clone());
        Self {
            evidence: evidence.map(Evidence::from),
            moves: std::mem::take(&mut route.moves)
                .into_iter()
                .map(Moved::from)
                .collect(),
            advice,
            summary: Summary::from(route),
        }
    }
}

impl OneRoute {
    pub(in crate::admin) fn new(route: RouteSnapshot, source: Vec<Excerpt>) -> Self {
        Self {
            version: VERSION,
            route: Route::from(route),
            source: source.into_iter().map(Source::from).collect(),
        }
    }
}

impl From<Excerpt> for Source {
    fn from(excerpt: Excerpt) -> Self {
        let at = excerpt.line;
        let line = |(number, text)| Line {
            number,
            text,
            marked: number == at,
        };
        Self {
            frame: excerpt.frame,
            file: excerpt.file,
            line: at,
            lines: excerpt.lines.into_iter().map(line).collect(),
        }
    }
}

impl Summary {
    pub(in crate::admin) fn of(route: &siding_runtime::Route) -> Self {
        Self::from(route.snapshot())
    }
}

impl From<RouteSnapshot> for Summary {
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
            advised: route.advice.is_some(),
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
