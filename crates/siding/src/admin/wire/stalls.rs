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
pub(super) struct Entry {
    route_id: u32,
    route: Option<String>,
    over: bool,
    #[serde(flatten)]
    evidence: Evidence,
}

impl Stalls {
    pub(in crate::admin) fn of(handle: &Handle) -> Self {
        let stalls = handle.stalls();
        Self {
            version: VERSION,
            stalls: stalls
                .iter()
                .map(|stall| Entry::of(handle, stall))
                .collect(),
        }
    }
}

impl Entry {
    pub(super) fn of(handle: &Handle, stall: &Stall) -> Self {
        let route = handle.routes().get(stall.evidence.route);
        Self {
            route_id: stall.evidence.route.get(),
            route: route.map(|route| route.spec().name.clone()),
            over: stall.over,
            evidence: Evidence::from(&stall.evidence),
        }
    }
}
