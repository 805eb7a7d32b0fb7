//! The application that the admin listener tells of.

use std::time::SystemTime;

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
