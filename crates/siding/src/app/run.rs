//! An application as a program.

use std::io::{self, Write};
use std::process::ExitCode;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::args::{self, Role};
use super::running::{Running, StartError};
use super::{App, exit, listing, logging};
use crate::server::Drained;
use crate::traces;

impl App {
    /// Makes a program of the application: reads the command line and the environment, and does what they say.
    ///
    /// `serve`, which is what it does when told nothing, answers requests until SIGTERM or Ctrl-C, and then drains; a
    /// second signal ends it at once. `worker` runs tasks and answers nothing, `tasks` lists and handles them. `routes` lists
    /// the routes, and with the feature `openapi` the sub-command of that name prints the document. `--help` lists every flag. A flag goes over its
    /// environment variable, and that over what [`with_settings`](Self::with_settings) set. The exit codes are those
    /// of [`exit`].
    ///
    /// In a child process of the process lane it runs functions instead, until its parent needs it no more. What `main` does
    /// before this, it does in every child too: it should be quick, and leave resources to the state or the handlers.
    #[must_use = "the exit code is for `main` to return"]
    pub fn run(mut self) -> ExitCode {
        if siding_runtime::is_child() {
            return self.serve_parent();
        }
        let code = match args::read(self.name, std::env::args_os(), &mut self.settings) {
            Ok(Role::Serve) => self.serve(),
            Ok(Role::Worker) => self.work(),
            Ok(Role::Tasks { command }) => self.handle_tasks(command),
            Ok(Role::Routes { json }) => self.print_routes(json),
            #[cfg(feature = "openapi")]
            Ok(Role::OpenApi) => self.print_openapi(),
            Err(error) => {
                // Nobody is left to be told when even this cannot be written.
                let _ = error.print();
                u8::try_from(error.exit_code()).unwrap_or(exit::USAGE)
            }
        };
        traces::finish();
        ExitCode::from(code)
    }

    fn print_routes(&self, json: bool) -> u8 {
        let (list, mut out) = (self.routes(), io::stdout().lock());
        let written = if json {
            listing::write_json(&list, &mut out)
        } else {
            listing::write_table(&list, &mut out)
        };
        match written.and_then(|()| out.flush()) {
            Ok(()) => exit::OK,
            Err(_) => exit::FAILURE,
        }
    }

    fn serve(self) -> u8 {
        logging::start(self.name, &self.settings);
        raise_descriptor_limit();
        let name = self.name;
        match self.start_unless(told_to_stop()) {
            Ok(running) => serve_until_told(name, running),
            Err(error) => {
                log_start_error(&error);
                exit_code(&error)
            }
        }
    }
}

/// Completes at a signal that asks the program to stop.
pub(super) async fn told_to_stop() {
    match Signals::listen() {
        Ok(mut signals) => signals.next().await,
        // Without it the system's own way of ending a program is left.
        Err(_) => std::future::pending().await,
    }
}

/// The exit code that tells a script why the application did not start.
pub(super) fn exit_code(error: &StartError) -> u8 {
    match error {
        StartError::Runtime(_) => exit::FAILURE,
        StartError::Listen { .. } => exit::ADDRESS,
        StartError::Store(_) | StartError::Broker(_) => exit::STORE,
        StartError::Resource(_) => exit::RESOURCE,
        StartError::Interrupted => exit::OK,
        StartError::LeftOut { .. } | StartError::OpenAdmin { .. } => exit::USAGE,
    }
}

fn serve_until_told(name: &str, running: Running) -> u8 {
    // Before it says that it listens: whoever waits for that may send a signal.
    let mut signals = match running.wait(async { Signals::listen() }) {
        Ok(signals) => signals,
        Err(error) => {
            tracing::error!("failed to listen for signals: {error}");
            return exit::FAILURE;
        }
    };
    tracing::info!("{name} listens on http://{}", running.address());
    if let Some(admin) = running.admin_address() {
        tracing::info!("its admin listener is on http://{admin}");
    }
    running.wait(signals.next());
    tracing::info!("draining; a second signal stops at once");
    match running.drain(signals.next()) {
        Drained::Complete => {
            tracing::info!("drained");
            exit::OK
        }
        Drained::Cut {
            connections,
            background,
            resources,
        } => {
            if connections > 0 {
                tracing::warn!("connections that were cut off: {connections}");
            }
            if background > 0 {
                tracing::warn!("pieces of background work that were cut off: {background}");
            }
            if resources > 0 {
                tracing::warn!("resources that were not closed: {resources}");
            }
            exit::CUT_OFF
        }
    }
}

/// The signals that ask a program to stop.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Every connection takes a descriptor, and many systems allow a process few unless it asks.
pub(super) fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!("failed to raise the limit on open files: {error}");
    }
}

pub(super) fn log_start_error(error: &StartError) {
    match std::error::Error::source(error) {
        _ if matches!(error, StartError::Interrupted) => tracing::info!("{error}"),
        Some(source) if matches!(error, StartError::Runtime(_)) => {
            tracing::error!("{error}: {source}")
        }
        _ => tracing::error!("{error}"),
    }
}
