//! Functions that answer requests.
//!
//! A handler is a function of up to sixteen axum extractors that returns anything axum can make a response of. Its
//! signature says where it runs, and nothing else needs to: an `async fn` on the event loop, a plain `fn` on the
//! thread lane, where it may block.
//!
//! ```
//! use siding::extract::Path;
//! use siding::{App, Problem, get};
//!
//! async fn hello(Path(name): Path<String>) -> String {
//!     format!("Hello, {name}") // on the event loop: must not block
//! }
//!
//! fn load() -> Result<String, Problem> {
//!     std::fs::read_to_string("/proc/loadavg").map_err(|e| Problem::internal(&e)) // on the thread lane: may block
//! }
//!
//! let app: App = App::new("example")
//!     .route("/hello/{name}", get(hello))
//!     .route("/load", get(load));
//! ```
//!
//! [`threads`], [`compute`], [`processes`] and [`pinned`] say otherwise where the signature cannot know.

mod arity;
mod functions;
mod lane;
mod processes;
pub(crate) mod via;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::Request;
use axum::response::Response;
use siding_runtime::{JobError, Kind, LaneKind, Route};

pub(crate) use arity::several_arguments;
pub use lane::{Compute, Pinned, Threads, compute, pinned, threads};
pub use processes::{PlainHandler, Processes, processes};

/// A function that answers requests; implemented for every `async fn` and `fn` whose arguments are extractors.
///
/// All arguments but the last implement [`FromRequestParts`](axum::extract::FromRequestParts); the last implements
/// [`FromRequest`](axum::extract::FromRequest), because it may consume the body. There is no need to implement this
/// trait, or to name it.
///
/// # About type parameter `T`
///
/// You should not need to worry about `T`. It is there so that the implementations for different numbers of
/// arguments, and for `async fn` and `fn`, do not overlap; the compiler infers it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler",
    label = "not a function of extractors that returns a response",
    note = "a handler is an `async fn` or a plain `fn`; every argument implements `FromRequestParts`, and only the \
            last may consume the body (`FromRequest`): `Json`, `String`, `Bytes` and the like come last",
    note = "what it returns implements `IntoResponse`, and the future of an `async fn` is `Send`: nothing that is not \
            `Send`, such as `Rc` or a lock guard, may live across an `.await`",
    note = "the error of a `Result` implements `IntoResponse` too; `siding::Error` does, and `?` turns every error into it",
    note = "a state that it extracts has the type that `App::with_state` is given",
    note = "inside `processes` only a plain `fn` is a handler, because a child process has no event loop"
)]
pub trait Handler<T, S>: Clone + Send + Sync + Sized + 'static {
    /// The future of its response.
    type Future: Future<Output = Result<Response, JobError>> + Send + 'static;

    /// What it is and where it is meant to run.
    fn declaration() -> Declaration;

    /// Answers one request.
    fn call(self, request: Request, state: S, visit: Visit<'_>) -> Self::Future;

    /// How to answer a request in a child process, where that is the place for it.
    #[doc(hidden)]
    fn in_child(self) -> Option<Prepare<S>> {
        None
    }

    /// What it says of itself for the OpenAPI document.
    #[cfg(feature = "openapi")]
    #[doc(hidden)]
    fn description(&self) -> Option<crate::openapi::Description> {
        None
    }
}

/// A function that is called once its arguments have been extracted.
#[doc(hidden)]
pub type Prepared = Box<dyn FnOnce() -> Response + Send>;

/// Extracts a function's arguments; the error is the response to a request that lacks one.
#[doc(hidden)]
pub type Prepare<S> = Arc<dyn Fn(Request, S) -> Preparing + Send + Sync>;

/// The future of [`Prepare`].
#[doc(hidden)]
pub type Preparing = Pin<Box<dyn Future<Output = Result<Prepared, Response>> + Send>>;

/// What a handler is, and where it is meant to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Declaration {
    /// `async fn` or `fn`.
    pub kind: Kind,
    /// The lane it is declared for.
    pub lane: LaneKind,
    /// Whether it stays there whatever it does.
    pub pinned: bool,
}

impl Declaration {
    /// What a signature alone says: an `async fn` belongs on the event loop, a plain `fn` on the thread lane.
    #[must_use]
    pub const fn of(kind: Kind) -> Self {
        let lane = match kind {
            Kind::Async => LaneKind::EventLoop,
            Kind::Plain => LaneKind::Threads,
        };
        Self {
            kind,
            lane,
            pinned: false,
        }
    }
}

/// One request's visit to a route: what a handler needs to run in its lane.
#[derive(Clone, Copy, Debug)]
pub struct Visit<'a> {
    pub(crate) route: &'a Arc<Route>,
    pub(crate) deadline: Option<Instant>,
}
