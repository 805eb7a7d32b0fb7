//! An application in a child process: it runs functions, and serves nobody.

use std::process::ExitCode;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use siding_runtime::{Functions, serve_child};
use siding_tasks::Tasks;

use super::{App, Settings, args, exit, logging};
use crate::processes::{REQUEST, answer};
use crate::respond::ErrorHandlers;

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
        let functions = functions(
            self.processes.functions,
            self.processes.router,
            self.tasks.as_ref(),
            &Arc::new(self.errors),
            &self.settings,
        );
        serve_child(&functions).unwrap_or(ExitCode::from(exit::FAILURE))
    }
}

/// All functions of an application, its tasks and the one that answers requests included. Parent and children have the same.
pub(super) fn functions(
    mut functions: Functions,
    router: Router,
    tasks: Option<&Tasks>,
    errors: &Arc<ErrorHandlers>,
    settings: &Settings,
) -> Functions {
    if let Some(tasks) = tasks {
        functions.merge(tasks.functions());
    }
    let answer = answer(with_body_limit(router, settings), Arc::clone(errors));
    functions.register_raw(REQUEST, answer);
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
