//! The function that answers requests in a child.

use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::Router;
use axum::body::to_bytes;
use siding_runtime::FunctionErrorKind;
use tokio::runtime::Runtime;
use tower::ServiceExt;

use super::endpoint::Later;
use super::wire;
use crate::respond::ErrorHandlers;

/// The name of the function that answers requests.
pub(crate) const REQUEST: &str = "siding::request";

/// The function that answers requests by way of the child's router. That is made at the first request, since only then it is known
/// that the child needs it, and what its handlers need may take long to open.
pub(crate) fn answer(
    router: impl FnOnce(&Runtime) -> Router + Send + 'static,
    errors: Arc<ErrorHandlers>,
) -> impl Fn(&[u8]) -> Result<Vec<u8>, FunctionErrorKind> + Send + Sync {
    let runtime = OnceLock::new();
    let make = Mutex::new(Some(router));
    let router = OnceLock::new();
    move |message| {
        let runtime: &io::Result<Runtime> = runtime.get_or_init(event_loop);
        let runtime = runtime.as_ref().map_err(failed)?;
        let router: &Router = router.get_or_init(|| {
            let make = make.lock().unwrap_or_else(PoisonError::into_inner).take();
            make.expect("taken once")(runtime)
        });
        let request = wire::read_request(message).map_err(|error| failed(&error))?;
        let asked = format!("{} {}", request.method(), request.uri().path());
        let response = errors.during(|| {
            let Ok(mut response) = runtime.block_on(router.clone().oneshot(request));
            let later = response.extensions_mut().remove::<Later>();
            later.map(|later| later.finish(response))
        });
        let response = response.ok_or_else(|| not_routed(&asked))?;
        let (parts, body) = response.into_parts();
        let body = runtime.block_on(to_bytes(body, usize::MAX));
        Ok(wire::response(
            &parts,
            &body.map_err(|error| failed(&error))?,
        ))
    }
}

/// Extractors are futures, and bodies may be.
fn event_loop() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

fn failed(error: &impl ToString) -> FunctionErrorKind {
    FunctionErrorKind::Failed(error.to_string())
}

fn not_routed(asked: &str) -> FunctionErrorKind {
    FunctionErrorKind::Failed(format!(
        "in the child no handler inside `processes` is routed at {asked}; it must be given to `App::route`, because a \
         child does not look into axum's own routers"
    ))
}
