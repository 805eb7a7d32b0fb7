//! The process lane from the outside. This test program is its own child.

#![expect(
    clippy::needless_pass_by_value,
    reason = "handlers take what they extract by value"
)]

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use siding::axum::body::Bytes;
use siding::axum::http::{HeaderMap, Uri};
use siding::axum::{Extension, Router, routing};
use siding::extract::{ConnectInfo, MatchedPath, OriginalUri, Path, Query, State};
use siding::lifespan::{Lifespan, ResourceError};
use siding::runtime::LaneKind;
use siding::{
    App, CallError, ExitCode, IntoResponse, JobError, Problem, Processes, StatusCode, get, pinned,
    processes, threads,
};

use crate::support::{DEADLINE, Service, eventually, start, start_with};

/// Where children come in. As a test of its own it only shows that this process is none.
#[test]
fn child() {
    if siding::runtime::is_child() {
        assert_eq!(app().run(), ExitCode::SUCCESS);
    }
}

#[derive(Clone)]
struct Shared {
    processes: Processes,
    /// What `main` has built, in parent and child alike.
    greeting: &'static str,
}

#[derive(Deserialize)]
struct Number {
    n: u64,
}

fn app() -> App {
    let opened = App::new("opened")
        .route("/opened", get(processes(opened)))
        .with_lifespan(async |lifespan: Lifespan| {
            let pid = || Ok::<_, ResourceError>(std::process::id());
            lifespan.open("pid", pid).await
        });
    let parents = App::new("parents")
        .route("/parents", get(|State(text): State<&'static str>| text))
        .with_lifespan(async |lifespan: Lifespan| {
            let open = || match siding::runtime::is_child() {
                true => Err("nothing in a child needs it"),
                false => Ok("the parent's"),
            };
            lifespan.open("the parent's", open).await
        });
    let items = App::new("items")
        .route("/{id}", get(processes(item)))
        .function("triple", |n: u32| n * 3);
    let app = App::new("test")
        .function("double", |n: u32| n * 2)
        .function("abort", |()| -> () { std::process::abort() });
    let shared = Shared {
        processes: app.processes(),
        greeting: "hello",
    };
    let foreign: routing::MethodRouter<Shared> = get(processes(pid)).into();
    app.route("/pid", get(processes(pid)).post(processes(post)))
        .route("/pinned", get(pinned(processes(pid))))
        .route("/around", get(threads(processes(pid))))
        .route("/state", get(processes(state)))
        .route("/layer", get(processes(layer)))
        .route("/number", get(processes(number)))
        .route("/peer", get(processes(peer)))
        .route(
            "/panic",
            get(processes(|| -> String { panic!("a secret") })),
        )
        .route(
            "/abort",
            get(processes(|| -> String { std::process::abort() })),
        )
        .route("/blocking-client", get(processes(blocking_client)))
        .route("/spin", get(processes(spin)))
        .route("/call", get(call))
        .nest("/items", items)
        .merge(opened)
        .merge(parents)
        .merge(Router::new().route("/foreign", foreign))
        .layer(Extension("of a layer"))
        .with_connect_info()
        .with_state(shared)
        .with_child_args(["--exact", "processes::child", "--nocapture"])
}

fn pid() -> String {
    std::process::id().to_string()
}

fn post(headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    let kind = headers["content-type"].clone();
    let mut reversed = body.to_vec();
    reversed.reverse();
    (StatusCode::CREATED, [("x-kind", kind)], reversed)
}

fn item(
    Path(id): Path<u64>,
    path: MatchedPath,
    OriginalUri(original): OriginalUri,
    uri: Uri,
) -> String {
    format!("{id} {} {original} {uri}", path.as_str())
}

fn state(State(shared): State<Shared>) -> String {
    shared.greeting.to_owned()
}

/// Which process has opened the state, and which this is.
fn opened(State(opener): State<u32>) -> String {
    format!("{opener} {}", std::process::id())
}

fn layer(extension: Option<Extension<&'static str>>) -> String {
    extension
        .map_or("nothing", |Extension(text)| text)
        .to_owned()
}

fn number(Query(number): Query<Number>) -> String {
    number.n.to_string()
}

fn peer(ConnectInfo(peer): ConnectInfo<SocketAddr>) -> String {
    peer.to_string()
}

/// As a blocking HTTP client does: it brings an event loop of its own, and refuses to run inside of another.
fn blocking_client() -> &'static str {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(async { "answered" })
}

/// Reports to the socket that the query names, and computes for ever.
fn spin(Query(meeting): Query<Meeting>) -> String {
    let mut stream = UnixStream::connect(meeting.path).expect("the test listens");
    stream.write_all(b"!").expect("it reads");
    loop {
        std::hint::spin_loop();
    }
}

#[derive(Deserialize)]
struct Meeting {
    path: PathBuf,
}

/// Calls the function that the query names.
async fn call(
    State(shared): State<Shared>,
    Query(query): Query<Called>,
) -> Result<String, Problem> {
    let result: Result<u32, CallError> = match query.function.as_str() {
        "abort" => shared.processes.run("abort", ()).await,
        name => shared.processes.run(name, 7).await,
    };
    Ok(result?.to_string())
}

#[derive(Deserialize)]
struct Called {
    function: String,
}

#[test]
fn a_child_opens_a_lifespan_of_its_own() {
    let service = start(app());
    let reply = service.get("/opened").body;
    let (opener, child) = reply.split_once(' ').expect("two numbers");
    assert_eq!(opener, child);
    assert_ne!(child, std::process::id().to_string());
}

#[test]
fn a_child_opens_no_lifespan_that_none_of_its_handlers_needs() {
    let service = start(app());
    assert_eq!(service.get("/parents").body, "the parent's");
    // A child that opened it would have ended instead of answering.
    assert_eq!(service.get("/pid").status, 200);
}

#[test]
fn a_handler_runs_in_a_child() {
    let service = start(app());
    let own = std::process::id().to_string();
    for path in ["/pid", "/pinned", "/around"] {
        let reply = service.get(path);
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
        assert_ne!(reply.body, own, "{path}");
    }
    let lanes = service.running().handle().lanes();
    assert_eq!((lanes[2].lane, lanes[2].admitted), (LaneKind::Processes, 3));
}

#[test]
fn the_list_tells_the_lane() {
    let list = app().routes();
    for path in ["/pid", "/pinned", "/around"] {
        let route = list.iter().find(|route| route.path == path).unwrap();
        assert_eq!(route.lane, LaneKind::Processes, "{path}");
    }
}

#[test]
fn requests_and_responses_travel_whole() {
    let service = start(app());
    let reply = service.connect().post("/pid", "body");
    assert_eq!((reply.status, reply.body.as_str()), (201, "ydob"));
    assert_eq!(reply.header("x-kind"), Some("application/json"));
    assert_eq!(reply.header("content-length"), Some("4"));
    assert_eq!(
        service.get("/items/7?a=b").body,
        "7 /items/{id} /items/7?a=b /7?a=b"
    );
    let mut client = service.connect();
    let reply = client.get("/peer");
    assert!(reply.body.starts_with("127.0.0.1:"), "{reply:?}");
    client.send("HEAD /state HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
    let head = client.rest();
    assert!(head.contains("content-length: 5\r\n"), "{head}");
    assert!(head.ends_with("\r\n\r\n"), "{head}");
}

#[test]
fn state_is_there_and_extensions_of_layers_are_not() {
    let service = start(app());
    assert_eq!(service.get("/state").body, "hello");
    assert_eq!(service.get("/layer").body, "nothing");
}

#[test]
fn rejections_are_those_of_every_handler() {
    let service = start(app());
    assert_eq!(service.get("/number?n=5").body, "5");
    service
        .get("/number?n=five")
        .assert_problem(422, "invalid digit");
    service.get("/items/x").assert_problem(422, "expected u64");
}

#[test]
fn blocking_clients_run() {
    assert_eq!(start(app()).get("/blocking-client").body, "answered");
}

#[test]
fn what_goes_wrong_in_a_child_is_told_to_the_log_only() {
    let service = start(app());
    for path in ["/panic", "/abort", "/foreign", "/call?function=abort"] {
        let reply = service.get(path);
        reply.assert_problem(500, "its log has the cause");
        assert!(!reply.body.contains("secret"), "{reply:?}");
        let instance = reply.json()["instance"].clone();
        assert!(
            instance.as_str().unwrap().starts_with("urn:uuid:"),
            "{path}"
        );
    }
    assert_eq!(service.get("/number?n=5").body, "5");
}

#[test]
fn functions_are_called_by_name() {
    let service = start(app());
    assert_eq!(service.get("/call?function=double").body, "14");
    assert_eq!(service.get("/call?function=triple").body, "21");
    service
        .get("/call?function=quadruple")
        .assert_problem(500, "its log has the cause");
}

#[tokio::test]
async fn functions_are_not_called_before_the_app_runs() {
    let processes = app().processes();
    let Err(CallError::Job(error)) = processes.run::<_, u32>("double", 1).await else {
        panic!("nobody can run it");
    };
    assert!(matches!(error, JobError::NotStarted { .. }));
    assert!(
        error
            .to_string()
            .contains("only while their application runs"),
        "{error}"
    );
}

#[test]
fn a_deadline_ends_the_child_and_answers_504() {
    let path = std::env::temp_dir().join(format!("siding-test-http-{}", std::process::id()));
    let listener = UnixListener::bind(&path).unwrap();
    listener.set_nonblocking(true).unwrap();
    let service = start_with(app(), |settings| {
        settings.limits.request_deadline = Duration::from_secs(2);
    });
    let mut client = service.connect();
    client.send(format!(
        "GET /spin?path={} HTTP/1.1\r\nhost: test\r\n\r\n",
        path.display()
    ));
    let (mut function, _) = eventually("the function", || listener.accept().ok());
    std::fs::remove_file(&path).unwrap();
    client.reply().assert_problem(504, "deadline");
    function.set_nonblocking(false).unwrap();
    function.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut seen = Vec::new();
    function.read_to_end(&mut seen).expect("its process ends");
    assert_eq!(seen, b"!");
    check_next_request(&service);
}

#[track_caller]
fn check_next_request(service: &Service) {
    assert_eq!(service.get("/number?n=5").body, "5");
    eventually("the count", || {
        (service.running().handle().processes().snapshot().killed == 1).then_some(())
    });
}
