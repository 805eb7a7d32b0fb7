//! One task, from all that a broker knows of it.

use siding_tasks::{Broker, BrokerError, Found, ListFilter, Listed, Revocation, State, TaskId};

use super::wire;

/// The task as it is listed, and what became of it.
pub(crate) async fn find(
    broker: &dyn Broker,
    id: TaskId,
) -> Result<Option<wire::Task>, BrokerError> {
    let filter = ListFilter {
        id: Some(id.clone()),
        limit: 1,
        ..ListFilter::default()
    };
    let listed = match broker.list(filter).await {
        Ok(mut tasks) => tasks.pop(),
        Err(BrokerError::Unsupported(_)) => None,
        Err(error) => return Err(error),
    };
    Ok(match (listed, broker.find(id).await?) {
        // A list may know the message alone.
        (Some(listed), Found::Known(meta)) => Some(wire::Task::from(Listed { meta, ..listed })),
        (Some(listed), Found::Unknown) => Some(wire::Task::from(listed)),
        (None, Found::Known(meta)) => Some(wire::Task::from(meta)),
        (None, Found::Unknown) => None,
    })
}

/// What a revocation has made of a task.
pub(crate) fn became(found: &Found, revocation: Revocation) -> &'static str {
    let state = match found {
        Found::Known(meta) => meta.state,
        Found::Unknown => State::Revoked,
    };
    match (state, revocation) {
        (State::Started, Revocation::Ignore) => {
            "runs already, and goes on to its end; revoking it with terminate ends it"
        }
        (State::Started, Revocation::Terminate) => "runs, and is told to end",
        (State::Success | State::Failure, _) => "has ended already, and stays as it is",
        (State::Pending | State::Retry | State::Revoked, _) => "is revoked",
    }
}
