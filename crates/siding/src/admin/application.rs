//! The application that the admin listener tells of.

use std::time::SystemTime;

use serde_json::value::RawValue;
use siding_runtime::Handle;
use siding_tasks::Tasks;

use super::access::Access;
use crate::lifespan::Probes;

/// The application that the admin listener tells of.
#[derive(Debug)]
pub(super) struct Application {
    pub(super) name: &'static str,
    /// What the process does: `serve` or `worker`.
    pub(super) role: &'static str,
    pub(super) started: SystemTime,
    pub(super) handle: Handle,
    pub(super) tasks: Option<Tasks>,
    pub(super) probes: Probes,
    pub(super) access: Access,
}

impl Application {
    /// The clients of inference services, as `/api/upstreams` has them; `None` where there are none.
    #[cfg(feature = "inference")]
    pub(super) fn upstreams(&self) -> Option<Box<RawValue>> {
        let clients = self.probes.upstreams();
        if clients.is_empty() {
            return None;
        }
        let upstreams = super::wire::Upstreams::of(clients.iter().map(|client| client.snapshot()));
        serde_json::value::to_raw_value(&upstreams).ok()
    }

    /// There can be none.
    #[cfg(not(feature = "inference"))]
    #[expect(clippy::unused_self, reason = "as with the feature")]
    pub(super) fn upstreams(&self) -> Option<Box<RawValue>> {
        None
    }
}
