//! Clients of inference services, and what they know of their replicas.

use std::fmt;

use super::Page;
use super::writer::{Labels, Writer, label, number, seconds};
use crate::inference::{BreakerState, ClientSnapshot, ReplicaSnapshot};
use crate::metrics::catalogue as names;

impl Page {
    pub(super) fn upstreams(&self, out: &mut Writer<'_>) -> fmt::Result {
        let probes = self.metrics.0.probes.get();
        let clients = probes.map(|probes| probes.upstreams()).unwrap_or_default();
        let clients: Vec<_> = clients.iter().map(|client| client.snapshot()).collect();
        let each = |value: fn(&ClientSnapshot) -> u64| {
            let series = clients.iter();
            series.map(move |client| (vec![of(client)], value(client)))
        };
        out.counters(names::UPSTREAM_REQUESTS, each(|client| client.requests))?;
        out.counters(names::UPSTREAM_ANSWERED, each(|client| client.answered))?;
        out.counters(names::UPSTREAM_REFUSED, each(|client| client.gate.refused))?;
        out.counters(names::UPSTREAM_LATE, each(|client| client.deadline_passed))?;
        out.counters(names::UPSTREAM_RETRIES, each(|client| client.retries))?;
        out.gauges(
            names::UPSTREAM_RUNNING,
            each(|client| number(client.gate.running)),
        )?;
        out.gauges(
            names::UPSTREAM_RUNNING_MAX,
            each(|client| number(client.gate.permits)),
        )?;
        out.gauges(
            names::UPSTREAM_WAITING,
            each(|client| number(client.gate.waiting)),
        )?;
        out.gauges(
            names::UPSTREAM_WAITING_MAX,
            each(|client| number(client.gate.waiting_max)),
        )?;
        let service = clients.iter();
        out.gauges(
            names::UPSTREAM_SERVICE,
            service.map(|client| (vec![of(client)], seconds(client.gate.service_time))),
        )?;
        let each = |value: fn(&ReplicaSnapshot) -> u64| {
            let replicas = clients.iter().flat_map(|client| {
                let replicas = client.replicas.iter();
                replicas.map(move |replica| (with_replica(client, replica), replica))
            });
            replicas.map(move |(labels, replica)| (labels, value(replica)))
        };
        let states = clients.iter().flat_map(|client| {
            let replicas = client.replicas.iter();
            replicas.flat_map(move |replica| {
                BreakerState::ALL.map(|state| {
                    let mut labels = with_replica(client, replica);
                    labels.push(label("state", state.as_str()));
                    (labels, u64::from(state == replica.state))
                })
            })
        });
        out.gauges(names::REPLICA_STATE, states)?;
        out.gauges(
            names::REPLICA_OUTSTANDING,
            each(|replica| number(replica.outstanding)),
        )?;
        out.counters(names::REPLICA_REQUESTS, each(|replica| replica.requests))?;
        out.counters(names::REPLICA_FAILURES, each(|replica| replica.failures))?;
        out.counters(names::REPLICA_EJECTIONS, each(|replica| replica.ejections))
    }
}

fn of(client: &ClientSnapshot) -> (&'static str, String) {
    label("client", &*client.name)
}

fn with_replica(client: &ClientSnapshot, replica: &ReplicaSnapshot) -> Labels {
    vec![of(client), label("replica", &*replica.url)]
}
