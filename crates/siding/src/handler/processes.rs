//! Declaring a handler for the process lane.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, FromRequest, OriginalUri, Request};
use axum::response::{IntoResponse, Response};
use siding_runtime::{JobError, LaneKind};
use siding_tasks::TaskFunction;

use super::{Declaration, Handler, Prepare, Preparing, Visit, via};
use crate::processes::{REQUEST, wire};
use crate::{Problem, respond};

/// Declares a plain `fn` for the process lane, as a handler, `get(processes(f))`, or as a
/// [task](crate::tasks), `tasks.register("thumbnail", processes(f))`. It is called in a child process, which a crash, a leak or
/// the request's deadline may end without harm to anybody else.
///
/// ```
/// use siding::extract::Path;
/// use siding::{App, get, processes};
///
/// fn thumbnail(Path(id): Path<u64>) -> Vec<u8> {
///     let _ = id; // calls a C library that sometimes crashes
///     Vec::new()
/// }
///
/// let app: App = App::new("images").route("/thumbnails/{id}", get(processes(thumbnail)));
/// ```
///
/// # How
///
/// The request, with its body, goes to a child, which is this same program: there `main` puts the same [`App`](crate::App)
/// together, [`run`](crate::App::run) recognises the child, extractors and `f` run, and the response, with its whole
/// body, comes back. So:
///
/// - A client that leaves and a deadline that passes kill the child with `f` in it; a crash is answered 500.
/// - The state is the child's own: built anew by `main`, and not shared with anybody.
/// - Layers run in the parent only. Extractors that read what a layer has put into the request's extensions find
///   nothing; the path, headers, state, body and peer address are there.
/// - A response is complete before it is sent: streams are collected.
/// - There is no runtime of Siding's in a child: [`offload`](crate::offload), [`compute`](fn@crate::compute) and
///   [`spawn`](crate::spawn) panic there.
/// - The route must be the `App`'s, by [`route`](crate::App::route), [`merge`](crate::App::merge) or
///   [`nest`](crate::App::nest) of apps: a child does not look into axum's own routers.
#[must_use]
pub fn processes<F>(f: F) -> Processes<F> {
    Processes(f)
}

/// A handler declared for the process lane; see [`processes`].
#[derive(Clone, Copy, Debug)]
pub struct Processes<F>(F);

/// A plain `fn` that answers requests; implemented for every `fn` whose arguments are extractors. There is no need to
/// implement this trait, or to name it.
pub trait PlainHandler<T, S>: Handler<T, S> {
    /// Extracts the arguments for one request.
    #[doc(hidden)]
    fn prepare(self, request: Request, state: S) -> Preparing;
}

#[diagnostic::do_not_recommend]
impl<F, T, S> Handler<(via::Wrapped, T), S> for Processes<F>
where
    F: PlainHandler<T, S>,
    S: Send + 'static,
{
    type Future = Pin<Box<dyn Future<Output = Result<Response, JobError>> + Send>>;

    fn declaration() -> Declaration {
        Declaration {
            lane: LaneKind::Processes,
            ..F::declaration()
        }
    }

    /// The body arrives on the event loop, and is bounded as for every extractor.
    fn call(self, request: Request, _state: S, visit: Visit<'_>) -> Self::Future {
        let (route, deadline) = (Arc::clone(visit.route), visit.deadline);
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let original = parts.extensions.get::<OriginalUri>();
            let head = wire::Head {
                method: parts.method.clone(),
                uri: original.map_or_else(|| parts.uri.clone(), |uri| uri.0.clone()),
                headers: parts.headers.clone(),
                peer: parts
                    .extensions
                    .get()
                    .map(|peer: &ConnectInfo<SocketAddr>| peer.0),
            };
            let request = Request::from_parts(parts, body);
            let body = match Bytes::from_request(request, &()).await {
                Ok(body) => body,
                Err(rejection) => return Ok(respond::rejection(rejection, || None)),
            };
            let message = wire::request(&head, &body);
            drop((head, body));
            let answer = route.call_process(deadline, REQUEST, message).await?;
            Ok(match answer {
                Ok(message) => wire::read_response(&message)
                    .unwrap_or_else(|error| Problem::internal(&error).into_response()),
                Err(error) => respond::unanswered(&error).into_response(),
            })
        })
    }

    fn in_child(self) -> Option<Prepare<S>> {
        Some(Arc::new(move |request, state| {
            self.0.clone().prepare(request, state)
        }))
    }
}

#[diagnostic::do_not_recommend]
impl<F, M> TaskFunction<(via::Wrapped, M)> for Processes<F>
where
    F: TaskFunction<M>,
{
    type Args = F::Args;
    type Output = F::Output;

    fn declaration() -> siding_tasks::Declaration {
        siding_tasks::Declaration {
            lane: LaneKind::Processes,
            ..F::declaration()
        }
    }

    fn call(&self, call: siding_tasks::Call) -> siding_tasks::Work {
        self.0.call(call)
    }
}
