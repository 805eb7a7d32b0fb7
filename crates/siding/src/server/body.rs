//! Bodies that tell when they are complete.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes};
use http_body_util::Limited;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};

use super::line::InFlight;
use crate::background::Launch;
use crate::traces::RequestSpan;

/// Whether the whole body of a request has arrived.
#[derive(Clone, Debug, Default)]
pub(super) struct Received(Option<Arc<AtomicBool>>);

impl Received {
    /// `true` also for a request that has no body. Relaxed: it only decides between two error messages.
    pub(super) fn is_complete(&self) -> bool {
        self.0
            .as_ref()
            .is_none_or(|flag| flag.load(Ordering::Relaxed))
    }
}

/// A request's body with its limit. A request without one, which is most of them, costs nothing.
pub(super) fn inbound(incoming: Incoming, bytes_max: usize) -> (Body, Received) {
    if incoming.is_end_stream() {
        return (Body::empty(), Received::default());
    }
    let flag = Arc::new(AtomicBool::new(false));
    let body = Inbound {
        body: incoming,
        complete: Arc::clone(&flag),
    };
    (
        Body::new(Limited::new(body, bytes_max)),
        Received(Some(flag)),
    )
}

/// A request's body that tells when all of it has arrived.
struct Inbound {
    body: Incoming,
    complete: Arc<AtomicBool>,
}

impl HttpBody for Inbound {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if frame.is_none() || self.body.is_end_stream() {
            self.complete.store(true, Ordering::Relaxed);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A response's body. Its request is in flight until the body has been handed over, or given up.
#[derive(Debug)]
pub(crate) struct Outbound {
    body: Body,
    /// What begins once the response has been sent.
    launch: Option<Launch>,
    request: InFlight,
    /// It ends with this.
    _span: RequestSpan,
}

impl Outbound {
    pub(super) fn new(
        body: Body,
        launch: Option<Launch>,
        request: InFlight,
        span: RequestSpan,
    ) -> Self {
        Self {
            body,
            launch,
            request,
            _span: span,
        }
    }
}

impl Drop for Outbound {
    fn drop(&mut self) {
        if let Some(launch) = self.launch.take() {
            self.request.line().launch_once_sent(launch);
        }
    }
}

impl HttpBody for Outbound {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
