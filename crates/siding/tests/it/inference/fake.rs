//! A service that speaks the Open Inference Protocol as far as a client sees it, and fails as it is told.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use hyper::body::Frame;
use siding::axum::body::{Body, Bytes, HttpBody};
use siding::axum::extract::{Path, State};
use siding::axum::http::{HeaderMap, StatusCode};
use siding::axum::response::{IntoResponse, Response};
use siding::axum::serve::ListenerExt;
use siding::axum::{Router, routing};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// What it does with a question.
#[derive(Clone, Debug)]
pub(crate) enum Mood {
    /// Answers with the inputs, under the same names.
    Echo,
    /// The same, once told to go on.
    Wait,
    /// Answers with this status, header and body.
    Say(u16, &'static [(&'static str, &'static str)], String),
    /// Closes the connection.
    BreakOff,
}

/// A replica, on a runtime of its own. It ends when it is dropped.
pub(crate) struct Fake {
    address: SocketAddr,
    shared: Arc<Shared>,
    // `None` once it is stopped.
    runtime: Option<Runtime>,
}

struct Shared {
    mood: Mutex<Mood>,
    is_ready: Mutex<bool>,
    executions: AtomicUsize,
    /// How long each question said that it is waited for, in microseconds.
    waits_us: Mutex<Vec<u64>>,
    connections: AtomicUsize,
    probes: AtomicUsize,
    under_way: watch::Sender<usize>,
    go_on: watch::Sender<usize>,
}

impl Fake {
    pub(crate) fn start() -> Self {
        Self::start_at((Ipv4Addr::LOCALHOST, 0).into())
    }

    pub(crate) fn start_at(address: SocketAddr) -> Self {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a thread");
        let listener = runtime.block_on(TcpListener::bind(address));
        let listener = listener.expect("a port");
        let address = listener.local_addr().expect("has one");
        let shared = Arc::new(Shared {
            mood: Mutex::new(Mood::Echo),
            is_ready: Mutex::new(true),
            executions: AtomicUsize::new(0),
            waits_us: Mutex::default(),
            connections: AtomicUsize::new(0),
            probes: AtomicUsize::new(0),
            under_way: watch::Sender::new(0),
            go_on: watch::Sender::new(0),
        });
        let counting = Arc::clone(&shared);
        let listener = listener.tap_io(move |_| {
            counting.connections.fetch_add(1, Ordering::SeqCst);
        });
        let router = Router::new()
            .route("/v2/health/ready", routing::get(ready))
            .route("/v2/models/{model}/infer", routing::post(infer))
            .with_state(Arc::clone(&shared));
        runtime.spawn(async move { siding::axum::serve(listener, router).await });
        Self {
            address,
            shared,
            runtime: Some(runtime),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn is_in(&self, mood: Mood) {
        *self.shared.mood.lock().expect("nobody panics with it") = mood;
    }

    pub(crate) fn is_ready(&self, ready: bool) {
        *self.shared.is_ready.lock().expect("nobody panics with it") = ready;
    }

    /// Questions that a model has seen.
    pub(crate) fn executions(&self) -> usize {
        self.shared.executions.load(Ordering::SeqCst)
    }

    pub(crate) fn waits_us(&self) -> Vec<u64> {
        let waits = self.shared.waits_us.lock();
        waits.expect("nobody panics with it").clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn probes(&self) -> usize {
        self.shared.probes.load(Ordering::SeqCst)
    }

    /// Questions that are under way.
    pub(crate) fn under_way(&self) -> usize {
        *self.shared.under_way.borrow()
    }

    /// Lets so many waiting questions be answered.
    pub(crate) fn go_on(&self, questions: usize) {
        self.shared.go_on.send_modify(|go_on| *go_on += questions);
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
            // Until nobody listens there, a caller might be taken, and then lost.
            // Another may listen there soon after.
            for _ in 0..1_000 {
                if TcpStream::connect(self.address).is_err() {
                    break;
                }
                std::thread::yield_now();
            }
        }
    }
}

async fn ready(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.probes.fetch_add(1, Ordering::SeqCst);
    match *shared.is_ready.lock().expect("nobody panics with it") {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// Counts a question as under way until it is dropped.
struct UnderWay(Arc<Shared>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.send_modify(|count| *count -= 1);
    }
}

async fn infer(
    State(shared): State<Arc<Shared>>,
    Path(_model): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mood = shared.mood.lock().expect("nobody panics with it").clone();
    shared.under_way.send_modify(|count| *count += 1);
    let wait = asked(&headers, &body).0["parameters"]["timeout"].as_u64();
    {
        let mut waits = shared.waits_us.lock().expect("nobody panics with it");
        waits.push(wait.expect("is told"));
    }
    let _under_way = UnderWay(Arc::clone(&shared));
    if let Mood::Say(status, headers, body) = mood {
        let status = StatusCode::from_u16(status).expect("a status");
        // Who is busy has not begun.
        if !headers.iter().any(|(name, _)| *name == "retry-after") {
            shared.executions.fetch_add(1, Ordering::SeqCst);
        }
        let mut response = (status, body).into_response();
        for (name, value) in headers {
            response
                .headers_mut()
                .insert(*name, value.parse().expect("a header"));
        }
        return response;
    }
    shared.executions.fetch_add(1, Ordering::SeqCst);
    match mood {
        Mood::BreakOff => broken(),
        Mood::Wait => {
            let mut go_on = shared.go_on.subscribe();
            go_on
                .wait_for(|go_on| *go_on > 0)
                .await
                .expect("the fake is there");
            shared
                .go_on
                .send_modify(|go_on| *go_on = go_on.saturating_sub(1));
            echo(&headers, &body)
        }
        Mood::Echo | Mood::Say(..) => echo(&headers, &body),
    }
}

/// A response whose body breaks off, and the connection with it.
fn broken() -> Response {
    let response = Response::builder().header("content-length", "100");
    response.body(Body::new(Broken)).expect("a response")
}

struct Broken;

impl HttpBody for Broken {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(Some(Err(std::io::ErrorKind::BrokenPipe.into())))
    }
}

/// The JSON of a question, and the binary data behind it.
fn asked<'a>(headers: &HeaderMap, body: &'a Bytes) -> (serde_json::Value, &'a [u8]) {
    let length = headers["inference-header-content-length"]
        .to_str()
        .expect("text");
    let (json, binary) = body.split_at(length.parse().expect("a number"));
    (serde_json::from_slice(json).expect("JSON"), binary)
}

/// The inputs as outputs, in binary.
fn echo(headers: &HeaderMap, body: &Bytes) -> Response {
    let (asked, binary) = asked(headers, body);
    let said = serde_json::json!({
        "model_name": "echo", "model_version": "7", "outputs": asked["inputs"],
    });
    let said = said.to_string();
    let length = said.len().to_string();
    let body = [said.as_bytes(), binary].concat();
    ([("inference-header-content-length", length)], body).into_response()
}
