//! `GET /api/live`: what happens, as server-sent events.
//!
//! # Protocol
//! A listener gets a `snapshot` of everything, and after it what changes. One sampler looks for all of them, and only while there is
//! one: it writes an event once, and each listener is handed the same bytes. Requests know nothing of it. It reads counters that they
//! count anyway, and takes a lock only of a route that has changed.
//!
//! # Bound
//! A listener that does not take its events misses those that are more than [`FRAMES_KEPT`] behind, and then gets a new snapshot.
//! There are [`LISTENERS_MAX`] listeners at most, so that others find a connection.

mod frame;
mod listener;
mod sampler;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::value::RawValue;
use siding_runtime::RouteId;
use tokio::sync::{Semaphore, broadcast, mpsc, watch};
use tokio::task::JoinHandle;

use super::access::Session;
use super::application::Application;
use super::wire;
use crate::Problem;
use frame::Frame;
use listener::{Frames, Listener};
use sampler::Sampler;

/// Half of the admin listener's connections.
const LISTENERS_MAX: usize = super::CONNECTIONS_MAX / 2;

/// What happened in so many looks is kept for listeners that are behind: some seconds.
const FRAMES_KEPT: usize = 32;

/// What happens, for those who listen. A cheap clone.
#[derive(Clone, Debug)]
pub(super) struct Live(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    application: Arc<Application>,
    frames: broadcast::Sender<Bytes>,
    places: Arc<Semaphore>,
    /// Dropped when all streams are to end.
    open: Mutex<Option<watch::Sender<()>>>,
    sampling: Mutex<Sampling>,
}

/// Whether there is a sampler, and what it knows of tasks, which no snapshot waits for.
#[derive(Debug, Default)]
struct Sampling {
    sampler: Option<JoinHandle<()>>,
    tasks: Option<Box<RawValue>>,
}

impl Live {
    pub(super) fn new(application: Arc<Application>) -> Self {
        Self(Arc::new(Shared {
            application,
            frames: broadcast::Sender::new(FRAMES_KEPT),
            places: Arc::new(Semaphore::new(LISTENERS_MAX)),
            open: Mutex::new(Some(watch::Sender::new(()))),
            sampling: Mutex::default(),
        }))
    }

    /// Ends all streams, and lets no more begin.
    pub(super) fn close(&self) {
        drop(self.open().take());
    }

    /// What comes from now on, sampled from now on.
    fn subscribe(&self) -> broadcast::Receiver<Bytes> {
        let mut sampling = self.sampling();
        let frames = self.0.frames.subscribe();
        if sampling
            .sampler
            .as_ref()
            .is_none_or(JoinHandle::is_finished)
        {
            let sampler = Sampler::new(self.clone());
            let handle = &self.0.application.handle;
            sampling.sampler = Some(handle.spawn_as(RouteId::BACKGROUND, sampler.run()));
        }
        frames
    }

    /// Whether the sampler may end, because nobody listens. Then another is started for the next listener.
    fn is_left(&self) -> bool {
        let mut sampling = self.sampling();
        if self.0.frames.receiver_count() > 0 {
            return false;
        }
        *sampling = Sampling::default();
        true
    }

    /// Everything, as the event `snapshot`.
    fn snapshot(&self) -> Bytes {
        let tasks = self.sampling().tasks.clone();
        let mut frame = Frame::default();
        frame.event(
            "snapshot",
            &wire::Snapshot::of(&self.0.application, tasks.as_deref()),
        );
        frame.finish()
    }

    fn open(&self) -> MutexGuard<'_, Option<watch::Sender<()>>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sampling(&self) -> MutexGuard<'_, Sampling> {
        self.0
            .sampling
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The endpoint.
pub(super) async fn live(
    State(live): State<Live>,
    session: Option<Extension<Session>>,
) -> Result<Response, Problem> {
    let Ok(place) = Arc::clone(&live.0.places).try_acquire_owned() else {
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE)
            .with_detail("as many listen already as may; another has to close its page")
            .with_retry_after(Duration::from_secs(5)));
    };
    let Some(closed) = live.open().as_ref().map(watch::Sender::subscribe) else {
        return Err(
            Problem::new(StatusCode::SERVICE_UNAVAILABLE).with_detail("the application is ending")
        );
    };
    let (frames, taken) = mpsc::channel(1);
    let listener = Listener {
        live: live.clone(),
        frames,
        closed,
        session: session.map(|Extension(session)| session),
        _place: place,
    };
    let handle = &live.0.application.handle;
    drop(handle.spawn_as(RouteId::BACKGROUND, listener.run()));
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        // Proxies that gather answers would keep events back.
        (
            axum::http::HeaderName::from_static("x-accel-buffering"),
            "no",
        ),
    ];
    Ok((headers, Body::new(Frames(taken))).into_response())
}
