//! `GET /metrics`, read by Prometheus' own parser and by eye.

use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;
use siding::prometheus_client::metrics::counter::Counter;
use siding::prometheus_client::registry::Registry;
use siding::tasks::Tasks;
use siding::{App, StatusCode, axum, compute, get};

use crate::support::{Client, Service, eventually, leave_out, start_with};

fn app() -> App {
    App::new("watched")
        .route("/async/{id}", get(|| async { "async" }))
        .route("/plain", get(|| "plain"))
        .route("/sum", get(compute(|| "sum")))
        .route("/broken", get(|| async { StatusCode::BAD_GATEWAY }))
        .route("/panics", get(|| async { panic!("on purpose") as () }))
        .merge(axum::Router::new().route("/axum", axum::routing::get(async || "axum")))
}

fn service(app: App) -> Service {
    start_with(app, |settings| {
        settings.admin = Some((Ipv4Addr::LOCALHOST, 0).into());
    })
}

fn scrape(service: &Service) -> String {
    let address = service.running().admin_address().expect("a listener");
    let reply = Client::connect(address).expect("connects").get("/metrics");
    assert_eq!(reply.status, 200);
    let content_type = reply.header("content-type");
    assert_eq!(
        content_type,
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    reply.body
}

/// The value of the only sample of this name that has all of these labels, written as the format has them.
#[track_caller]
fn sample(text: &str, name: &str, labels: &[&str]) -> f64 {
    try_sample(text, name, labels).unwrap_or_else(|| panic!("no {name} with {labels:?} in\n{text}"))
}

fn try_sample(text: &str, name: &str, labels: &[&str]) -> Option<f64> {
    let mut found = text.lines().filter_map(|line| {
        let rest = line.strip_prefix(name)?;
        let (of, value) = rest.rsplit_once(' ')?;
        let is_it = of.is_empty() || of.starts_with('{');
        (is_it && labels.iter().all(|label| of.contains(label))).then(|| value.parse().ok())?
    });
    let value = found.next();
    assert_eq!(found.next(), None, "{name} with {labels:?} is one series");
    value
}

#[test]
fn requests_are_counted_by_route_method_and_status() {
    let service = service(app());
    for path in [
        "/async/1", "/async/2", "/axum", "/plain", "/broken", "/panics",
    ] {
        service.get(path);
    }
    assert_eq!(service.get("/nowhere/at/all").status, 404);
    let mut client = service.connect();
    client.send("BREW /async/1 HTTP/1.1\r\nhost: test\r\n\r\n");
    assert_eq!(client.reply().status, 405);
    let text = scrape(&service);
    let requests =
        |labels: &[&str]| sample(&text, "http_server_request_duration_seconds_count", labels);
    let get = r#"http_request_method="GET""#;
    let ok = r#"http_response_status_code="200""#;
    assert_eq!(requests(&[get, r#"http_route="/async/{id}""#, ok]), 2.0);
    assert_eq!(requests(&[get, r#"http_route="/axum""#, ok]), 1.0);
    assert_eq!(requests(&[get, r#"http_route="/plain""#, ok]), 1.0);
    let broken = r#"http_route="/broken""#;
    assert_eq!(requests(&[broken, r#"error_type="502""#]), 1.0);
    let panics = [r#"http_route="/panics""#, r#"error_type="500""#];
    assert_eq!(requests(&panics), 1.0);
    assert_eq!(requests(&[r#"http_response_status_code="404""#]), 1.0);
    assert_eq!(requests(&[r#"http_request_method="_OTHER""#]), 1.0);
    // What clients make up is in no label.
    assert!(!text.contains("nowhere") && !text.contains("BREW") && !text.contains("/async/1"));
}

#[test]
fn a_client_that_leaves_is_counted_as_cancelled() {
    let (enter, entered) = mpsc::channel();
    let app = App::new("watched").route(
        "/forever",
        get(move || {
            let enter = enter.clone();
            async move {
                enter.send(()).expect("the test waits");
                std::future::pending::<()>().await;
            }
        }),
    );
    let service = service(app);
    let mut client = service.connect();
    client.send("GET /forever HTTP/1.1\r\nhost: test\r\n\r\n");
    entered.recv().expect("it began");
    let text = scrape(&service);
    assert_eq!(sample(&text, "http_server_active_requests", &[]), 1.0);
    assert_eq!(sample(&text, "siding_http_connections", &[]), 1.0);
    drop(client);
    let cancelled = [r#"http_route="/forever""#, r#"error_type="cancelled""#];
    let count = eventually("it is counted", || {
        let name = "http_server_request_duration_seconds_count";
        try_sample(&scrape(&service), name, &cancelled)
    });
    assert_eq!(count, 1.0);
}

#[test]
fn lanes_count_waits_and_runs() {
    let service = service(app());
    for _ in 0..3 {
        assert_eq!(service.get("/plain").body, "plain");
    }
    assert_eq!(service.get("/sum").body, "sum");
    let text = scrape(&service);
    for (lane, jobs) in [("threads", 3.0), ("compute", 1.0)] {
        let lane = &[&*format!(r#"lane="{lane}""#)];
        for name in [
            "siding_lane_admitted_total",
            "siding_lane_wait_seconds_count",
        ] {
            assert_eq!(sample(&text, name, lane), jobs, "{name}");
        }
    }
    // The response may be there before its job is accounted for.
    eventually("the runs are counted", || {
        let runs = |lane| sample(&scrape(&service), "siding_lane_run_seconds_count", &[lane]);
        (runs(r#"lane="threads""#) == 3.0 && runs(r#"lane="compute""#) == 1.0).then_some(())
    });
}

#[test]
fn a_stall_is_counted_for_its_route() {
    let block = || async { std::thread::park_timeout(Duration::from_millis(100)) };
    let service = service(App::new("watched").route("/blocks", siding::get(siding::pinned(block))));
    service.get("/blocks");
    let labels = [r#"route="GET /blocks""#, r#"verdict="blocked""#];
    let seconds = eventually("the stall is counted", || {
        let text = scrape(&service);
        let count = try_sample(&text, "siding_event_loop_stalls_total", &labels)?;
        (count >= 1.0).then(|| sample(&text, "siding_event_loop_stall_seconds_total", &labels))
    });
    assert!(seconds > 0.01, "{seconds}");
}

#[test]
fn tasks_are_counted_to_their_end() {
    let data = tempfile::TempDir::new().expect("a place for tasks");
    let tasks = Tasks::new();
    let double = tasks.register("double", |n: u32| 2 * n);
    let send = move || {
        let double = double.clone();
        async move {
            double
                .delay(21)
                .await
                .map(drop)
                .map_err(siding::Error::from)
        }
    };
    let app = App::new("watched")
        .route("/send", get(send))
        .with_tasks(tasks);
    let service = start_with(app, |settings| {
        settings.admin = Some((Ipv4Addr::LOCALHOST, 0).into());
        data.path().clone_into(&mut settings.tasks.data);
    });
    assert_eq!(service.get("/send").status, 200);
    let task = r#"task="double""#;
    let text = eventually("it has ended", || {
        let text = scrape(&service);
        let ended = [task, r#"state="SUCCESS""#];
        let count = try_sample(&text, "siding_tasks_ended_total", &ended)?;
        (count == 1.0).then_some(text)
    });
    for name in [
        "siding_tasks_sent_total",
        "siding_tasks_received_total",
        "siding_tasks_started_total",
        "siding_task_queue_seconds_count",
        "siding_task_run_seconds_count",
    ] {
        assert_eq!(sample(&text, name, &[task]), 1.0, "{name}");
    }
    assert_eq!(sample(&text, "siding_broker_up", &[]), 1.0);
}

#[test]
fn an_applications_own_metrics_are_there_too() {
    let orders: Counter = Counter::default();
    let mut registry = Registry::with_prefix("shop");
    registry.register("orders", "Orders that were taken", orders.clone());
    let service = service(app().merge(App::new("shop").with_metrics(registry)));
    orders.inc_by(3);
    let text = scrape(&service);
    assert_eq!(sample(&text, "shop_orders_total", &[]), 3.0);
    sample(&text, "siding_relief_max", &[]);
}

#[test]
fn the_token_is_wanted_here_too() {
    let service = start_with(app(), |settings| {
        settings.admin = Some((Ipv4Addr::LOCALHOST, 0).into());
        settings.admin_token = Some("secret".to_owned());
    });
    let address = service.running().admin_address().expect("a listener");
    let connect = || Client::connect(address).expect("connects");
    connect().get("/metrics").assert_problem(401, "Bearer");
    let mut client = connect();
    client.send("GET /metrics HTTP/1.1\r\nhost: test\r\nauthorization: Bearer secret\r\n\r\n");
    assert_eq!(client.reply().status, 200);
}

#[test]
fn prometheus_parser_takes_all_of_it() {
    let Some(python) = python() else {
        return leave_out("no target/telemetry: run crates/siding/tests/python/telemetry_venv.sh");
    };
    let data = tempfile::TempDir::new().expect("a place for tasks");
    let awkward = App::new("watched").route("/a\"b\\c", get(|| async { "awkward" }));
    let service = start_with(app().merge(awkward).with_tasks(Tasks::new()), |settings| {
        settings.admin = Some((Ipv4Addr::LOCALHOST, 0).into());
        data.path().clone_into(&mut settings.tasks.data);
    });
    for path in ["/async/1", "/plain", "/a%22b%5Cc", "/panics", "/nowhere"] {
        service.get(path);
    }
    let families = parse(&python, &scrape(&service));
    let families = families.as_array().expect("a list");
    let find = |name: &str| {
        let found = families.iter().find(|family| family["name"] == name);
        found.unwrap_or_else(|| panic!("no {name} in {families:#?}"))
    };
    let requests = find("http_server_request_duration_seconds");
    assert_eq!(requests["type"], "histogram");
    let samples = requests["samples"].as_array().expect("a list");
    let of = |suffix: &str, route: &str| {
        let name = format!("http_server_request_duration_seconds_{suffix}");
        let is_it = |sample: &&Value| sample[0] == *name && sample[1]["http_route"] == route;
        samples.iter().filter(is_it).collect::<Vec<_>>()
    };
    for route in ["/async/{id}", "/plain", "/panics"] {
        assert_eq!(of("count", route)[0][2].as_f64(), Some(1.0), "{route}");
        let buckets = of("bucket", route);
        let last = buckets.last().expect("buckets");
        assert_eq!(last[1]["le"], "+Inf");
        assert_eq!(last[2].as_f64(), Some(1.0), "{route}");
    }
    for (name, kind) in [
        ("process_cpu_seconds", "counter"),
        ("process_resident_memory_bytes", "gauge"),
        ("siding_lane_wait_seconds", "histogram"),
        ("siding_build_info", "gauge"),
        ("siding_broker_up", "gauge"),
    ] {
        let family = find(name);
        assert_eq!(family["type"], kind, "{name}");
        assert_ne!(family["help"], "", "{name}");
        assert_ne!(family["samples"], serde_json::json!([]), "{name}");
    }
    // A sample that belongs to no family has none of the types that were declared.
    assert!(
        families.iter().all(|family| family["type"] != "unknown"),
        "{families:#?}"
    );
}

fn python() -> Option<PathBuf> {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/telemetry/bin/python");
    python.exists().then_some(python)
}

fn parse(python: &Path, text: &str) -> Value {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/parse_metrics.py");
    let mut child = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut stdin = child.stdin.take().expect("piped");
    // From a thread: the parser may answer before it has read everything.
    let text = text.to_owned();
    let writing = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = child.wait_with_output().expect("ends");
    writing.join().expect("writes").expect("is read");
    assert!(output.status.success(), "the parser refuses it");
    serde_json::from_slice(&output.stdout).expect("JSON")
}
