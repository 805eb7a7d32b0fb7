//! axum's own routes, guarded and placed like Siding's.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::extract::{MatchedPath, Request};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use pin_project_lite::pin_project;
use siding_runtime::{Kind, Placed, Route};
use tower_layer::Layer;
use tower_service::Service;

use super::mounted::path_of;
use super::stop::{Methods, Stop};
use crate::Error;
use crate::arrival::Arrival;
use crate::background::{self, Scope};
use crate::handler::Declaration;
use crate::respond;

/// Places what it wraps as an `async fn`. axum applies it to each endpoint, so that each has stops of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ForeignLayer;

impl<S> Layer<S> for ForeignLayer {
    type Service = Foreign<S>;

    fn layer(&self, inner: S) -> Foreign<S> {
        let stops = Verb::ALL.map(|verb| {
            let methods = Methods(verb.as_str().to_owned());
            Stop::new(methods, Declaration::of(Kind::Async))
        });
        Foreign {
            inner,
            stops: Arc::new(stops),
        }
    }
}

/// One of axum's endpoints, with a stop for each method that it may be asked.
#[derive(Clone, Debug)]
pub(crate) struct Foreign<S> {
    inner: S,
    stops: Arc<[Stop; Verb::ALL.len()]>,
}

impl<S> Service<Request> for Foreign<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = ForeignFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> ForeignFuture {
        let arrival = Arrival::peek();
        let stop = &self.stops[Verb::of(request.method()) as usize];
        let route = Arc::clone(stop.route(|| path_of(&request)));
        let matched = request.extensions().get::<MatchedPath>().is_some();
        Arrival::at(route.id());
        let answer = self.inner.call(request);
        let handler = async move {
            let response = respond::foreign(answer.await?).await;
            Ok(background::attach(response))
        };
        ForeignFuture {
            matched,
            answer: route.place(arrival.deadline, Scope::new(route.id(), handler)),
            route,
            arrival,
        }
    }
}

pin_project! {
    /// Records how long the answer took, and whether a handler gave it.
    #[derive(Debug)]
    pub(crate) struct ForeignFuture {
        #[pin]
        answer: Placed<Result<Response, Infallible>>,
        route: Arc<Route>,
        arrival: Arrival,
        matched: bool,
    }
}

impl Future for ForeignFuture {
    type Output = Result<Response, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = ready!(this.answer.poll(cx));
        this.route.record(this.arrival.at.elapsed());
        let response = match answer {
            Ok(Ok(response)) => response,
            Err(error) => Error::from(error).into_response(),
        };
        if *this.matched && response.status() != StatusCode::METHOD_NOT_ALLOWED {
            Arrival::handle();
        }
        Poll::Ready(Ok(response))
    }
}

/// A method as a small number. Methods beyond the standard ones share one, so that a client cannot make up routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
    Trace,
    Connect,
    Other,
}

impl Verb {
    const ALL: [Self; 10] = [
        Self::Get,
        Self::Head,
        Self::Post,
        Self::Put,
        Self::Patch,
        Self::Delete,
        Self::Options,
        Self::Trace,
        Self::Connect,
        Self::Other,
    ];

    pub(crate) fn of(method: &Method) -> Self {
        match *method {
            Method::GET => Self::Get,
            Method::HEAD => Self::Head,
            Method::POST => Self::Post,
            Method::PUT => Self::Put,
            Method::PATCH => Self::Patch,
            Method::DELETE => Self::Delete,
            Method::OPTIONS => Self::Options,
            Method::TRACE => Self::Trace,
            Method::CONNECT => Self::Connect,
            _ => Self::Other,
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
            Self::Trace => "TRACE",
            Self::Connect => "CONNECT",
            Self::Other => "*",
        }
    }
}
