//! The admin listener.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use serde_json::Value;
use siding::{App, StartError, compute, get};

use crate::support::{
    Client, DEADLINE, Service, eventually, eventually_within, settings, start_with,
};

fn service(token: Option<&str>) -> Service {
    let app = App::new("test")
        .route("/async", get(|| async { "async" }))
        .route("/sums/{n}", get(compute(|| "sum")));
    start_with(app, |settings| {
        settings.admin = Some((Ipv4Addr::LOCALHOST, 0).into());
        settings.admin_token = token.map(str::to_owned);
    })
}

fn admin(service: &Service) -> Client {
    let address = service
        .running()
        .admin_address()
        .expect("an admin listener");
    Client::connect(address).expect("connects")
}

fn find<'a>(list: &'a Value, key: &str, value: &str) -> &'a Value {
    let list = list.as_array().expect("a list");
    list.iter()
        .find(|item| item[key] == value)
        .expect("is in the list")
}

#[test]
fn routes_tell_declaration_counts_and_latency() {
    let service = service(None);
    for _ in 0..3 {
        assert_eq!(service.get("/sums/7").body, "sum");
    }
    let reply = admin(&service).get("/api/routes").json();
    assert_eq!(reply["version"], 1);
    let route = find(&reply["routes"], "name", "GET /sums/{n}");
    assert_eq!(route["kind"], "fn");
    assert_eq!(route["declared_lane"], "compute");
    assert_eq!(route["current_lane"], "compute");
    assert_eq!(route["pinned"], false);
    assert_eq!(route["requests"], 3);
    assert_eq!(route["evidence"], Value::Null);
    assert!(route["latency_ms_p99"].as_f64().expect("a number") > 0.0);
    let idle = find(&reply["routes"], "name", "GET /async");
    assert_eq!(idle["requests"], 0);
}

#[test]
fn lanes_tell_their_figures() {
    let service = service(None);
    assert_eq!(service.get("/sums/7").body, "sum");
    let reply = admin(&service).get("/api/lanes").json();
    assert_eq!(reply["version"], 1);
    let compute = find(&reply["lanes"], "lane", "compute");
    assert_eq!(compute["admitted"], 1);
    assert_eq!(compute["refused"], 0);
    find(&reply["lanes"], "lane", "threads");
}

#[test]
fn stalls_are_listed() {
    let service = service(None);
    let reply = admin(&service).get("/api/stalls").json();
    assert_eq!(reply["version"], 1);
    assert_eq!(reply["stalls"], serde_json::json!([]));
}

#[test]
fn the_public_listener_serves_none_of_it() {
    let service = service(None);
    for path in ["/api/routes", "/api/lanes", "/api/stalls"] {
        assert_eq!(service.get(path).status, 404);
    }
    assert_eq!(admin(&service).get("/async").status, 404);
}

#[test]
fn a_token_is_wanted() {
    let service = service(Some("sesame"));
    let mut client = admin(&service);
    for header in [
        "",
        "authorization: Bearer nonsense\r\n",
        "authorization: Basic sesame\r\n",
    ] {
        client.send(format!(
            "GET /api/lanes HTTP/1.1\r\nhost: localhost\r\n{header}\r\n"
        ));
        let reply = client.reply();
        reply.assert_problem(401, "token");
        assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
    }
    client
        .send("GET /api/lanes HTTP/1.1\r\nhost: localhost\r\nauthorization: bearer sesame\r\n\r\n");
    assert_eq!(client.reply().status, 200);
}

#[test]
fn others_may_not_reach_it_without_a_token() {
    let mut settings = settings();
    settings.admin = Some((Ipv4Addr::UNSPECIFIED, 0).into());
    let app: App = App::new("test").with_settings(settings);
    let error = app.start().expect_err("is refused");
    assert!(matches!(error, StartError::OpenAdmin { .. }));
    assert!(error.to_string().contains("--admin-token"));
}

#[test]
fn an_address_in_use_is_said_to_be() {
    let service = service(None);
    let mut settings = settings();
    settings.bind = service.address();
    let error = App::<()>::new("test")
        .with_settings(settings)
        .start()
        .expect_err("is refused");
    assert!(matches!(error, StartError::Listen { .. }));
    assert!(error.to_string().contains("another program listens there"));
}

