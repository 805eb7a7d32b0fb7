//! Background work: what runs, where, and when.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use http_body_util::BodyExt;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use siding::axum::body::Body;
use siding::axum::middleware::{Next, from_fn};
use siding::axum::routing as foreign;
use siding::extract::{Request, State};
use siding::runtime::{Event, Handle, WorkContext};
use siding::{App, BackgroundTasks, StatusCode, compute, get, offload, pinned, post, threads};
use tokio::net::TcpStream;

use crate::support::{DEADLINE, start};

/// What a piece of work saw: its name, its thread's lane, and the route that it is accounted to.
type Seen = (&'static str, String, String);

fn seen(name: &'static str) -> Seen {
    let thread = std::thread::current();
    let lane = thread
        .name()
        .unwrap_or("nameless")
        .trim_end_matches(|c: char| c == '-' || c.is_ascii_digit());
    let context = WorkContext::current().expect("work has a context");
    assert_eq!(context.deadline, None);
    let route = Handle::current()
        .routes()
        .get(context.route)
        .expect("a route");
    (name, lane.to_owned(), route.spec().name.clone())
}

/// Work that waits to be let go.
#[derive(Clone)]
struct Gate(Arc<Mutex<mpsc::Receiver<()>>>);

impl Gate {
    fn new() -> (mpsc::Sender<()>, Self) {
        let (let_go, gate) = mpsc::channel();
        (let_go, Self(Arc::new(Mutex::new(gate))))
    }

    fn wait(&self) {
        let gate = self.0.lock().expect("one work waits at a time");
        gate.recv_timeout(DEADLINE).expect("is let go");
    }
}

#[test]
fn work_of_every_kind_runs_in_order_on_its_lane() {
    type Tell = mpsc::Sender<Seen>;
    async fn notify(State(tell): State<Tell>, background: BackgroundTasks) -> StatusCode {
        let plain = |name| {
            let tell = tell.clone();
            move || tell.send(seen(name)).expect("is awaited")
        };
        let future = |name| {
            let tell = plain(name);
            async move {
                tokio::task::yield_now().await;
                tell();
            }
        };
        background.add(plain("closure"));
        background.add(future("future"));
        let later = future("async closure");
        background.add(async move || later.await);
        background.add(compute(plain("compute")));
        background.add(compute(future("compute future")));
        background.add(threads(future("threads future")));
        background.add(pinned(plain("pinned")));
        background.add({
            let offloaded = plain("offload");
            async move { offload(offloaded).await }
        });
        StatusCode::ACCEPTED
    }
    let (tell, told) = mpsc::channel();
    let app = App::new("test")
        .route("/notify", post(notify))
        .with_state(tell);
    let service = start(app);
    assert_eq!(service.connect().post("/notify", "").status, 202);
    for (name, lane) in [
        ("closure", "siding-threads"),
        ("future", "siding-event-loop"),
        ("async closure", "siding-event-loop"),
        ("compute", "siding-compute"),
        ("compute future", "siding-compute"),
        ("threads future", "siding-threads"),
        ("pinned", "siding-threads"),
        ("offload", "siding-threads"),
    ] {
        let expected = (
            name,
            lane.to_owned(),
            "background of POST /notify".to_owned(),
        );
        assert_eq!(told.recv_timeout(DEADLINE).expect("runs"), expected);
    }
}

#[test]
fn handlers_of_every_kind_take_it() {
    type Tell = mpsc::Sender<Seen>;
    async fn asynchronous(State(tell): State<Tell>, background: BackgroundTasks, name: String) {
        assert_eq!(name, "body");
        background.add(move || tell.send(seen("async fn")).expect("is awaited"));
    }
    #[expect(clippy::needless_pass_by_value, reason = "as handlers do")]
    fn plain(background: BackgroundTasks, State(tell): State<Tell>, _: String) {
        background.add(move || tell.send(seen("fn")).expect("is awaited"));
    }
    async fn last(State(tell): State<Tell>, background: BackgroundTasks) {
        background.add(move || tell.send(seen("last")).expect("is awaited"));
    }
    let (tell, told) = mpsc::channel();
    let axum = siding::axum::Router::new().route("/merged", foreign::post(last));
    let app = App::new("test")
        .route("/async", post(asynchronous))
        .route("/plain", post(plain))
        .route("/moved", post(threads(asynchronous)))
        .route("/last", post(last))
        .route("/foreign", foreign::post(asynchronous))
        .merge(axum)
        .with_state(tell);
    let service = start(app);
    for (path, name) in [
        ("/async", "async fn"),
        ("/plain", "fn"),
        ("/moved", "async fn"),
        ("/last", "last"),
        ("/foreign", "async fn"),
        ("/merged", "last"),
    ] {
        assert_eq!(service.connect().post(path, "body").status, 200, "{path}");
        let (told_name, _, route) = told.recv_timeout(DEADLINE).expect(path);
        assert_eq!(
            (told_name, route),
            (name, format!("background of POST {path}"))
        );
    }
}

#[test]
fn the_response_does_not_wait_for_it_and_neither_does_the_next_request() {
    let (let_go, gate) = Gate::new();
    let (tell, told) = mpsc::channel();
    let handler = move |background: BackgroundTasks| {
        let (gate, tell) = (gate.clone(), tell.clone());
        async move {
            background.add(move || {
                gate.wait();
                tell.send(()).expect("is awaited");
            });
            "accepted"
        }
    };
    let service = start(
        App::new("test")
            .route("/work", get(handler))
            .route("/next", get(|| "next")),
    );
    let mut client = service.connect();
    assert_eq!(client.get("/work").body, "accepted");
    assert_eq!(client.get("/next").body, "next");
    assert_eq!(told.try_recv(), Err(mpsc::TryRecvError::Empty));
    let_go.send(()).unwrap();
    told.recv_timeout(DEADLINE).expect("runs");
}

/// More than the kernel takes for a client that does not read.
const MUCH: usize = 64 * 1024 * 1024;

/// An application whose `/much` answers much, and tells when its work runs.
fn much() -> (App, Arc<AtomicBool>, mpsc::Receiver<()>) {
    let (begun, (tell, told)) = (Arc::new(AtomicBool::new(false)), mpsc::channel());
    let flag = Arc::clone(&begun);
    let handler = move |background: BackgroundTasks| {
        let (flag, tell) = (Arc::clone(&flag), tell.clone());
        async move {
            background.add(async move {
                flag.store(true, Ordering::SeqCst);
                tell.send(()).expect("is awaited");
            });
            "m".repeat(MUCH)
        }
    };
    let app = App::new("test")
        .route("/much", get(handler))
        .route("/other", get(|| "other"));
    (app, begun, told)
}

#[test]
fn it_begins_when_the_whole_response_has_been_sent() {
    let (app, begun, told) = much();
    let service = start(app);
    let mut client = service.connect();
    client.send("GET /much HTTP/1.1\r\nhost: test\r\n\r\n");
    let head = client.try_head().expect("is answered");
    assert_eq!(
        head.header("content-length"),
        Some(MUCH.to_string().as_str())
    );
    for _ in 0..10 {
        assert_eq!(service.get("/other").body, "other");
    }
    assert!(!begun.load(Ordering::SeqCst));
    client.skip(MUCH);
    told.recv_timeout(DEADLINE).expect("runs");
}

#[test]
fn it_begins_when_the_client_leaves_instead() {
    let (app, begun, told) = much();
    let service = start(app);
    let mut client = service.connect();
    client.send("GET /much HTTP/1.1\r\nhost: test\r\n\r\n");
    assert_eq!(client.try_head().expect("is answered").status, 200);
    assert!(!begun.load(Ordering::SeqCst));
    drop(client);
    told.recv_timeout(DEADLINE).expect("runs");
}

#[test]
fn all_that_a_handler_extracts_is_one_list_and_work_may_add_to_it() {
    let (tell, told) = mpsc::channel();
    let handler = move |first: BackgroundTasks, second: BackgroundTasks| {
        assert_eq!(first.correlation_id(), second.correlation_id());
        let say = |text: &'static str| {
            let tell = tell.clone();
            move || tell.send(text).expect("is awaited")
        };
        let (adding, added) = (first.clone(), say("added by the first"));
        let begin = say("first");
        first.add(move || {
            begin();
            adding.add(added);
        });
        second.add(say("second"));
        first.clone().add(say("third"));
    };
    let service = start(App::new("test").route("/", get(handler)));
    assert_eq!(service.get("/").status, 200);
    for text in ["first", "second", "third", "added by the first"] {
        assert_eq!(told.recv_timeout(DEADLINE), Ok(text));
    }
}

