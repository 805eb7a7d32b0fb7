//! Whether a worker sends events of its tasks.

use super::{Answer, Panel, ok};
use crate::message::RawJson;

pub(super) fn enable(panel: &Panel) -> Answer {
    ok(match panel.reporter.enable(true) {
        true => "task events enabled",
        false => "task events already enabled",
    })
}

pub(super) fn disable(panel: &Panel) -> Answer {
    ok(match panel.reporter.enable(false) {
        true => "task events disabled",
        false => "task events already disabled",
    })
}

/// Sends a heartbeat at once.
pub(super) fn heartbeat(panel: &Panel) -> Answer {
    panel.reporter.beat.notify_one();
    Ok(RawJson::null())
}
