//! `GET /api/overview`.

use serde::Serialize;
use siding_runtime::{Handle, ReliefSnapshot};

use super::{VERSION, unix_ms};
use crate::admin::application::Application;

/// What the application is.
#[derive(Serialize)]
pub(in crate::admin) struct Overview {
    version: u32,
    name: &'static str,
    /// Siding's version.
    siding: &'static str,
    started_unix_ms: f64,
    /// What the process does: `serve` or `worker`.
    role: &'static str,
    pid: u32,
    /// Event-loop threads, relief not counted: one a core unless set.
    cores: usize,
    relief: Relief,
    /// Whether it has tasks.
    tasks: bool,
    /// What is asked of who asks: `none` or `token`.
    auth: &'static str,
}

/// Spare event-loop threads.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(in crate::admin) struct Relief {
    /// Those that stand in for stalled ones.
    active: usize,
    max: usize,
}

impl Overview {
    pub(in crate::admin) fn of(application: &Application) -> Self {
        Self {
            version: VERSION,
            name: application.name,
            siding: env!("CARGO_PKG_VERSION"),
            started_unix_ms: unix_ms(application.started),
            role: application.role,
            pid: std::process::id(),
            cores: application.handle.config().event_loop_threads,
            relief: Relief::of(&application.handle),
            tasks: application.tasks.is_some(),
            auth: application.access.kind(),
        }
    }
}

impl Relief {
    pub(in crate::admin) fn of(handle: &Handle) -> Self {
        let ReliefSnapshot { active, max, .. } = handle.relief();
        Self { active, max }
    }
}
