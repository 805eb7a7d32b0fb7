//! What to change in the code: one or two sentences from the evidence.

use super::evidence::Evidence;
use super::spec::{Kind, RouteSpec};
use super::verdict::Verdict;
use crate::inspect::{BlockedOn, Target};
use crate::lane::LaneKind;

/// The advice for a route that `evidence` convicted and that now runs on `settled`.
pub(super) fn advice(spec: &RouteSpec, settled: LaneKind, evidence: &Evidence) -> Option<String> {
    let change = match (&evidence.verdict, spec.kind) {
        (Verdict::Blocked { on }, Kind::Async) => {
            format!("{}, make the handler a plain `fn`, or wrap the call in `offload(|| …)`", instead_of(on.as_ref()))
        }
        (Verdict::Computing, Kind::Async) => {
            "Wrap the computation in `compute(|| …)`, or make it a task when it takes long".to_owned()
        }
        (Verdict::Computing, Kind::Plain) => {
            "Declare the handler with `compute(…)`, or make the work a task when it takes long".to_owned()
        }
        (Verdict::Blocked { .. }, Kind::Plain) => {
            "Declare the handler without `compute(…)`: it blocks more than it computes".to_owned()
        }
        (Verdict::Unknown { .. }, _) => {
            "See its stack for what it did; wrap that in `offload(|| …)` if it blocks, in `compute(|| …)` if it computes"
                .to_owned()
        }
        (Verdict::Preempted, _) => return None,
    };
    Some(format!(
        "{} {}{}; {}. {change}.",
        spec.name,
        deed(evidence),
        place(evidence),
        consequence(spec, settled)
    ))
}

/// What the route did: `blocked the event loop for 1.0 s in recvfrom from 127.0.0.1:5432 (PostgreSQL)`.
fn deed(evidence: &Evidence) -> String {
    let (lasted, lane) = (evidence.lasted, lane_in_words(evidence.lane));
    match &evidence.verdict {
        Verdict::Blocked { on: Some(on) } => format!("blocked {lane} for {lasted:.0?} in {on}"),
        Verdict::Blocked { on: None } => format!("blocked {lane} for {lasted:.0?}"),
        Verdict::Computing => format!("computed on {lane} for {lasted:.0?}"),
        Verdict::Preempted | Verdict::Unknown { .. } => format!("held {lane} for {lasted:.0?}"),
    }
}

/// Where in the developer's code: ` at src/main.rs:12`.
fn place(evidence: &Evidence) -> String {
    let Some(Ok(stack)) = evidence.stack.get() else {
        return String::new();
    };
    stack
        .user_frame()
        .map_or_else(String::new, |frame| format!(" at {frame}"))
}

fn consequence(spec: &RouteSpec, settled: LaneKind) -> String {
    let now = lane_in_words(settled);
    match (spec.pinned, settled == spec.declared) {
        (true, _) => format!("it is pinned, so it stays on {now} and relief workers carry it"),
        (false, true) => format!("it is on trial on {now} again"),
        (false, false) => format!("it now runs on {now}"),
    }
}

const fn lane_in_words(lane: LaneKind) -> &'static str {
    match lane {
        LaneKind::EventLoop => "the event loop",
        LaneKind::Threads => "the threads lane",
        LaneKind::Compute => "the compute lane",
        LaneKind::Processes => "the process lane",
    }
}

/// The non-blocking way to do what `on` did.
fn instead_of(on: Option<&BlockedOn>) -> &'static str {
    match on.and_then(|on| on.target.as_ref()) {
        Some(Target::Peer {
            service: Some("PostgreSQL" | "MySQL" | "MySQL or MariaDB"),
            ..
        }) => "Use an async client (`sqlx`, `diesel-async`)",
        Some(Target::Peer {
            service: Some("Redis"),
            ..
        }) => "Use the async API of `redis`",
        Some(Target::Peer {
            service: Some("DNS"),
            ..
        }) => "Use `tokio::net::lookup_host`",
        Some(Target::Peer {
            service: Some("HTTP" | "HTTPS"),
            ..
        }) => "Use an async client (`reqwest`)",
        Some(Target::Peer { .. } | Target::Unix { .. }) => "Use an async client",
        Some(Target::File { .. }) => "Use `tokio::fs`",
        Some(Target::Sleep { .. }) => "Use `tokio::time::sleep`",
        Some(Target::Lock) => "Hold the lock for less time, use `tokio::sync::Mutex`",
        _ => "Use the async way to do it",
    }
}