#[test]
fn work_that_is_added_after_the_last_one_ended_runs_too() {
    let (tell, told) = mpsc::channel();
    let handler = move |background: BackgroundTasks| tell.send(background).expect("is awaited");
    let service = start(App::new("test").route("/", get(handler)));
    assert_eq!(service.get("/").status, 200);
    let background = told.recv_timeout(DEADLINE).expect("a list");
    for _ in 0..2 {
        let (tell, told) = mpsc::channel();
        background.add(move || tell.send(()).expect("is awaited"));
        told.recv_timeout(DEADLINE).expect("runs");
    }
}

#[test]
fn a_middleware_has_none() {
    async fn must(_: BackgroundTasks, request: Request, next: Next) -> siding::Response {
        next.run(request).await
    }
    async fn may(none: Option<BackgroundTasks>, request: Request, next: Next) -> siding::Response {
        assert!(none.is_none());
        next.run(request).await
    }
    let app = App::new("test").route("/", get(|| "fine"));
    let service = start(app.layer(from_fn(must)));
    service.get("/").assert_problem(500, "the server failed");
    let app = App::new("test").route(
        "/",
        get(|some: Option<BackgroundTasks>| {
            assert!(some.is_some());
            "fine"
        }),
    );
    assert_eq!(start(app.layer(from_fn(may))).get("/").body, "fine");
}

