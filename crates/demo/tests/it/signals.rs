//! How it stops.

use rustix::process::Signal;
use siding::exit;

use crate::support::{Service, answer};

#[test]
fn a_signal_drains() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut service = Service::start(&[]);
        let running = [service.ask("/async?ms=300"), service.ask("/sync?ms=300")];
        // Whoever is answered after them came after them.
        assert_eq!(service.get("/health").0, 200);
        service.signal(signal);
        service.wait_for_log("draining");
        for stream in running {
            assert_eq!(answer(stream), (200, r#"{"status":"done"}"#.to_owned()));
        }
        assert_eq!(service.exit().code(), Some(i32::from(exit::OK)));
    }
}

#[test]
fn a_second_signal_stops_at_once() {
    let mut service = Service::start(&[]);
    let _running = service.ask("/async?ms=60000");
    assert_eq!(service.get("/health").0, 200);
    service.signal(Signal::TERM);
    service.wait_for_log("draining");
    service.signal(Signal::TERM);
    service.wait_for_log("cut off");
    assert_eq!(service.exit().code(), Some(i32::from(exit::CUT_OFF)));
}

#[test]
fn the_drain_has_a_limit() {
    let mut service = Service::start(&["--drain-limit", "50ms"]);
    let _running = service.ask("/async?ms=60000");
    assert_eq!(service.get("/health").0, 200);
    service.signal(Signal::TERM);
    service.wait_for_log("cut off: 1");
    assert_eq!(service.exit().code(), Some(i32::from(exit::CUT_OFF)));
}

const NOTICE: &str = r#"{"email": "ann@example.com", "message": "Hello"}"#;

#[test]
fn a_drain_waits_for_background_work() {
    let mut service = Service::start(&[]);
    assert_eq!(service.post("/notify?ms=300", NOTICE).0, 202);
    service.signal(Signal::TERM);
    // The notice may have been sent before the signal arrived; before the end it has.
    for words in ["sent to", "drained"] {
        service.wait_for_log(words);
    }
    assert_eq!(service.exit().code(), Some(i32::from(exit::OK)));
}

#[test]
fn background_work_that_does_not_end_is_cut_off() {
    let mut service = Service::start(&["--drain-limit", "50ms"]);
    assert_eq!(service.post("/notify?ms=60000", NOTICE).0, 202);
    service.signal(Signal::TERM);
    service.wait_for_log("background work that were cut off: 1");
    assert_eq!(service.exit().code(), Some(i32::from(exit::CUT_OFF)));
}
