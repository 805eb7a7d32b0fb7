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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::SystemTime;

    use siding_runtime::{Builder, Handle, RouteId};
    use tokio::sync::Semaphore;

    use super::super::FRAMES_KEPT;
    use super::*;
    use crate::admin::access::Access;
    use crate::admin::application::Application;
    use crate::lifespan::Probes;

    fn live(handle: &Handle) -> Live {
        Live::new(Arc::new(Application {
            name: "test",
            role: "serve",
            started: SystemTime::now(),
            handle: handle.clone(),
            tasks: None,
            probes: Probes::default(),
            access: Access::new(([127, 0, 0, 1], 0).into(), None),
        }))
    }

    async fn listen(live: &Live) -> mpsc::Receiver<Bytes> {
        let (frames, taken) = mpsc::channel(1);
        let places = Arc::new(Semaphore::new(1));
        let place = places.acquire_owned().await.expect("a place");
        let listener = Listener {
            live: live.clone(),
            frames,
            closed: live.open().as_ref().expect("is open").subscribe(),
            session: None,
            _place: place,
        };
        let handle = &live.0.application.handle;
        drop(handle.spawn_as(RouteId::BACKGROUND, listener.run()));
        taken
    }

    async fn take(taken: &mut mpsc::Receiver<Bytes>) -> String {
        let frame = taken.recv().await.expect("the stream goes on");
        String::from_utf8(frame.to_vec()).expect("text")
    }

    #[test]
    fn a_listener_that_is_behind_misses_events_and_gets_a_new_snapshot() {
        let runtime = Builder::new().build().expect("starts");
        runtime.block_on(async {
            let live = live(runtime.handle());
            let mut taken = listen(&live).await;
            assert_eq!(take(&mut taken).await, "retry: 2000\n\n");
            assert!(take(&mut taken).await.starts_with("event: snapshot\n"));
            // More than is kept, while nothing is taken.
            for _ in 0..FRAMES_KEPT * 4 {
                let mut frame = crate::admin::live::Frame::default();
                frame.event("test", &());
                live.publish(frame);
            }
            let mut before = 0;
            while !take(&mut taken).await.starts_with("event: snapshot\n") {
                before += 1;
            }
            // One in the channel, one on its way into it, and the comment that stands for the lost ones.
            assert!(before <= 3, "{before} were kept");
        });
    }

    #[test]
    fn nobody_looks_while_nobody_listens() {
        let runtime = Builder::new().build().expect("starts");
        runtime.block_on(async {
            let live = live(runtime.handle());
            let is_sampled = || live.sampling().sampler.is_some();
            assert!(!is_sampled());
            let mut taken = listen(&live).await;
            take(&mut taken).await;
            take(&mut taken).await;
            assert!(is_sampled());
            drop(taken);
            while is_sampled() {
                tokio::task::yield_now().await;
            }
            let mut again = listen(&live).await;
            take(&mut again).await;
            take(&mut again).await;
            assert!(is_sampled());
        });
    }
}
