//! A Siding handler as an axum handler.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::extract::{MatchedPath, Request};
use axum::response::{IntoResponse, Response};
use pin_project_lite::pin_project;
use siding_runtime::JobError;

use super::stop::{Methods, Stop};
use crate::Error;
use crate::arrival::Arrival;
use crate::handler::{Handler, Visit};

/// Marks axum's handler trait as implemented by way of ours, with our marker `T` inside.
pub(crate) struct ViaSiding<T>(std::marker::PhantomData<T>);

/// A handler at its [`Stop`].
#[derive(Clone, Debug)]
pub(crate) struct Mounted<H> {
    handler: H,
    stop: Arc<Stop>,
}

impl<H> Mounted<H> {
    /// A handler for these methods.
    pub(crate) fn new<T, S>(methods: Methods, handler: H) -> Self
    where
        H: Handler<T, S>,
    {
        let stop = Stop::new(methods, H::declaration());
        #[cfg(feature = "openapi")]
        let stop = stop.described(handler.description());
        Self {
            handler,
            stop: Arc::new(stop),
        }
    }

    pub(crate) fn stop(&self) -> Arc<Stop> {
        Arc::clone(&self.stop)
    }
}

impl<H, T, S> axum::handler::Handler<ViaSiding<T>, S> for Mounted<H>
where
    H: Handler<T, S>,
    T: 'static,
    S: 'static,
{
    type Future = MountedFuture<H::Future>;

    fn call(self, request: Request, state: S) -> Self::Future {
        let arrival = Arrival::handle();
        let route = self.stop.route(|| path_of(&request));
        Arrival::at(route.id());
        let visit = Visit {
            route,
            deadline: arrival.deadline,
        };
        MountedFuture {
            answer: self.handler.call(request, state, visit),
            stop: self.stop,
            arrival,
        }
    }
}

pin_project! {
    /// Records how long the answer took, and turns a job without a result into a response.
    #[derive(Debug)]
    pub(crate) struct MountedFuture<F> {
        #[pin]
        answer: F,
        stop: Arc<Stop>,
        arrival: Arrival,
    }
}

impl<F> Future for MountedFuture<F>
where
    F: Future<Output = Result<Response, JobError>>,
{
    type Output = Response;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Response> {
        let this = self.project();
        let answer = ready!(this.answer.poll(cx));
        let route = this.stop.route(String::new);
        route.record(this.arrival.at.elapsed());
        Poll::Ready(answer.unwrap_or_else(|error| Error::from(error).into_response()))
    }
}

/// The path as it was routed, `/users/{id}`, or `(fallback)` where none was.
pub(super) fn path_of(request: &Request) -> String {
    request
        .extensions()
        .get::<MatchedPath>()
        .map_or("(fallback)", MatchedPath::as_str)
        .to_owned()
}
