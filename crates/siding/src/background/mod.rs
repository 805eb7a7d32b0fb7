//! Work that runs after the response has been sent.
//!
//! A handler takes [`BackgroundTasks`] as an argument, adds work to it, and answers. The work begins once the response
//! has been sent.
//!
//! ```
//! use siding::{App, BackgroundTasks, Json, StatusCode, compute, post};
//! # #[derive(serde::Deserialize)]
//! # struct Notice { text: String }
//! # fn write_log(_: &str) -> std::io::Result<()> { Ok(()) }
//! # async fn tell_the_others() {}
//! # fn count_words(_: &str) {}
//!
//! async fn notify(background: BackgroundTasks, Json(notice): Json<Notice>) -> StatusCode {
//!     let text = notice.text.clone();
//!     background.add(move || write_log(&text)); // a plain closure: on the thread lane, may block
//!     background.add(async move { tell_the_others().await }); // a future: on the event loop
//!     background.add(compute(move || count_words(&notice.text))); // on the compute lane
//!     StatusCode::ACCEPTED
//! }
//!
//! let app: App = App::new("notices").route("/notify", post(notify));
//! ```
//!
//! # What runs where
//! As with handlers, what it is says where it runs: a plain closure on the thread lane, a future or an `async` closure on
//! the event loop. [`compute`](crate::compute), [`threads`](crate::threads) and [`pinned`](crate::pinned) say otherwise.
//! It is guarded, measured and moved as a handler is, under a route of its own: `background of POST /notify`. It has no
//! deadline.
//!
//! # When it begins
//! When the last byte of the response has been given to the kernel, or the client has left before that. Over HTTP/2 it
//! is when the body has been given to the connection, which may still hold some of it for a client that is slow to take
//! it. The connection does not wait for it: its next request is served meanwhile.
//!
//! # Whose work runs
//! That of every handler that returned, whatever the status of its response: also when it returned an `Err`. Where a
//! failure should leave nothing behind, put `?` before [`add`](BackgroundTasks::add). The work of a handler that did not
//! return, because it panicked, its deadline passed or its client left, is dropped, and the log says how much. A plain
//! `fn` that runs already cannot be stopped by its client or its deadline: it returns in the end, and its work runs then.
//!
//! # Order and failure
//! The work of one request runs in the order in which it was added, one piece after the other; that of different
//! requests at the same time. A piece that fails, by returning an `Err` or by panicking, is logged as an error with its
//! route's name and the request's [`correlation_id`](BackgroundTasks::correlation_id), and the next one runs.
//!
//! # When full
//! It passes the same admission as everything else on its lane. When the lane refuses it, nobody is there to be told,
//! so it waits for as long as the lane says and tries again, until it is taken or the server has shut down; the log has
//! a warning. How much may have been accepted is bounded by
//! [`Config::background_max`](siding_runtime::Config::background_max): beyond it, requests to handlers that take
//! [`BackgroundTasks`] get 503 with `Retry-After`, and the handler does not run. Handlers that run already may go beyond it.
//!
//! # Shutdown
//! A drain waits for it, within the same limit as for requests
//! ([`Limits::drain_limit`](crate::Limits::drain_limit)). What has not ended then is cut off: what runs on the event
//! loop at its next `.await`, what has not begun never begins, and the log says how many that were. The exit code is
//! then [`CUT_OFF`](crate::exit::CUT_OFF).
//!
//! # Background work or a durable task
//! Background work lives in the memory of one process. A [durable task](crate::tasks) is a record on disk or in
//! a database that a worker takes.
//!
//! | | background work | durable task |
//! | --- | --- | --- |
//! | a crash, `kill -9`, a power cut | loses it | it runs after the restart |
//! | a restart by a signal | waits for it, within the drain limit | it goes on elsewhere, or later |
//! | a failure | is logged | is retried as its policy says |
//! | runs | here | in any worker process, on any machine |
//! | the result | is dropped | can be asked for |
//! | costs | an allocation or two | a write before the response, and arguments that can be stored |
//!
//! Use background work for what may be lost and is short: an access record, a cache to warm, a mail that nobody would miss.
//! Use a durable task for what must happen once it was promised, for what takes minutes, and for what is to be retried.
//!
//! # Differences from FastAPI and Starlette
//! 1. There, a piece that raises ends the list; here the next one runs.
//! 2. There, an `HTTPException` that is raised drops the work, and an error response that is returned does not. In Rust
//!    both are returned, and the work runs.
//! 3. There, a client that leaves cancels no handler; here it does, unless the handler is a plain `fn` that runs already.

mod draft;
mod list;
mod runner;
mod scope;
mod task;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::StatusCode;
use axum::http::request::Parts;

use crate::Problem;
use list::List;

pub(crate) use draft::{Launch, attach, take};
pub(crate) use scope::Scope;
pub use task::{BackgroundTask, Failure, Outcome, Work};

/// What a client is told that comes when there is too much.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The work of one request that runs after its response has been sent; see the [module](self).
///
/// It is an extractor, for handlers of either kind and for axum's own. Clones share one list, and so do all that one
/// handler extracts. Work may be added at any time, also by work that runs: it is then the last in the list.
///
/// # Errors
/// When there is as much background work as may be
/// ([`Config::background_max`](siding_runtime::Config::background_max)), the request is answered 503 with `Retry-After`.
/// Outside a handler of a Siding app, in a middleware for instance, it is answered 500, and the log says why.
#[derive(Clone)]
pub struct BackgroundTasks(Arc<List>);

impl BackgroundTasks {
    /// Adds a plain closure, a future, an `async` closure, or one of them inside [`compute`](crate::compute),
    /// [`threads`](crate::threads) or [`pinned`](crate::pinned). It may return nothing, or a `Result` whose error is logged.
    ///
    /// # Cancellation
    /// It is dropped unrun when the handler does not return, and when a shutdown cuts it off.
    pub fn add<T, M>(&self, task: T)
    where
        T: BackgroundTask<M>,
    {
        self.0.add(T::declaration(), task.into_work());
    }

    /// An id that is in every line that the log has about this request's background work: in the form of a UUID, random,
    /// and no secret. For the handler's own log lines, or for the client to quote.
    #[must_use]
    pub fn correlation_id(&self) -> &str {
        self.0.correlation_id()
    }
}

impl<S> FromRequestParts<S> for BackgroundTasks
where
    S: Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Problem> {
        of_this_handler()?.ok_or_else(|| {
            Problem::internal(
                &"`BackgroundTasks` is for the handlers of a Siding app; a middleware or a server of axum's own uses \
                  `siding::spawn`",
            )
        })
    }
}

/// `None` outside a handler of a Siding app.
impl<S> OptionalFromRequestParts<S> for BackgroundTasks
where
    S: Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Option<Self>, Problem> {
        of_this_handler()
    }
}

/// `None` outside a handler of a Siding app; 503 when there is as much background work as may be.
fn of_this_handler() -> Result<Option<BackgroundTasks>, Problem> {
    match scope::list() {
        Some(list) if list.handle().background().is_full() => {
            let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE)
                .with_detail("there is too much background work; try again later");
            Err(problem.with_retry_after(RETRY_AFTER))
        }
        list => Ok(list.map(BackgroundTasks)),
    }
}

impl fmt::Debug for BackgroundTasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BackgroundTasks").field(&self.0).finish()
    }
}
