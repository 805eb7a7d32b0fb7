//! An application that runs.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use siding_runtime::{Builder, Handle, Runtime};

use super::{App, Settings, child, journal};
use crate::admin;
use crate::server::{Drained, Server, Site};

/// How long what still runs in the lanes may take once every connection is closed.
const LANES_SHUTDOWN: Duration = Duration::from_millis(500);

/// Why an application did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The operating system refused a thread or an event queue.
    #[error("failed to start the runtime")]
    Runtime(#[source] io::Error),
    /// A listener cannot have its address.
    #[error("failed to listen on {address}: {}", reason(.source))]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The admin listener would be open to others.
    #[error(
        "the admin listener on {address} needs a token, because others can reach that address (--admin-token, or listen on 127.0.0.1)"
    )]
    OpenAdmin {
        /// The address.
        address: SocketAddr,
    },
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "another program listens there (--bind and --admin choose other addresses)".to_owned()
        }
        io::ErrorKind::AddrNotAvailable => "it is no address of this machine".to_owned(),
        io::ErrorKind::PermissionDenied => {
            "it takes a privilege to listen there (ports below 1024 do)".to_owned()
        }
        _ => error.to_string(),
    }
}

/// An application that runs, on threads of its own. Dropping it stops it at once; [`drain`](Self::drain) lets it finish.
#[derive(Debug)]
pub struct Running {
    // Before the runtime, so that they are dropped while it is there.
    public: Server,
    admin: Option<Server>,
    runtime: Runtime,
}

impl App {
    /// Starts the application, and returns once it listens.
    ///
    /// # Errors
    /// When the runtime does not start, an address cannot be had, or the admin listener would be open to others.
    pub fn start(self) -> Result<Running, StartError> {
        let mut settings = self.settings;
        check_admin(&settings)?;
        child::admit_requests(&mut settings);
        let journal = journal::Journal::default();
        let mut builder = Builder::new().config(settings.runtime);
        builder = builder.observer(journal.observer());
        let functions =
            child::functions(self.processes.functions, self.processes.router, &settings);
        builder = builder.functions(functions);
        if let Some(args) = self.processes.child_args {
            builder = builder.child_args(args);
        }
        for observer in self.observers {
            builder = builder.observer(observer);
        }
        let runtime = builder.build().map_err(StartError::Runtime)?;
        let handle = runtime.handle().clone();
        journal.attach(&handle);
        for processes in &self.processes.handles {
            processes.bind(handle.processes());
        }
        for entry in &self.entries {
            entry.stop.bind(handle.routes(), &entry.path);
        }
        // axum makes its services once a state is there, and with every request before.
        let router = child::with_body_limit(self.router.with_state(()), &settings);
        runtime
            .block_on(async {
                let site = Site {
                    router,
                    limits: settings.limits,
                    peer: self.peer,
                };
                let public = listen(settings.bind, site, &handle)?;
                let admin = start_admin(&settings, &handle)?;
                Ok((public, admin))
            })
            .map(|(public, admin)| Running {
                public,
                admin,
                runtime,
            })
    }
}

impl Running {
    /// The address that the application listens on, with the port that it was given.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.public.address()
    }

    /// The address of the admin listener, if there is one.
    #[must_use]
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(Server::address)
    }

    /// The runtime it runs on.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        self.runtime.handle()
    }

    /// Waits for `stop` on the runtime, and returns what it yields.
    pub fn wait<F: Future>(&self, stop: F) -> F::Output {
        self.runtime.block_on(stop)
    }

    /// Stops: takes no more connections, answers what has been accepted, and ends the runtime. `cut_short` ends the wait
    /// for requests that take long; the drain limit does so anyway.
    pub fn drain(self, cut_short: impl Future<Output = ()>) -> Drained {
        let drained = self.runtime.block_on(self.public.drain(cut_short));
        drop(self.admin);
        self.runtime.shut_down(LANES_SHUTDOWN);
        drained
    }
}

fn check_admin(settings: &Settings) -> Result<(), StartError> {
    match settings.admin {
        Some(address) if !address.ip().is_loopback() && settings.admin_token.is_none() => {
            Err(StartError::OpenAdmin { address })
        }
        _ => Ok(()),
    }
}

fn start_admin(settings: &Settings, handle: &Handle) -> Result<Option<Server>, StartError> {
    let Some(address) = settings.admin else {
        return Ok(None);
    };
    let token = settings.admin_token.as_deref().map(Arc::from);
    let site = admin::site(handle.clone(), token);
    listen(address, site, handle).map(Some)
}

fn listen(address: SocketAddr, site: Site, handle: &Handle) -> Result<Server, StartError> {
    Server::start(address, site, handle).map_err(|source| StartError::Listen { address, source })
}
