//! `GET /api/stalls`.

use serde::Serialize;
use siding_runtime::{Handle, Stall};

use super::VERSION;
use super::evidence::Evidence;

/// The latest stalls of the event loop, oldest first.
#[derive(Serialize)]
pub(in crate::admin) struct Stalls {
    version: u32,
    stalls: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    route_id: u32,
    route: Option<String>,
    over: bool,
    #[serde(flatten)]
    evidence: Evidence,
}

impl Stalls {
    pub(in crate::admin) fn of(handle: &Handle) -> Self {
        let entry = |stall: Stall| Entry {
            route_id: stall.evidence.route.get(),
            route: handle
                .routes()
                .get(stall.evidence.route)
                .map(|route| route.spec().name.clone()),
            over: stall.over,
            evidence: Evidence::from(&stall.evidence),
        };
        Self {
            version: VERSION,
            stalls: handle.stalls().into_iter().map(entry).collect(),
        }
    }
}
