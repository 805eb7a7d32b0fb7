//! What several tests need. Order is forced by channels; a deadline only keeps a broken test from hanging.

use std::sync::Arc;
use std::time::{Duration, Instant};

use siding_runtime::{Builder, Kind, LaneKind, Route, RouteSpec, Runtime};

/// Nothing here takes this long unless it is broken.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// A runtime with one event-loop thread, so that a stall without relief is a standstill.
pub(crate) fn builder() -> Builder {
    Builder::new().event_loop_threads(1).relief_threads(4)
}

/// A route whose handler is an `async fn`.
pub(crate) fn async_route(runtime: &Runtime) -> Arc<Route> {
    route(runtime, Kind::Async, LaneKind::EventLoop, false)
}

pub(crate) fn route(runtime: &Runtime, kind: Kind, declared: LaneKind, pinned: bool) -> Arc<Route> {
    let name = "GET /test".to_owned();
    runtime.handle().routes().register(RouteSpec {
        name,
        kind,
        declared,
        pinned,
    })
}

/// Asks again until there is an answer.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(started.elapsed() < DEADLINE, "never happened: {what}");
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

/// Says that a test was left out, or fails where the environment promises everything it needs.
#[track_caller]
pub(crate) fn leave_out(reason: &str) {
    let required = std::env::var("SIDING_TEST_SERVICES").is_ok_and(|value| value == "required");
    assert!(
        !required,
        "left out although SIDING_TEST_SERVICES=required: {reason}"
    );
    eprintln!("left out: {reason}");
}
