//! One listener.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};

use super::frame::{PING, RETRY};
use super::{Live, Session};

/// A stream that says nothing says that it is there, this often.
const PING_EVERY: Duration = Duration::from_secs(15);

/// Hands one listener what happens, as fast as it takes it.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) live: Live,
    /// Has room for one: what the connection has not taken is not gathered here.
    pub(super) frames: mpsc::Sender<Bytes>,
    pub(super) closed: watch::Receiver<()>,
    pub(super) session: Option<Session>,
    pub(super) _place: OwnedSemaphorePermit,
}

/// The body of the response: ends when its listener does.
#[derive(Debug)]
pub(super) struct Frames(pub(super) mpsc::Receiver<Bytes>);

impl Listener {
    /// Runs until either side ends it.
    pub(super) async fn run(mut self) {
        let session = self.session.take();
        let session_over = async {
            match session {
                Some(session) => session.over().await,
                None => std::future::pending().await,
            }
        };
        let mut closed = self.closed.clone();
        tokio::select! {
            () = self.tell() => {}
            () = self.frames.closed() => {}
            () = session_over => {}
            // Nothing is ever sent: this is the end of the sender.
            _ = closed.changed() => {}
        }
    }

    /// Completes when the connection is gone.
    async fn tell(&self) {
        let mut happening = self.live.subscribe();
        let mut next = RETRY;
        let mut behind = true;
        while self.frames.send(next).await.is_ok() {
            if std::mem::take(&mut behind) {
                happening = happening.resubscribe();
                next = self.live.snapshot();
                continue;
            }
            next = match tokio::time::timeout(PING_EVERY, happening.recv()).await {
                Ok(Ok(frame)) => frame,
                Ok(Err(RecvError::Lagged(_))) => {
                    behind = true;
                    PING
                }
                // The sender is kept by `live`.
                Ok(Err(RecvError::Closed)) => return,
                Err(_) => PING,
            };
        }
    }
}

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0
            .poll_recv(cx)
            .map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}