#[test]
fn it_begins_over_http2_too() {
    let (tell, told) = mpsc::channel();
    let handler = move |background: BackgroundTasks| {
        let tell = tell.clone();
        background.add(move || tell.send(()).expect("is awaited"));
        "accepted"
    };
    let service = start(App::new("test").route("/", get(handler)));
    let address = service.address();
    let body = service.running().wait(async move {
        let stream = TcpStream::connect(address).await.expect("connects");
        let (mut client, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .expect("speaks HTTP/2");
        drop(siding::spawn(connection));
        let request = Request::get("http://test/").body(Body::empty());
        let reply = client.send_request(request.expect("a request")).await;
        let body = reply.expect("is answered").into_body().collect().await;
        body.expect("arrives").to_bytes()
    });
    assert_eq!(body, "accepted");
    told.recv_timeout(DEADLINE).expect("runs");
}

#[test]
fn a_future_that_blocks_is_accused_under_its_own_name() {
    let (let_go, gate) = Gate::new();
    let handler = move |background: BackgroundTasks| {
        let gate = gate.clone();
        background.add(async move { gate.wait() });
    };
    let (tell, told) = mpsc::channel();
    let app = App::new("test").route("/blocks", get(handler));
    let app = app.with_observer(move |event: &Event| {
        if let Event::Advice { advice, .. } = event {
            // Nobody listens any more once the test has seen enough.
            let _ = tell.send(advice.clone());
        }
    });
    let service = start(app);
    assert_eq!(service.get("/blocks").status, 200);
    let advice = told.recv_timeout(DEADLINE).expect("advice");
    assert!(advice.starts_with("background of GET /blocks"), "{advice}");
    let_go.send(()).expect("waits");
}
