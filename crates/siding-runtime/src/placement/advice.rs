//! What to change in the code: one or two sentences from the evidence.

use super::clients;
use super::evidence::Evidence;
use super::spec::{Kind, RouteSpec};
use super::verdict::Verdict;
use crate::inspect::{BlockedOn, Target};
use crate::lane::LaneKind;

/// The advice for a route that `evidence` convicted and that now runs on `settled`.
pub(super) fn advice(spec: &RouteSpec, settled: LaneKind, evidence: &Evidence) -> Option<String> {
    let change = match (&evidence.verdict, spec.kind) {
        (Verdict::Blocked { on }, Kind::Async) => {
            format!("{}, make the handler a plain `fn`, or wrap the call in `offload(|| …)`", instead_of(on.as_ref(), evidence))
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

/// The non-blocking way to do what was done: by the client that waits in the stack, or else by what `on` waits for.
fn instead_of(on: Option<&BlockedOn>, evidence: &Evidence) -> &'static str {
    let stack = evidence.stack.get().and_then(|stack| stack.as_ref().ok());
    stack
        .and_then(clients::instead_of)
        .unwrap_or_else(|| instead_of_waiting_for(on.and_then(|on| on.target.as_ref())))
}

fn instead_of_waiting_for(target: Option<&Target>) -> &'static str {
    match target {
        Some(Target::Peer {
            service: Some(service),
            ..
        }) => instead_of_asking(service),
        Some(Target::Peer { .. } | Target::Unix { .. }) => "Use an async client",
        Some(Target::File { .. }) => "Use `tokio::fs`",
        Some(Target::Sleep { .. }) => "Use `tokio::time::sleep`",
        Some(Target::Child) => "Use `tokio::process`",
        Some(Target::Lock) => "Hold the lock for less time, use `tokio::sync::Mutex`",
        _ => "Use the async way to do it",
    }
}

fn instead_of_asking(service: &str) -> &'static str {
    match service {
        "PostgreSQL" | "MySQL or MariaDB" => "Use an async client (`sqlx`, `diesel-async`)",
        "Redis" => "Use the async API of `redis`",
        "MongoDB" => "Use the async API of `mongodb`",
        "DNS" => "Use `tokio::net::lookup_host`",
        "HTTP" | "HTTPS" => "Use an async client (`reqwest`)",
        _ => "Use an async client",
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::context::RouteId;
    use crate::inspect::{Frame, Stack};
    use crate::placement::PendingStack;

    /// A poll that blocked the event loop on `target`.
    fn evidence(target: Target) -> Evidence {
        let on = BlockedOn {
            syscall: "recvfrom".into(),
            target: Some(target),
        };
        Evidence {
            route: RouteId::BACKGROUND,
            lane: LaneKind::EventLoop,
            at: SystemTime::now(),
            lasted: Duration::from_millis(100),
            verdict: Verdict::Blocked { on: Some(on) },
            stack: PendingStack::default(),
        }
    }

    #[track_caller]
    fn check(evidence: &Evidence, words: &[&str]) {
        let spec = RouteSpec {
            name: "GET /x".to_owned(),
            kind: Kind::Async,
            declared: LaneKind::EventLoop,
            pinned: false,
        };
        let advice = advice(&spec, LaneKind::Threads, evidence).expect("there is advice");
        for words in words {
            assert!(advice.contains(words), "{advice:?} lacks {words:?}");
        }
    }

    fn peer(address: &str) -> Target {
        Target::peer(address.parse().unwrap())
    }

    #[test]
    fn services_are_named_with_what_to_use_instead() {
        for (target, words) in [
            (
                peer("127.0.0.1:5432"),
                ["127.0.0.1:5432 (PostgreSQL)", "`sqlx`"],
            ),
            (
                peer("127.0.0.1:3306"),
                ["127.0.0.1:3306 (MySQL or MariaDB)", "`diesel-async`"],
            ),
            (
                peer("127.0.0.2:6379"),
                ["127.0.0.2:6379 (Redis)", "async API of `redis`"],
            ),
            (
                peer("127.0.0.1:27017"),
                ["127.0.0.1:27017 (MongoDB)", "async API of `mongodb`"],
            ),
            (
                peer("127.0.0.1:49152"),
                ["127.0.0.1:49152", "an async client"],
            ),
            (Target::Child, ["a child process", "`tokio::process`"]),
        ] {
            check(&evidence(target), &words);
        }
    }

    #[test]
    fn the_client_in_the_stack_says_more_than_what_it_waits_for() {
        let evidence = evidence(peer("127.0.0.1:49152"));
        let frame = Frame {
            function: "<ureq::Agent>::run".to_owned(),
            file: None,
            line: None,
        };
        check(&evidence, &["Use an async client"]);
        let frames = vec![frame];
        evidence.stack.set(Ok(Stack { frames }));
        check(&evidence, &["Use `reqwest` instead of `ureq`"]);
    }
}
