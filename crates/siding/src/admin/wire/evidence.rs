//! What was seen of a poll that held its thread.

use serde::Serialize;
use siding_runtime::{BlockedOn, Frame, Stack, Target, Verdict};

use super::{millis, unix_ms};

#[derive(Serialize)]
pub(super) struct Evidence {
    began_unix_ms: f64,
    lane: &'static str,
    lasted_ms: f64,
    /// `computing`, `blocked`, `preempted` or `unknown`.
    verdict: &'static str,
    /// The verdict in words, with all that is known of it.
    summary: String,
    syscall: Option<String>,
    /// What the system call waited for, in words.
    target: Option<String>,
    /// The other end of a socket.
    peer: Option<String>,
    /// What the peer's port usually means.
    service: Option<&'static str>,
    /// The path of a file or of a Unix socket.
    path: Option<String>,
    /// Innermost first.
    stack: Option<Vec<StackFrame>>,
    /// The place in `stack` of the innermost frame of the developer's own code.
    user_frame: Option<usize>,
    /// Why there is no stack.
    stack_error: Option<String>,
}

#[derive(Serialize)]
struct StackFrame {
    function: String,
    file: Option<String>,
    line: Option<u32>,
}

impl From<&siding_runtime::Evidence> for Evidence {
    fn from(seen: &siding_runtime::Evidence) -> Self {
        let on = match &seen.verdict {
            Verdict::Blocked { on } => on.as_ref(),
            Verdict::Computing | Verdict::Preempted | Verdict::Unknown { .. } => None,
        };
        let target = on.and_then(|on| on.target.as_ref());
        let user_frame = seen
            .stack
            .get()
            .and_then(|stack| user_frame(stack.as_ref().ok()?));
        let (stack, stack_error) = match seen.stack.get() {
            None => (None, None),
            Some(Ok(stack)) => (
                Some(stack.frames.iter().map(StackFrame::from).collect()),
                None,
            ),
            Some(Err(reason)) => (None, Some(reason.clone())),
        };
        Self {
            began_unix_ms: unix_ms(seen.at),
            lane: seen.lane.as_str(),
            lasted_ms: millis(seen.lasted),
            verdict: seen.verdict.as_str(),
            summary: seen.verdict.to_string(),
            syscall: on.map(|BlockedOn { syscall, .. }| syscall.clone().into_owned()),
            target: target.map(Target::to_string),
            peer: target.and_then(peer),
            service: target.and_then(service),
            path: target.and_then(path),
            stack,
            user_frame,
            stack_error,
        }
    }
}

fn user_frame(stack: &Stack) -> Option<usize> {
    let own = stack.user_frame()?;
    stack
        .frames
        .iter()
        .position(|frame| std::ptr::eq(frame, own))
}

impl From<&Frame> for StackFrame {
    fn from(frame: &Frame) -> Self {
        Self {
            function: frame.function.clone(),
            file: frame.file.as_ref().map(|file| file.display().to_string()),
            line: frame.line,
        }
    }
}

fn peer(target: &Target) -> Option<String> {
    match target {
        Target::Peer { address, .. } => Some(address.to_string()),
        _ => None,
    }
}

fn service(target: &Target) -> Option<&'static str> {
    match target {
        Target::Peer { service, .. } => *service,
        _ => None,
    }
}

fn path(target: &Target) -> Option<String> {
    match target {
        Target::File { path, .. } | Target::Unix { path: Some(path) } => {
            Some(path.display().to_string())
        }
        _ => None,
    }
}
