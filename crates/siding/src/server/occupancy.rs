//! How much a server has to do.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use super::shared::Shared;

/// Where to ask how much a server has to do. It does not keep the server.
#[derive(Clone, Debug)]
pub(crate) struct Occupancy(Weak<Shared>);

/// A server's figures at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Now {
    /// Requests whose response has not been handed over.
    pub(crate) requests: u64,
    /// Open connections.
    pub(crate) connections: usize,
    pub(crate) connections_max: usize,
    /// Connections since the start.
    pub(crate) accepted: u64,
}

impl Occupancy {
    pub(super) fn of(shared: &Arc<Shared>) -> Self {
        Self(Arc::downgrade(shared))
    }

    /// The figures now; `None` once the server is gone.
    pub(crate) fn now(&self) -> Option<Now> {
        let shared = self.0.upgrade()?;
        let (connections, requests) = shared.yard.count();
        Some(Now {
            requests,
            connections,
            connections_max: shared.limits.max_connections,
            accepted: shared.accepted.load(Ordering::Relaxed),
        })
    }
}
