//! What all connections of one server share.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use axum::Router;
use hyper_util::rt::TokioTimer;
use hyper_util::server::conn::auto;
use siding_runtime::{Handle, RouteId};
use tokio::sync::Semaphore;

use super::limits::Limits;
use super::stage::{Signal, Stage};
use super::yard::{Yard, look_interval};
use super::{Peer, Site};
use crate::metrics::Requests;

/// How long an HTTP/2 client that says nothing may take to answer a ping, and how often it is asked.
const PING: Duration = Duration::from_secs(20);
/// Requests that one HTTP/2 connection may have in flight.
const STREAMS_MAX: u32 = 256;
/// The head of a request that is too long is still read, up to this multiple of the limit, so that the connection can
/// go on after the refusal.
const HEAD_READ_FACTOR: usize = 8;
/// More than any machine has.
const CONNECTIONS_MAX: usize = 100_000_000;
/// A connection's buffers may grow to this size whatever the limit of a head.
const BUFFER_MIN: usize = 64 * 1024;

/// What all connections of one server share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) limits: Limits,
    pub(super) signal: Arc<Signal>,
    pub(super) yard: Yard,
    /// One permit for each connection that may be open.
    pub(super) places: Arc<Semaphore>,
    pub(super) handle: Handle,
    pub(super) router: Router,
    pub(super) peer: Peer,
    /// Where requests are counted, if they are.
    pub(super) requests: Option<Arc<Requests>>,
    /// Connections that were ever accepted.
    pub(super) accepted: AtomicU64,
    pub(super) http: auto::Builder<GuardedExecutor>,
}

impl Shared {
    pub(super) fn new(site: Site, handle: Handle) -> Self {
        let limits = Limits {
            max_connections: site.limits.max_connections.clamp(1, CONNECTIONS_MAX),
            ..site.limits
        };
        Self {
            limits,
            signal: Arc::new(Signal::new()),
            yard: Yard::default(),
            places: Arc::new(Semaphore::new(limits.max_connections)),
            http: http(&limits, GuardedExecutor(handle.clone())),
            handle,
            router: site.router,
            peer: site.peer,
            requests: site.requests,
            accepted: AtomicU64::default(),
        }
    }

    /// Looks after the connections until the server is dropped.
    pub(super) async fn sweep(&self) {
        loop {
            let stage = self.signal.stage();
            self.yard.sweep(&self.limits, stage, Instant::now());
            let next_look = async {
                tokio::time::sleep(look_interval(&self.limits, stage)).await;
                self.yard.occupied().await;
            };
            if stage == Stage::Open {
                tokio::select! {
                    () = next_look => {}
                    () = self.signal.reached(Stage::Draining) => {}
                }
            } else {
                next_look.await;
            }
        }
    }
}

/// HTTP/1.1 and HTTP/2 with prior knowledge. The timeouts of HTTP/1 are the sweeper's.
fn http(limits: &Limits, executor: GuardedExecutor) -> auto::Builder<GuardedExecutor> {
    let head_read_max = limits.max_header_bytes.saturating_mul(HEAD_READ_FACTOR);
    let mut builder = auto::Builder::new(executor);
    builder
        .http1()
        .header_read_timeout(None)
        .max_buf_size(head_read_max.max(BUFFER_MIN));
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING)
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(u32::try_from(head_read_max).unwrap_or(u32::MAX))
        .enable_connect_protocol();
    builder
}

/// Runs the streams of HTTP/2 connections as guarded tasks.
#[derive(Clone, Debug)]
pub(super) struct GuardedExecutor(Handle);

impl<F> hyper::rt::Executor<F> for GuardedExecutor
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, future: F) {
        drop(self.0.spawn_as(RouteId::CONNECTION, future));
    }
}
