//! `GET /api/upstreams`.

use std::time::SystemTime;

use serde::Serialize;

use super::{VERSION, millis, unix_ms};
use crate::inference::{ClientSnapshot, ReplicaSnapshot};

/// The clients of inference services.
#[derive(Serialize)]
pub(in crate::admin) struct Upstreams {
    version: u32,
    upstreams: Vec<Upstream>,
}

#[derive(Serialize)]
struct Upstream {
    name: String,
    /// `closed` while a replica takes requests, `open` while none does, and otherwise `half-open`.
    state: &'static str,
    running: usize,
    running_max: usize,
    waiting: usize,
    waiting_max: usize,
    overloaded: bool,
    requests: u64,
    answered: u64,
    /// Because too many were under way.
    refused: u64,
    deadline_passed: u64,
    retries: u64,
    service_time_ms: f64,
    replicas: Vec<Replica>,
}

#[derive(Serialize)]
struct Replica {
    /// Without credentials.
    url: String,
    /// `closed`, `half-open` or `open`.
    state: &'static str,
    outstanding: usize,
    requests: u64,
    failures: u64,
    ejections: u64,
    /// Until when it is left alone.
    open_until_unix_ms: Option<f64>,
    last_error: Option<String>,
    last_error_unix_ms: Option<f64>,
}

/// To a tenth of a second: what is left of a time is read a little later each time, and the same moment must stay the same.
fn to_a_tenth(time: SystemTime) -> f64 {
    (unix_ms(time) / 100.0).round() * 100.0
}

impl Upstreams {
    pub(in crate::admin) fn of(clients: impl Iterator<Item = ClientSnapshot>) -> Self {
        Self {
            version: VERSION,
            upstreams: clients.map(Upstream::from).collect(),
        }
    }
}

impl From<ClientSnapshot> for Upstream {
    fn from(client: ClientSnapshot) -> Self {
        Self {
            name: (*client.name).to_owned(),
            state: client.state.as_str(),
            running: client.gate.running,
            running_max: client.gate.permits,
            waiting: client.gate.waiting,
            waiting_max: client.gate.waiting_max,
            overloaded: client.gate.overloaded,
            requests: client.requests,
            answered: client.answered,
            refused: client.gate.refused,
            deadline_passed: client.deadline_passed,
            retries: client.retries,
            service_time_ms: millis(client.gate.service_time),
            replicas: client.replicas.into_iter().map(Replica::from).collect(),
        }
    }
}

impl From<ReplicaSnapshot> for Replica {
    fn from(replica: ReplicaSnapshot) -> Self {
        let now = SystemTime::now();
        let (at, why) = replica.last_error.unzip();
        Self {
            url: (*replica.url).to_owned(),
            state: replica.state.as_str(),
            outstanding: replica.outstanding,
            requests: replica.requests,
            failures: replica.failures,
            ejections: replica.ejections,
            open_until_unix_ms: replica.open_for.map(|time| to_a_tenth(now + time)),
            last_error: why,
            last_error_unix_ms: at.map(unix_ms),
        }
    }
}
