//! [`Handler`] for functions: `async fn` and `fn`, with none to sixteen extractors.

use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, MatchedPath, Request};
use axum::response::{IntoResponse, Response};
use siding_runtime::{Job, JobError, Kind, Placed};

use super::{Declaration, Handler, PlainHandler, Prepared, Preparing, Visit, via};
use crate::background::{self, Scope};
use crate::respond;

type Answer = Result<Response, JobError>;

#[diagnostic::do_not_recommend]
impl<F, Fut, Res, S> Handler<(via::Async,), S> for F
where
    F: FnOnce() -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Res> + Send,
    Res: IntoResponse,
{
    type Future = Placed<Response>;

    fn declaration() -> Declaration {
        Declaration::of(Kind::Async)
    }

    fn call(self, _request: Request, _state: S, visit: Visit<'_>) -> Self::Future {
        visit
            .route
            .place(visit.deadline, async move { self().await.into_response() })
    }
}

#[diagnostic::do_not_recommend]
impl<F, Res, S> Handler<(via::Plain,), S> for F
where
    F: FnOnce() -> Res + Clone + Send + Sync + 'static,
    Res: IntoResponse,
{
    type Future = Job<Response>;

    fn declaration() -> Declaration {
        Declaration::of(Kind::Plain)
    }

    fn call(self, _request: Request, _state: S, visit: Visit<'_>) -> Self::Future {
        visit
            .route
            .call(visit.deadline, move || self().into_response())
    }
}

#[diagnostic::do_not_recommend]
impl<F, Res, S> PlainHandler<(via::Plain,), S> for F
where
    F: FnOnce() -> Res + Clone + Send + Sync + 'static,
    Res: IntoResponse,
{
    fn prepare(self, _request: Request, _state: S) -> Preparing {
        let prepared: Prepared = Box::new(move || self().into_response());
        Box::pin(ready(Ok(prepared)))
    }
}

#[diagnostic::do_not_recommend]
impl<T, S> Handler<via::Fixed, S> for T
where
    T: IntoResponse + Clone + Send + Sync + 'static,
{
    type Future = Ready<Answer>;

    fn declaration() -> Declaration {
        Declaration::of(Kind::Async)
    }

    fn call(self, _request: Request, _state: S, _visit: Visit<'_>) -> Self::Future {
        ready(Ok(self.into_response()))
    }
}

/// Extracts every argument of a handler, or gives the rejection of the first that cannot be had to `$reject`. `$pattern` tells the
/// path as it was routed, should it be asked for.
macro_rules! extract {
    ($request:ident, $state:ident, [$($ty:ident),*], $last:ident, $pattern:expr, $reject:expr) => {
        let (mut parts, body) = $request.into_parts();
        $(
            let $ty = match $ty::from_request_parts(&mut parts, &$state).await {
                Ok(value) => value,
                Err(rejection) => return $reject(respond::rejection(rejection, $pattern)),
            };
        )*
        let $last = match $last::from_request(Request::from_parts(parts, body), &$state).await {
            Ok(value) => value,
            Err(rejection) => return $reject(respond::rejection(rejection, $pattern)),
        };
    };
}

macro_rules! handler {
    ($(#[$attribute:meta])* [$($ty:ident),*], $last:ident) => {
        #[diagnostic::do_not_recommend]
        #[expect(non_snake_case, reason = "each argument is named as its type parameter")]
        $(#[$attribute])*
        impl<F, Fut, S, Res, M, $($ty,)* $last> Handler<(via::Async, M, $($ty,)* $last,), S> for F
        where
            F: FnOnce($($ty,)* $last,) -> Fut + Clone + Send + Sync + 'static,
            Fut: Future<Output = Res> + Send,
            Res: IntoResponse,
            S: Send + Sync + 'static,
            $($ty: FromRequestParts<S, Rejection: 'static> + Send,)*
            $last: FromRequest<S, M, Rejection: 'static> + Send,
        {
            type Future = Placed<Response>;

            fn declaration() -> Declaration {
                Declaration::of(Kind::Async)
            }

            fn call(self, request: Request, state: S, visit: Visit<'_>) -> Self::Future {
                let handler = async move {
                    extract!(request, state, [$($ty),*], $last, respond::current_pattern, std::convert::identity);
                    background::attach(self($($ty,)* $last,).await.into_response())
                };
                visit.route.place(visit.deadline, Scope::new(visit.route.id(), handler))
            }
        }

        #[diagnostic::do_not_recommend]
        #[expect(non_snake_case, reason = "each argument is named as its type parameter")]
        $(#[$attribute])*
        impl<F, S, Res, M, $($ty,)* $last> Handler<(via::Plain, M, $($ty,)* $last,), S> for F
        where
            F: FnOnce($($ty,)* $last,) -> Res + Clone + Send + Sync + 'static,
            Res: IntoResponse,
            S: Send + Sync + 'static,
            $($ty: FromRequestParts<S, Rejection: 'static> + Send + 'static,)*
            $last: FromRequest<S, M, Rejection: 'static> + Send + 'static,
        {
            type Future = Pin<Box<dyn Future<Output = Answer> + Send>>;

            fn declaration() -> Declaration {
                Declaration::of(Kind::Plain)
            }

            /// Extracts on the event loop, as bodies arrive there; then runs the function and its
            /// `into_response`, which may be long, on the lane.
            fn call(self, request: Request, state: S, visit: Visit<'_>) -> Self::Future {
                let (route, deadline) = (Arc::clone(visit.route), visit.deadline);
                Box::pin(Scope::new(route.id(), async move {
                    let pattern = || respond::pattern_in(&route.spec().name);
                    extract!(request, state, [$($ty),*], $last, pattern, Ok);
                    let draft = background::take();
                    let handler = move || {
                        let mut response = self($($ty,)* $last,).into_response();
                        if let Some(draft) = draft {
                            draft.attach(&mut response);
                        }
                        response
                    };
                    route.call(deadline, handler).await
                }))
            }
        }

        #[diagnostic::do_not_recommend]
        #[expect(non_snake_case, reason = "each argument is named as its type parameter")]
        $(#[$attribute])*
        impl<F, S, Res, M, $($ty,)* $last> PlainHandler<(via::Plain, M, $($ty,)* $last,), S> for F
        where
            F: FnOnce($($ty,)* $last,) -> Res + Clone + Send + Sync + 'static,
            Res: IntoResponse,
            S: Send + Sync + 'static,
            $($ty: FromRequestParts<S, Rejection: 'static> + Send + 'static,)*
            $last: FromRequest<S, M, Rejection: 'static> + Send + 'static,
        {
            fn prepare(self, request: Request, state: S) -> Preparing {
                Box::pin(async move {
                    let matched = request.extensions().get::<MatchedPath>().cloned();
                    let pattern = || Some(matched.as_ref()?.as_str().to_owned());
                    extract!(request, state, [$($ty),*], $last, pattern, Err);
                    let prepared: Prepared = Box::new(move || self($($ty,)* $last,).into_response());
                    Ok(prepared)
                })
            }
        }
    };
}

handler!(
    #[expect(unused_mut, reason = "a sole argument takes the request whole")]
    [],
    T1
);
super::several_arguments!(handler);
