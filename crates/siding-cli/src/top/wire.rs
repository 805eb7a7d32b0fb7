//! What the admin listener answers, as far as it is shown.
//!
//! Fields that are not known are skipped, fields that are missing or `null` are zero or empty: an older or newer server shows less,
//! never an error. Every text is made [`harmless`] here, so that nothing behind this module has to think of it.

use serde_json::Value;

use super::text::{harmless, harmless_lines};

/// A lane.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lane {
    /// Its name.
    pub name: String,
    /// Threads, or child processes, that it has now.
    pub threads: u64,
    /// As many as it may have.
    pub threads_max: u64,
    /// Jobs that run.
    pub running: u64,
    /// Jobs that wait.
    pub waiting: u64,
    /// As many as may wait.
    pub waiting_max: u64,
    /// Whether it sheds load.
    pub overloaded: bool,
    /// Jobs that came to their end, since the start.
    pub completed: u64,
    /// Jobs that were refused, since the start.
    pub refused: u64,
}

/// A route.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Route {
    /// Its number, the same as long as the server runs.
    pub id: u64,
    /// Method and path.
    pub name: String,
    /// `async fn` or `fn`.
    pub kind: String,
    /// The lane that it was declared for.
    pub declared: String,
    /// The lane that it is on.
    pub current: String,
    /// The lane that its requests take while one of them stalls.
    pub diverted_to: String,
    /// Whether placement may not move it.
    pub pinned: bool,
    /// Requests since the start.
    pub requests: u64,
    /// Stalls since the start.
    pub stalls: u64,
    /// What it was convicted of last.
    pub verdict: String,
    /// The same, with all that is known of it.
    pub evidence: Option<Evidence>,
    /// From lane to lane, oldest first.
    pub moves: Vec<Move>,
    /// What to change, line by line.
    pub advice: Vec<String>,
    /// Latency percentiles, in milliseconds.
    pub p50_ms: f64,
    /// The 99th.
    pub p99_ms: f64,
}

/// What was seen of a poll that held its thread.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evidence {
    /// When it began.
    pub began_unix_ms: f64,
    /// How long it lasted, or lasts so far.
    pub lasted_ms: f64,
    /// One word.
    pub verdict: String,
    /// The verdict in words.
    pub summary: String,
    /// The system call that it was in.
    pub syscall: String,
    /// What the system call waited for.
    pub target: String,
    /// The other end of a socket, and what its port usually means.
    pub peer: String,
    /// Innermost first, one line each.
    pub stack: Vec<String>,
    /// Why there is no stack.
    pub stack_error: String,
}

/// A move from lane to lane.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Move {
    /// When.
    pub at_unix_ms: f64,
    /// The lane before.
    pub from: String,
    /// The lane after.
    pub to: String,
    /// Why.
    pub reason: String,
}

/// A stall of the event loop.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stall {
    /// The route's number.
    pub route_id: u64,
    /// The route's name, where it has one.
    pub route: String,
    /// Whether it is over.
    pub over: bool,
    /// What was seen of it.
    pub evidence: Evidence,
}

/// How many tasks of a queue are in a state.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct QueueCount {
    /// The queue.
    pub queue: String,
    /// The state.
    pub state: String,
    /// How many.
    pub tasks: u64,
}

/// A client of an inference service.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Upstream {
    /// Its name.
    pub name: String,
    /// `closed` while a replica takes requests, `open` while none does, and otherwise `half-open`.
    pub state: String,
    /// Requests under way.
    pub running: u64,
    /// As many as may be.
    pub running_max: u64,
    /// Requests that wait to be sent.
    pub waiting: u64,
    /// Requests that were refused, since the start.
    pub refused: u64,
    /// Replicas that are left alone, each with what it did last.
    pub alone: Vec<String>,
}

