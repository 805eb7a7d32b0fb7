//! A handler in the child's router.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::Request;
use axum::response::{IntoResponse, Response};

use crate::handler::{Prepare, Prepared};

/// A handler in the child's router. It extracts the arguments and leaves the call for [later](Later): no event loop may be
/// current while a plain function runs, because blocking clients refuse to run inside of one.
pub(crate) struct InChild<S>(pub(crate) Prepare<S>);

impl<S> Clone for InChild<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S> axum::handler::Handler<Infallible, S> for InChild<S>
where
    S: Send + 'static,
{
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(self, request: Request, state: S) -> Self::Future {
        let preparing = (self.0)(request, state);
        Box::pin(async move {
            let (mut response, later) = match preparing.await {
                Ok(prepared) => (().into_response(), Later::call(prepared)),
                Err(rejection) => (rejection, Later::Rejected),
            };
            response.extensions_mut().insert(later);
            response
        })
    }
}

/// What is to be done about a request once it was routed; rides on the response, because nothing else leaves axum's router.
#[derive(Clone)]
pub(super) enum Later {
    /// The response is complete: an argument could not be had.
    Rejected,
    /// The function is to be called, for another response.
    Call(Arc<Mutex<Option<Prepared>>>),
}

impl Later {
    fn call(prepared: Prepared) -> Self {
        Self::Call(Arc::new(Mutex::new(Some(prepared))))
    }

    /// Calls the function, unless the response is complete.
    pub(super) fn finish(self, response: Response) -> Response {
        let Self::Call(slot) = self else {
            return response;
        };
        let prepared = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        prepared.map_or(response, |prepared| prepared())
    }
}
