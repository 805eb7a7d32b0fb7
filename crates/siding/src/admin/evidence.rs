//! The JSON of what was seen of a stall, and of how a route moved.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use siding_runtime::{BlockedOn, Stack, Target, Verdict};

use super::wire::millis;

/// One poll that held its thread too long.
#[derive(Serialize)]
pub(super) struct Evidence {
    lane: &'static str,
    began_unix_ms: u64,
    lasted_ms: f64,
    verdict: &'static str,
    /// The verdict in words: `blocked in recvfrom from 127.0.0.1:5432 (PostgreSQL)`.
    summary: String,
    system_call: Option<String>,
    peer: Option<String>,
    service: Option<&'static str>,
    path: Option<String>,
    /// Innermost first. Absent while its symbols are being resolved, and when none could be taken.
    stack: Option<Vec<Frame>>,
    /// Why there is no stack.
    stack_missing: Option<String>,
}

#[derive(Serialize)]
struct Frame {
    function: String,
    file: Option<String>,
    line: Option<u32>,
    /// Whether this is the first frame of the developer's own code.
    yours: bool,
}

impl From<&siding_runtime::Evidence> for Evidence {
    fn from(evidence: &siding_runtime::Evidence) -> Self {
        let on = match &evidence.verdict {
            Verdict::Blocked { on } => on.as_ref(),
            Verdict::Computing | Verdict::Preempted | Verdict::Unknown { .. } => None,
        };
        let (peer, service, path) = on.map_or((None, None, None), target);
        let stack = evidence.stack.get();
        Self {
            lane: evidence.lane.as_str(),
            began_unix_ms: unix_ms(evidence.at),
            lasted_ms: millis(evidence.lasted),
            verdict: evidence.verdict.as_str(),
            summary: evidence.verdict.to_string(),
            system_call: on.map(|on| on.syscall.to_string()),
            peer,
            service,
            path,
            stack: stack.and_then(|stack| stack.as_ref().ok()).map(frames),
            stack_missing: stack.and_then(|stack| stack.as_ref().err()).cloned(),
        }
    }
}

/// The peer, the service behind it, and the path that a call waits for.
fn target(on: &BlockedOn) -> (Option<String>, Option<&'static str>, Option<String>) {
    match &on.target {
        Some(Target::Peer {
            address, service, ..
        }) => (Some(address.to_string()), *service, None),
        Some(Target::Unix { path }) => (None, None, path.as_deref().map(text)),
        Some(Target::File { path, .. }) => (None, None, Some(text(path))),
        _ => (None, None, None),
    }
}

fn frames(stack: &Stack) -> Vec<Frame> {
    let yours = stack.user_frame();
    let frame = |frame: &siding_runtime::Frame| Frame {
        function: frame.function.clone(),
        file: frame.file.as_deref().map(text),
        line: frame.line,
        yours: yours.is_some_and(|yours| std::ptr::eq(yours, frame)),
    };
    stack.frames.iter().map(frame).collect()
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// One change of a route's lane.
#[derive(Serialize)]
pub(super) struct Move {
    at_unix_ms: u64,
    from: &'static str,
    to: &'static str,
    reason: &'static str,
}

impl From<&siding_runtime::Move> for Move {
    fn from(step: &siding_runtime::Move) -> Self {
        Self {
            at_unix_ms: unix_ms(step.at),
            from: step.from.as_str(),
            to: step.to.as_str(),
            reason: step.reason.as_str(),
        }
    }
}

/// Milliseconds since 1970, as JavaScript counts.
fn unix_ms(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