#[test]
fn a_handler_that_blocks_is_moved_and_told_of() {
    let (let_go, wait) = mpsc::channel::<()>();
    let wait = Arc::new(Mutex::new(wait));
    let blocking = move || {
        let wait = Arc::clone(&wait);
        async move {
            // Holds its event-loop thread, as no `async fn` should.
            let _ = wait.lock().expect("no panic").recv();
            "let go"
        }
    };
    let app = App::new("test")
        .route("/blocking", get(blocking))
        .route("/other", get(|| async { "other" }));
    let service = start_with(app, |settings| {
        settings.admin = Some((Ipv4Addr::LOCALHOST, 0).into());
        settings.runtime.placement.conviction_stall = Duration::from_millis(20);
    });
    let mut blocked = service.connect();
    blocked.send("GET /blocking HTTP/1.1\r\nhost: localhost\r\n\r\n");
    let mut admin = admin(&service);
    let route = eventually("it is moved", || {
        let reply = admin.get("/api/routes").json();
        let route = find(&reply["routes"], "name", "GET /blocking").clone();
        (route["current_lane"] == "threads").then_some(route)
    });
    assert_eq!(service.get("/other").body, "other");
    assert_eq!(route["declared_lane"], "event-loop");
    assert_eq!(route["verdict"], "blocked");
    assert_eq!(route["moves"][0]["reason"], "convicted");
    assert!(
        route["advice"]
            .as_str()
            .expect("advice")
            .contains("offload")
    );
    let stalls = admin.get("/api/stalls").json();
    let stall = find(&stalls["stalls"], "route", "GET /blocking");
    assert_eq!(stall["over"], false);
    let_go.send(()).expect("the handler waits");
    assert_eq!(blocked.reply().body, "let go");
}

/// Holds its event-loop thread, as no `async fn` should, until it is let go.
fn blocking() -> (App, mpsc::Sender<()>) {
    let (let_go, wait) = mpsc::channel::<()>();
    let wait = Arc::new(Mutex::new(wait));
    let app = (0..ATTEMPTS).fold(App::new("test"), |app, route| {
        let wait = Arc::clone(&wait);
        let blocking = move || {
            let wait = Arc::clone(&wait);
            async move {
                let _ = wait.lock().expect("no panic").recv();
            }
        };
        app.route(&format!("/blocking/{route}"), get(blocking))
    });
    (app, let_go)
}

/// A busy machine may not get a stack in time; a route's next one is taken after a while only, so there are several routes.
const ATTEMPTS: usize = 10;

#[test]
fn evidence_is_shown_with_the_source_of_its_stack() {
    let (app, let_go) = blocking();
    let service = start_with(app, |settings| {
        settings.admin = Some((Ipv4Addr::LOCALHOST, 0).into());
        settings.runtime.placement.conviction_stall = Duration::from_millis(20);
    });
    let mut admin = admin(&service);
    let shown = (0..ATTEMPTS).find_map(|route| {
        let mut blocked = service.connect();
        blocked.send(format!(
            "GET /blocking/{route} HTTP/1.1\r\nhost: test\r\n\r\n"
        ));
        let name = format!("GET /blocking/{route}");
        let id = find(&admin.get("/api/routes").json()["routes"], "name", &name)["id"].clone();
        // The names of the whole program are read for the first one.
        let detail =
            eventually_within(DEADLINE * 4, "its stack is there, or why it is not", || {
                let detail = admin.get(&format!("/api/routes/{id}")).json();
                let evidence = &detail["evidence"];
                let told = evidence["stack"].is_array() || evidence["stack_error"].is_string();
                told.then_some(detail)
            });
        let_go.send(()).expect("the handler waits");
        assert_eq!(blocked.reply().status, 200);
        detail["evidence"]["stack"].is_array().then_some(detail)
    });
    check_source(&shown.expect("one of so many stacks is there"));
}

/// That the developer's own frame is shown with its source, and nothing but files of the stack.
#[track_caller]
fn check_source(detail: &Value) {
    let stack = &detail["evidence"]["stack"];
    let source = detail["source"].as_array().expect("a list");
    for shown in source {
        let frame =
            &stack[usize::try_from(shown["frame"].as_u64().expect("a place")).expect("fits")];
        assert_eq!(
            (&shown["file"], &shown["line"]),
            (&frame["file"], &frame["line"])
        );
        let lines = shown["lines"].as_array().expect("a list");
        assert!(lines.len() <= 9);
        let marked: Vec<_> = lines.iter().filter(|line| line["marked"] == true).collect();
        assert_eq!(marked.len(), 1);
        assert_eq!(marked[0]["number"], shown["line"]);
    }
    let own = &detail["evidence"]["user_frame"];
    let own = source.iter().find(|shown| shown["frame"] == *own);
    let own = own.expect("the developer's own frame is shown");
    assert!(
        own["file"]
            .as_str()
            .expect("a path")
            .ends_with("tests/it/admin.rs")
    );
    let lines = own["lines"].as_array().expect("a list");
    let blocks = |line: &Value| {
        line["text"]
            .as_str()
            .is_some_and(|text| text.contains(".recv()"))
    };
    assert!(lines.iter().any(blocks), "{lines:?}");
}

#[test]
fn a_route_that_is_not_there_is_a_problem() {
    let service = service(None);
    for id in ["0", "4000000000", "-1", "lanes"] {
        let reply = admin(&service).get(&format!("/api/routes/{id}"));
        reply.assert_problem(404, "no route has this number");
    }
    let first = admin(&service).get("/api/routes/1").json();
    assert_eq!(
        (&first["version"], &first["source"]),
        (&1.into(), &serde_json::json!([]))
    );
}
