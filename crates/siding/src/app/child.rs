//! An application in a child process: it runs functions, and serves nobody.

use std::process::ExitCode;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use siding_runtime::{FunctionErrorKind, Functions, serve_child};
use siding_tasks::Tasks;
use tokio::runtime::Runtime;

use super::late::{Late, LateRouters};
use super::{App, Settings, args, exit, logging};
use crate::lifespan::{Lifespan, ResourceError, Resources};
use crate::processes::{REQUEST, answer};

/// The limit that axum's own body extractors have.
const AXUM_BODY_BYTES_MAX: usize = 2 * 1024 * 1024;
/// What a request has beside its body and its headers, and the limit on functions' arguments beyond which it does not go.
const REQUEST_EXTRA_BYTES: usize = 64 * 1024;
const FRAME_BYTES_MAX: usize = 1 << 30;

impl App {
    /// Runs functions for the parent.
    pub(super) fn serve_parent(mut self) -> ExitCode {
        // The command line is the parent's, which has found it in order; or one of `with_child_args`, which is not for us.
        let _ = args::read(self.name, std::env::args_os(), &mut self.settings);
        logging::start_in_child(&self.settings);
        let mut functions = functions(self.processes.functions, self.tasks.as_ref());
        let routers = LateRouters {
            public: self.router,
            in_child: self.processes.router,
        };
        let (mut late, settings) = (self.late, self.settings);
        late.retain(Late::is_in_child);
        let router = move |runtime: &Runtime| {
            let resources = Arc::new(Resources::new(settings.lifespan, None));
            let lifespan = Lifespan::new(resources, settings.clone());
            let opened = runtime.block_on(routers.with_all(late, &lifespan));
            let opened = opened.unwrap_or_else(|error| give_up(&error));
            with_body_limit(opened.in_child, &settings)
        };
        functions.register_raw(REQUEST, answer(router, Arc::new(self.errors)));
        serve_child(&functions).unwrap_or(ExitCode::from(exit::FAILURE))
    }
}

/// A child that cannot open what its handlers need makes way for another, which may find the resource well again.
#[expect(
    clippy::exit,
    reason = "there is nobody to return to but the function that was called, whose next caller would find the same"
)]
fn give_up(error: &ResourceError) -> ! {
    tracing::error!("a child process ends: {error}");
    std::process::exit(exit::RESOURCE.into())
}

/// The functions of an application and its tasks. Parent and children have the same.
pub(super) fn functions(mut functions: Functions, tasks: Option<&Tasks>) -> Functions {
    if let Some(tasks) = tasks {
        functions.merge(tasks.functions());
    }
    functions
}

/// The functions as the parent knows them: it sends requests to children, and answers none in this way itself.
pub(super) fn in_parent(mut functions: Functions) -> Functions {
    functions.register_raw(REQUEST, |_: &[u8]| {
        Err(FunctionErrorKind::Failed(
            "only a child answers requests so".to_owned(),
        ))
    });
    functions
}

/// Leaves the bodies of requests to the server's own limit where that is higher than axum's.
pub(super) fn with_body_limit(router: Router, settings: &Settings) -> Router {
    match settings.limits.max_body_bytes > AXUM_BODY_BYTES_MAX {
        true => router.layer(DefaultBodyLimit::disable()),
        false => router,
    }
}

/// Lets the arguments of functions be as long as any request that the server takes.
pub(super) fn admit_requests(settings: &mut Settings) {
    let limits = &settings.limits;
    let request = limits
        .max_body_bytes
        .saturating_add(limits.max_header_bytes.saturating_mul(2))
        .saturating_add(REQUEST_EXTRA_BYTES);
    let frame = &mut settings.runtime.processes.frame_bytes_max;
    *frame = (*frame).max(request.min(FRAME_BYTES_MAX));
}
