//! What goes wrong in handlers and lanes, as a client sees it.

use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use siding::axum::extract::Request;
use siding::axum::middleware::{Next, from_fn};
use siding::runtime::ThreadsConfig;
use siding::{App, compute, get, offload, post, threads};

use crate::support::{Reply, Service, eventually, start, start_with};

#[track_caller]
fn assert_internal(reply: &Reply) {
    reply.assert_problem(500, "the server failed");
    assert!(!reply.body.contains("secret"), "{reply:?}");
    let instance = reply.json()["instance"].as_str().map(str::to_owned);
    assert!(instance.is_some_and(|id| id.starts_with("urn:uuid:")));
}

#[expect(clippy::panic, reason = "what is tested")]
fn fail() -> &'static str {
    panic!("a secret")
}

async fn fail_later() -> &'static str {
    tokio::task::yield_now().await;
    fail()
}

#[test]
fn a_panic_in_any_lane_is_answered_and_the_lane_goes_on() {
    let app = App::new("test")
        .route("/async", get(fail_later).post(|| async { "whole" }))
        .route("/plain", get(fail).post(|| "whole"))
        .route("/threads", get(threads(fail_later)).post(|| "whole"))
        .route("/compute", get(compute(fail)).post(compute(|| "whole")))
        .route(
            "/compute-async",
            get(compute(fail_later)).post(compute(|| "whole")),
        )
        .route(
            "/offload",
            get(|| async { offload(fail).await.map_err(siding::Problem::from) }).post(|| "whole"),
        );
    let service = start(app);
    for path in [
        "/async",
        "/plain",
        "/threads",
        "/compute",
        "/compute-async",
        "/offload",
    ] {
        let mut client = service.connect();
        for _ in 0..3 {
            assert_internal(&client.get(path));
        }
        assert_eq!(client.post(path, "").body, "whole", "{path}");
    }
}

#[test]
fn a_panic_in_a_middleware_is_answered() {
    let app = App::new("test")
        .route("/", get(|| "fine"))
        .layer(from_fn(|_: Request, _: Next| async { fail() }));
    assert_internal(&start(app).get("/"));
}

/// A handler that holds its thread until it is let go.
struct Gate {
    arrived: mpsc::Receiver<()>,
    let_go: mpsc::Sender<()>,
}

impl Gate {
    fn new() -> (
        Self,
        impl Fn() -> &'static str + Clone + Send + Sync + 'static,
    ) {
        let (arrive, arrived) = mpsc::channel();
        let (let_go, wait) = mpsc::channel();
        let wait = Arc::new(Mutex::new(wait));
        let handler = move || {
            arrive.send(()).expect("the test is there");
            // Taken in turn by those who wait.
            let _ = wait.lock().expect("no panic").recv();
            "through"
        };
        (Self { arrived, let_go }, handler)
    }
}

fn waiting_in_threads(service: &Service) -> usize {
    service.running().handle().lanes()[0].waiting
}

#[test]
fn a_full_lane_refuses_with_a_hint() {
    let (gate, handler) = Gate::new();
    let app = App::new("test")
        .route("/gate", get(handler))
        .route("/async", get(|| async { "free" }));
    let service = start_with(app, |settings| {
        settings.runtime.threads = ThreadsConfig {
            waiting_max: 1,
            ..ThreadsConfig::fixed(1)
        };
    });
    let ask = || {
        let mut client = service.connect();
        client.send("GET /gate HTTP/1.1\r\nhost: test\r\n\r\n");
        client
    };
    let mut running = ask();
    gate.arrived.recv().expect("the handler runs");
    let mut waiting = ask();
    eventually("a job waits", || {
        (waiting_in_threads(&service) == 1).then_some(())
    });
    let refused = service.get("/gate");
    refused.assert_problem(503, "busy");
    let hint = refused.header("retry-after").expect("a hint");
    assert!(hint.parse::<u64>().expect("seconds") >= 1);
    assert_eq!(service.get("/async").body, "free");
    for _ in 0..2 {
        gate.let_go.send(()).expect("the handler waits");
    }
    assert_eq!(running.reply().body, "through");
    assert_eq!(waiting.reply().body, "through");
}

#[test]
fn the_deadline_ends_a_request() {
    let (gate, handler) = Gate::new();
    let app = App::new("test")
        .route("/never", get(std::future::pending::<()>))
        .route("/gate", get(handler))
        .route("/echo", post(|body: String| body));
    let service = start_with(app, |settings| {
        settings.limits.request_deadline = Duration::from_millis(50);
    });
    let mut client = service.connect();
    client.get("/never").assert_problem(504, "deadline");
    client.get("/gate").assert_problem(504, "deadline");
    // A busy machine may need several attempts.
    eventually("a request in time", || {
        let reply = client.post("/echo", "quick");
        (reply.body == "quick").then_some(())
    });
    gate.let_go.send(()).expect("the handler waits");
}

#[test]
fn a_body_that_never_comes_is_the_clients_fault() {
    let app = App::new("test").route("/echo", post(|body: String| body));
    let service = start_with(app, |settings| {
        settings.limits.request_deadline = Duration::from_millis(50);
    });
    let mut client = service.connect();
    client.send("POST /echo HTTP/1.1\r\nhost: test\r\ncontent-length: 10\r\n\r\nhalf");
    let reply = client.reply();
    reply.assert_problem(408, "body");
    assert_eq!(reply.header("connection"), Some("close"));
}

#[test]
fn a_job_whose_client_left_is_never_run() {
    let (gate, handler) = Gate::new();
    let app = App::new("test")
        .route("/gate", get(handler))
        .route("/async", get(|| async { "free" }));
    let service = start_with(app, |settings| {
        settings.runtime.threads = ThreadsConfig::fixed(1);
        settings.limits.max_connections = 2;
    });
    let ask = || {
        let mut client = service.connect();
        client.send("GET /gate HTTP/1.1\r\nhost: test\r\n\r\n");
        client
    };
    let mut running = ask();
    gate.arrived.recv().expect("the handler runs");
    let leaving = ask();
    eventually("a job waits", || {
        (waiting_in_threads(&service) == 1).then_some(())
    });
    drop(leaving);
    // There are two places, so the server has seen that the client left.
    assert_eq!(service.get("/async").body, "free");
    gate.let_go.send(()).expect("the handler waits");
    assert_eq!(running.reply().body, "through");
    eventually("the job is dropped", || {
        let lane = service.running().handle().lanes()[0];
        (lane.client_gone == 1).then_some(())
    });
    assert!(gate.arrived.try_recv().is_err());
}