impl Route {
    /// The lane it was declared for, and where it is now if that is another.
    #[must_use]
    pub fn lane(&self) -> String {
        let mut lane = self.declared.clone();
        if self.current != self.declared {
            lane = format!("{lane} -> {}", self.current);
        }
        if !self.diverted_to.is_empty() {
            lane = format!("{lane} (now {})", self.diverted_to);
        }
        if self.pinned {
            lane.push_str(" pinned");
        }
        lane
    }
}

/// The lanes in the answer to `/api/lanes`.
#[must_use]
pub fn lanes(answer: &Value) -> Vec<Lane> {
    let lane = |lane: &Value| Lane {
        name: text(&lane["lane"]),
        threads: count(&lane["threads"]),
        threads_max: count(&lane["threads_max"]),
        running: count(&lane["running"]),
        waiting: count(&lane["waiting"]),
        waiting_max: count(&lane["waiting_max"]),
        overloaded: truth(&lane["overloaded"]),
        completed: count(&lane["completed"]),
        refused: count(&lane["refused"]),
    };
    list(&answer["lanes"], lane)
}

/// The routes in the answer to `/api/routes`.
#[must_use]
pub fn routes(answer: &Value) -> Vec<Route> {
    list(&answer["routes"], route)
}

/// The stalls in the answer to `/api/stalls`, the latest first.
#[must_use]
pub fn stalls(answer: &Value) -> Vec<Stall> {
    let mut stalls = list(&answer["stalls"], |stall| Stall {
        route_id: count(&stall["route_id"]),
        route: text(&stall["route"]),
        over: truth(&stall["over"]),
        evidence: evidence(stall),
    });
    stalls.sort_by(|a, b| {
        let began = |stall: &Stall| stall.evidence.began_unix_ms;
        began(b).total_cmp(&began(a))
    });
    stalls
}

/// The queues in the answer to `/api/tasks`.
#[must_use]
pub fn queues(answer: &Value) -> Vec<QueueCount> {
    list(&answer["queues"], |queue| QueueCount {
        queue: text(&queue["queue"]),
        state: text(&queue["state"]),
        tasks: count(&queue["tasks"]),
    })
}

/// The clients of inference services in the answer to `/api/upstreams`.
#[must_use]
pub fn upstreams(answer: &Value) -> Vec<Upstream> {
    list(&answer["upstreams"], |client| Upstream {
        name: text(&client["name"]),
        state: text(&client["state"]),
        running: count(&client["running"]),
        running_max: count(&client["running_max"]),
        waiting: count(&client["waiting"]),
        refused: count(&client["refused"]),
        alone: alone(&client["replicas"]),
    })
}

/// What the application calls itself in the answer to `/api/overview`.
#[must_use]
pub fn name(answer: &Value) -> String {
    text(&answer["name"])
}

fn route(route: &Value) -> Route {
    let seen = &route["evidence"];
    Route {
        id: count(&route["id"]),
        name: text(&route["name"]),
        kind: text(&route["kind"]),
        declared: text(&route["declared_lane"]),
        current: text(&route["current_lane"]),
        diverted_to: text(&route["diverted_to"]),
        pinned: truth(&route["pinned"]),
        requests: count(&route["requests"]),
        stalls: count(&route["stalls"]),
        verdict: text(&route["verdict"]),
        evidence: seen.is_object().then(|| evidence(seen)),
        moves: list(&route["moves"], moved),
        advice: harmless_lines(route["advice"].as_str().unwrap_or_default()),
        p50_ms: figure(&route["latency_ms_p50"]),
        p99_ms: figure(&route["latency_ms_p99"]),
    }
}

fn alone(replicas: &Value) -> Vec<String> {
    let all = replicas.as_array().into_iter().flatten();
    all.filter(|replica| replica["state"] == "open")
        .map(|replica| format!("{} {}", text(&replica["url"]), text(&replica["last_error"])))
        .collect()
}

