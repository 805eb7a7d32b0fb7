//! What this process broadcasts to workers.

use std::collections::BTreeMap;

use serde_json::json;

use crate::broker::Revocation;
use crate::message::{RawJson, TaskId};
use crate::remote::Broadcast;

/// Tells every worker that a task is revoked, as `celery control revoke` does.
pub(crate) fn revocation(id: &TaskId, revocation: Revocation) -> Broadcast {
    let body = json!({
        "method": "revoke",
        "arguments": {
            "task_id": id,
            "terminate": revocation == Revocation::Terminate,
            "signal": null,
        },
        "destination": null,
        "pattern": null,
        "matcher": null,
    });
    Broadcast {
        headers: BTreeMap::new(),
        body: RawJson::of(&body).unwrap_or_else(|_| RawJson::null()),
    }
}
