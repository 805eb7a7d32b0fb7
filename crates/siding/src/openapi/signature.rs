//! What the signatures of handlers say.

use std::future::Future;

use axum::extract::{FromRequest, FromRequestParts};
use axum::response::IntoResponse;

use super::{Input, Operation, Output};
use crate::handler::{Compute, Handler, Pinned, PlainHandler, Processes, Threads, via};

/// A handler whose arguments are [`Input`]s and whose result is an [`Output`]. There is no need to implement this trait, or to name
/// it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler that the document can describe",
    label = "an argument or the result does not describe itself",
    note = "every argument implements `siding::openapi::Input`, and the result `siding::openapi::Output`: what `Path`, `Query`, \
            `Json` and `Form` hold takes `#[derive(JsonSchema)]`, and `impl IntoResponse` is to be a type",
    note = "without `described` the handler needs none of this, and is listed with its path"
)]
pub trait Signature<T, S>: Handler<T, S> {
    /// Describes arguments and result.
    #[doc(hidden)]
    fn describe(operation: &mut Operation<'_>);
}

#[diagnostic::do_not_recommend]
impl<F, Fut, Res, S> Signature<(via::Async,), S> for F
where
    F: FnOnce() -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Res> + Send,
    Res: IntoResponse + Output,
{
    fn describe(operation: &mut Operation<'_>) {
        Res::describe(operation);
    }
}

#[diagnostic::do_not_recommend]
impl<F, Res, S> Signature<(via::Plain,), S> for F
where
    F: FnOnce() -> Res + Clone + Send + Sync + 'static,
    Res: IntoResponse + Output,
{
    fn describe(operation: &mut Operation<'_>) {
        Res::describe(operation);
    }
}

#[diagnostic::do_not_recommend]
impl<T, S> Signature<via::Fixed, S> for T
where
    T: IntoResponse + Output + Clone + Send + Sync + 'static,
{
    fn describe(operation: &mut Operation<'_>) {
        <T as Output>::describe(operation);
    }
}

macro_rules! signature {
    ([$($ty:ident),*], $last:ident) => {
        #[diagnostic::do_not_recommend]
        impl<F, Fut, S, Res, M, $($ty,)* $last> Signature<(via::Async, M, $($ty,)* $last,), S> for F
        where
            F: FnOnce($($ty,)* $last,) -> Fut + Clone + Send + Sync + 'static,
            Fut: Future<Output = Res> + Send,
            Res: IntoResponse + Output,
            S: Send + Sync + 'static,
            $($ty: Input + FromRequestParts<S, Rejection: 'static> + Send,)*
            $last: Input + FromRequest<S, M, Rejection: 'static> + Send,
        {
            fn describe(operation: &mut Operation<'_>) {
                $($ty::describe(operation);)*
                $last::describe(operation);
                Res::describe(operation);
            }
        }

        #[diagnostic::do_not_recommend]
        impl<F, S, Res, M, $($ty,)* $last> Signature<(via::Plain, M, $($ty,)* $last,), S> for F
        where
            F: FnOnce($($ty,)* $last,) -> Res + Clone + Send + Sync + 'static,
            Res: IntoResponse + Output,
            S: Send + Sync + 'static,
            $($ty: Input + FromRequestParts<S, Rejection: 'static> + Send + 'static,)*
            $last: Input + FromRequest<S, M, Rejection: 'static> + Send + 'static,
        {
            fn describe(operation: &mut Operation<'_>) {
                $($ty::describe(operation);)*
                $last::describe(operation);
                Res::describe(operation);
            }
        }
    };
}

signature!([], T1);
crate::handler::several_arguments!(signature);

macro_rules! wrapper {
    ($wrapper:ident) => {
        #[diagnostic::do_not_recommend]
        impl<F, T, S> Signature<(via::Wrapped, T), S> for $wrapper<F>
        where
            F: Signature<T, S>,
        {
            fn describe(operation: &mut Operation<'_>) {
                F::describe(operation);
            }
        }
    };
}

wrapper!(Threads);
wrapper!(Compute);
wrapper!(Pinned);

#[diagnostic::do_not_recommend]
impl<F, T, S> Signature<(via::Wrapped, T), S> for Processes<F>
where
    F: PlainHandler<T, S> + Signature<T, S>,
    S: Send + 'static,
{
    fn describe(operation: &mut Operation<'_>) {
        F::describe(operation);
    }
}
