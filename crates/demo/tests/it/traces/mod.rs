//! Traces: spans arrive at a collector of the test's own.

mod celery;
mod collector;

use std::process::Command;

use rustix::process::Signal;
use serde_json::{Value, json};
use siding::exit;
use tempfile::TempDir;

use self::collector::{Collector, Kind, Span};
use crate::program::{Program, command};
use crate::support::{Service, answer, eventually, nobody, send};

const PARENT: &str = "00f067aa0ba902b7";

/// The demo, whose spans go to `collector` as soon as they have ended.
fn traced(args: &[&str], collector: &Collector) -> Command {
    let mut command = command(args);
    command
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url())
        .env("OTEL_BSP_SCHEDULE_DELAY", "10");
    command
}

/// A trace that a client has begun, by a name of the test's own.
fn trace(name: u8) -> String {
    format!("{name:032x}")
}

/// Asks as part of a client's `trace`.
#[track_caller]
fn ask(service: &Service, request: &str, trace: &str, body: &str) -> u16 {
    let length = body.len();
    let stream = send(
        service.address(),
        &format!(
            "{request} HTTP/1.1\r\nhost: shop.example:8080\r\nconnection: close\r\ntraceparent: 00-{trace}-{PARENT}-01\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        ),
    );
    answer(stream).0
}

#[track_caller]
fn assert_below(child: &Span, parent: &Span) {
    let places = (&child.trace, &child.parent);
    assert_eq!(
        places,
        (&parent.trace, &parent.id),
        "{child:?} below {parent:?}"
    );
}

#[test]
fn a_request_shows_its_wait_apart_from_its_run() {
    let collector = Collector::start();
    let service = Service::spawn(traced(&[], &collector));
    assert_eq!(ask(&service, "GET /hello-sync?x=1", &trace(1), ""), 200);
    let request = collector.span(&trace(1), "GET /hello-sync");
    assert_eq!(request.kind, Kind::Server);
    assert_eq!(request.parent, PARENT);
    for (name, value) in [
        ("http.request.method", json!("GET")),
        ("http.route", json!("/hello-sync")),
        ("url.path", json!("/hello-sync")),
        ("http.response.status_code", json!(200)),
        ("server.address", json!("shop.example")),
        ("server.port", json!(8080)),
        ("client.address", json!("127.0.0.1")),
    ] {
        assert_eq!(request.attribute(name), value, "{name}");
    }
    assert_eq!(request.attribute("error.type"), Value::Null);
    assert_eq!(request.service, "siding-demo");
    let wait = collector.span(&trace(1), "lane wait");
    let run = collector.span(&trace(1), "lane run");
    for span in [&wait, &run] {
        assert_below(span, &request);
        assert_eq!(span.attribute("siding.lane"), json!("threads"));
    }
    assert!(request.began <= wait.began && wait.ended <= run.began && run.ended <= request.ended);
}

#[test]
fn errors_and_unknown_routes_are_told() {
    let collector = Collector::start();
    let service = Service::spawn(traced(&[], &collector));
    assert_eq!(ask(&service, "GET /no/such/path", &trace(1), ""), 404);
    let unrouted = collector.span(&trace(1), "GET");
    assert_eq!(unrouted.attribute("http.route"), Value::Null);
    assert!(!unrouted.failed);
    // It refuses before it reads: 503 without MongoDB.
    assert_eq!(ask(&service, "GET /async/documents", &trace(2), ""), 503);
    let failed = collector.span(&trace(2), "GET /async/documents");
    assert_eq!(failed.attribute("error.type"), json!("503"));
    assert!(failed.failed);
}

#[test]
fn a_trace_that_is_none_is_not_joined() {
    let collector = Collector::start();
    let service = Service::spawn(traced(&[], &collector));
    for parent in ["00-0-0-01", "00-zz", "\u{fc}", &"9".repeat(9_000)] {
        let request = format!(
            "GET /hello HTTP/1.1\r\nhost: test\r\nconnection: close\r\ntraceparent: {parent}\r\nbaggage: {parent}\r\n\r\n"
        );
        assert_eq!(answer(send(service.address(), &request)).0, 200);
    }
    let roots = eventually("all of them arrive", || {
        let spans = collector.named("GET /hello");
        (spans.len() == 4).then_some(spans)
    });
    assert!(roots.iter().all(|span| span.parent.is_empty()), "{roots:?}");
}

#[test]
fn background_work_belongs_to_its_request() {
    let collector = Collector::start();
    let mut service = Service::spawn(traced(&["--log", "json"], &collector));
    let notice = r#"{"email": "ann@example.com", "message": "traced"}"#;
    assert_eq!(ask(&service, "POST /notify?ms=1", &trace(1), notice), 202);
    let request = collector.span(&trace(1), "POST /notify");
    let background = collector.span(&trace(1), "background work");
    assert_below(&background, &request);
    let run = collector.span(&trace(1), "lane run");
    assert_below(&run, &background);
    let line: Value = serde_json::from_str(&service.wait_for_log("traced")).expect("JSON");
    assert_eq!(line["trace_id"], trace(1));
    assert_eq!(line["span_id"], run.id);
}

#[test]
fn a_moved_route_runs_on_its_lane() {
    let collector = Collector::start();
    let service = Service::spawn(traced(&[], &collector));
    // It blocks the event loop until it has been moved.
    let moved = eventually("the route is moved", || {
        assert_eq!(ask(&service, "GET /bad?ms=150", &trace(1), ""), 200);
        collector.named("lane run").into_iter().next()
    });
    assert_eq!(moved.attribute("siding.lane"), json!("threads"));
    let request = collector.id(&moved.parent);
    assert_eq!(request.name, "GET /bad");
    let wait = collector.named("lane wait");
    assert!(wait.iter().any(|wait| wait.parent == request.id));
}

#[test]
fn a_task_belongs_to_the_request_that_sent_it_in_another_process_too() {
    let collector = Collector::start();
    let data = TempDir::new().expect("a place for tasks");
    let service = Service::spawn_on(data.path(), traced(&["--no-worker"], &collector));
    let mut worker = traced(&["worker"], &collector);
    worker.env("OTEL_SERVICE_NAME", "the-worker");
    worker.arg("--data").arg(data.path());
    let _worker = Program::spawn(worker);
    assert_eq!(ask(&service, "POST /compute?n=10", &trace(1), ""), 202);
    let request = collector.span(&trace(1), "POST /compute");
    let sent = collector.span(&trace(1), "apply_async/heavy_computation");
    assert_eq!(sent.kind, Kind::Producer);
    assert_below(&sent, &request);
    let ran = collector.span(&trace(1), "run/heavy_computation");
    assert_eq!(ran.kind, Kind::Consumer);
    assert_below(&ran, &sent);
    assert_eq!(ran.service, "the-worker");
    assert_eq!(ran.attribute("messaging.system"), json!("siding"));
    assert_eq!(ran.attribute("messaging.destination.name"), json!("celery"));
    assert_eq!(ran.attribute("celery.state"), json!("SUCCESS"));
    let run = collector.span(&trace(1), "lane run");
    assert_below(&run, &ran);
    assert_eq!(run.attribute("siding.lane"), json!("compute"));
}

#[test]
fn what_is_left_is_sent_at_the_end() {
    let collector = Collector::start();
    let mut command = traced(&[], &collector);
    command.env("OTEL_BSP_SCHEDULE_DELAY", "3600000");
    let service = Service::spawn(command);
    assert_eq!(ask(&service, "GET /hello", &trace(1), ""), 200);
    service.signal(Signal::TERM);
    assert_eq!(service.exit().code(), Some(i32::from(exit::OK)));
    collector.span(&trace(1), "GET /hello");
}

#[test]
fn a_collector_that_is_away_is_told_once_and_nobody_waits_for_it() {
    let mut command = command(&["--admin", "127.0.0.1:0"]);
    let away = format!("http://user:hush@127.0.0.1:{}", nobody());
    command
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", away)
        .env("OTEL_BSP_SCHEDULE_DELAY", "1");
    let mut service = Service::spawn(command);
    let admin = service.admin_address();
    assert_eq!(service.get("/hello").0, 200);
    let warning = service.wait_for_log("traces cannot be sent");
    assert!(
        warning.contains("WARN") && !warning.contains("hush"),
        "{warning}"
    );
    let failed = || {
        let request = "GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        let (_, text) = answer(send(admin, request));
        let line = |line: &&str| line.starts_with("siding_trace_spans_failed_total ");
        let line = text.lines().find(line).expect("the metric").to_owned();
        line.rsplit_once(' ')
            .expect("a value")
            .1
            .parse::<u64>()
            .expect("a number")
    };
    let before = failed();
    eventually("more spans fail", || {
        assert_eq!(service.get("/hello").0, 200);
        (failed() > before).then_some(())
    });
    service.signal(Signal::TERM);
    // No second warning until the end.
    let rest = service.wait_for_log("drained");
    assert!(!rest.contains("traces cannot be sent"), "{rest}");
}

#[test]
fn another_protocol_is_refused_in_the_log() {
    let collector = Collector::start();
    let mut command = traced(&[], &collector);
    command.env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    let data = TempDir::new().expect("a place for tasks");
    command.args(["--bind", "127.0.0.1:0", "--admin", "off", "--data"]);
    command.arg(data.path());
    let mut program = Program::spawn(command);
    let said = program.wait_for_log("there are no traces");
    assert!(said.contains("http/protobuf"), "{said}");
}
