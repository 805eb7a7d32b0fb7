//! What a path leads to: a method router, Siding's own or axum's.

use std::sync::Arc;

use super::foreign::ForeignLayer;
use super::method_router::MethodRouter;
use super::stop::Stop;

/// What [`App::route`](crate::App::route) takes: a [`MethodRouter`], or axum's.
pub trait IntoEndpoint<S>: sealed::Sealed {
    #[doc(hidden)]
    fn into_endpoint(self) -> Endpoint<S>;
}

/// A method router of axum's, with the stops that are known in it.
#[derive(Debug)]
pub struct Endpoint<S> {
    pub(crate) axum: axum::routing::MethodRouter<S>,
    pub(crate) stops: Vec<Arc<Stop>>,
    /// What of it is answered in child processes, for the child's router.
    pub(crate) in_child: Option<axum::routing::MethodRouter<S>>,
}

impl<S> IntoEndpoint<S> for MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    fn into_endpoint(self) -> Endpoint<S> {
        self.into_parts()
    }
}

/// axum's handlers are guarded and placed too; they are listed once they have answered a request.
impl<S> IntoEndpoint<S> for axum::routing::MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    fn into_endpoint(self) -> Endpoint<S> {
        Endpoint {
            axum: self.layer(ForeignLayer),
            stops: Vec::new(),
            in_child: None,
        }
    }
}

mod sealed {
    /// Only the two method routers are endpoints.
    pub trait Sealed {}

    impl<S> Sealed for crate::routing::MethodRouter<S> {}
    impl<S> Sealed for axum::routing::MethodRouter<S> {}
}
