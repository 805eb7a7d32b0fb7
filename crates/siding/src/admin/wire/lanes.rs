//! `GET /api/lanes`.

use serde::Serialize;
use siding_runtime::{Handle, LaneSnapshot};

use super::{VERSION, millis};

/// The lanes that take jobs.
#[derive(Serialize)]
pub(in crate::admin) struct Lanes {
    version: u32,
    lanes: Vec<Lane>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Lane {
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
    killed: u64,
    crashed: u64,
    service_time_ms: f64,
}

impl Lanes {
    pub(in crate::admin) fn of(handle: &Handle) -> Self {
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
            killed: lane.killed,
            crashed: lane.crashed,
            service_time_ms: millis(lane.service_time),
        }
    }
}