fn moved(moved: &Value) -> Move {
    Move {
        at_unix_ms: figure(&moved["at_unix_ms"]),
        from: text(&moved["from"]),
        to: text(&moved["to"]),
        reason: text(&moved["reason"]),
    }
}

fn evidence(seen: &Value) -> Evidence {
    let (peer, service) = (text(&seen["peer"]), text(&seen["service"]));
    Evidence {
        began_unix_ms: figure(&seen["began_unix_ms"]),
        lasted_ms: figure(&seen["lasted_ms"]),
        verdict: text(&seen["verdict"]),
        summary: text(&seen["summary"]),
        syscall: text(&seen["syscall"]),
        target: text(&seen["target"]),
        peer: if service.is_empty() {
            peer
        } else {
            format!("{peer} ({service})")
        },
        stack: list(&seen["stack"], frame),
        stack_error: text(&seen["stack_error"]),
    }
}

fn frame(frame: &Value) -> String {
    let function = text(&frame["function"]);
    match (frame["file"].as_str(), frame["line"].as_u64()) {
        (Some(file), Some(line)) => format!("{function}  {}:{line}", harmless(file)),
        (Some(file), None) => format!("{function}  {}", harmless(file)),
        (None, _) => function,
    }
}

fn list<T>(value: &Value, read: impl Fn(&Value) -> T) -> Vec<T> {
    value.as_array().into_iter().flatten().map(read).collect()
}

fn text(value: &Value) -> String {
    harmless(value.as_str().unwrap_or_default())
}

fn count(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

fn figure(value: &Value) -> f64 {
    value.as_f64().unwrap_or_default()
}

fn truth(value: &Value) -> bool {
    value.as_bool().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_unknown_missing_null_or_odd_is_no_error() {
        let lanes = lanes(
            &json!({"lanes": [{"lane": "fibres", "threads": null, "running": "x", "new": {}}]}),
        );
        assert_eq!(lanes[0].name, "fibres");
        assert_eq!((lanes[0].threads, lanes[0].running), (0, 0));
        assert!(routes(&json!({})).is_empty() && stalls(&json!([1])).is_empty());
        assert_eq!(routes(&json!({"routes": [null]})), [Route::default()]);
    }

    #[test]
    fn no_text_reaches_the_terminal_as_it_is() {
        let routes = routes(&json!({"routes": [{
            "name": "GET /\u{1b}[2J", "advice": "a\u{1b}]0;x\u{7}\nb",
            "evidence": {"peer": "10.0.0.1:5432", "service": "PostgreSQL", "stack": [
                {"function": "f\u{9b}", "file": "/a\u{1b}.rs", "line": 7}]},
        }]}));
        let all = format!("{routes:?}");
        assert!(!all.contains(['\u{1b}', '\u{9b}', '\u{7}']));
        let seen = routes[0].evidence.as_ref().unwrap();
        assert_eq!(seen.stack, ["f�  /a�.rs:7"]);
        assert_eq!(seen.peer, "10.0.0.1:5432 (PostgreSQL)");
        assert_eq!(routes[0].advice.len(), 2);
    }

    #[test]
    fn replicas_that_are_open_are_told_with_their_last_words() {
        let upstreams = upstreams(
            &json!({"upstreams": [{"name": "models", "state": "closed", "replicas": [
            {"url": "http://a", "state": "closed", "last_error": "long ago"},
            {"url": "http://b", "state": "open", "last_error": "gave no\u{1b} answer"}]}, {}]}),
        );
        assert_eq!(upstreams[0].alone, ["http://b gave no\u{fffd} answer"]);
        assert_eq!(upstreams[1], Upstream::default());
    }

    #[test]
    fn the_latest_stall_is_first() {
        let stalls = stalls(&json!({"stalls": [
            {"began_unix_ms": 1.0, "route": "a"}, {"began_unix_ms": 2.0, "route": "b"}]}));
        assert_eq!(stalls[0].route, "b");
    }
}
