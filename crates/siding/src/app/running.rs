//! An application that runs.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use siding_runtime::{Handle, Runtime};
use siding_tasks::{BrokerError, OpenError};
use tokio::sync::watch;

use super::App;
use super::child::with_body_limit;
use super::prepared::Prepared;
use super::worker::{Stopped, Worker};
use crate::admin::{self, Admin, Subject};
use crate::lifespan::{Probes, ResourceError, Resources};
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
    /// The store of the tasks cannot be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The broker or the result backend cannot be reached, or does not let this program in.
    #[error("the tasks' broker cannot be used: {0}")]
    Broker(#[source] BrokerError),
    /// The program was built without what a URL takes.
    #[error(
        "{url} takes Siding's feature `{feature}`, which this program was built without; add it to the dependency: \
         siding = {{ features = [\"{feature}\"], ... }}"
    )]
    LeftOut {
        /// The URL, without its password.
        url: String,
        /// The feature.
        feature: &'static str,
    },
    /// A resource cannot be opened.
    #[error(transparent)]
    Resource(ResourceError),
    /// It was told to stop before it had opened its resources. Only [`App::run`] is.
    #[error("told to stop before everything was open")]
    Interrupted,
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
    admin: Option<Admin>,
    worker: Option<Worker>,
    resources: Arc<Resources>,
    probes: Probes,
    runtime: Runtime,
}

impl App {
    /// Starts the application, and returns once it listens.
    ///
    /// # Errors
    /// When the runtime does not start, an address cannot be had, the task store cannot be opened, the broker not be reached, a
    /// resource of its [lifespan](App::with_lifespan) not be opened, or the admin listener would be open to others.
    ///
    /// # Panics
    /// When its [tasks](App::with_tasks) are connected to a broker already.
    pub fn start(self) -> Result<Running, StartError> {
        self.start_unless(std::future::pending())
    }

    /// The same; `interrupted` ends the opening of resources.
    pub(super) fn start_unless(
        self,
        interrupted: impl Future<Output = ()>,
    ) -> Result<Running, StartError> {
        admin::check(self.settings.admin, &self.settings)?;
        let mut prepared = self.prepare()?;
        prepared.open(interrupted)?;
        prepared.listen()
    }
}

impl Prepared {
    fn listen(self) -> Result<Running, StartError> {
        let handle = self.runtime.handle().clone();
        let listening = self.runtime.block_on(async {
            let site = Site {
                router: with_body_limit(self.routers.public, &self.settings),
                limits: self.settings.limits,
                peer: self.peer,
                requests: Some(Arc::clone(self.metrics.requests())),
            };
            let subject = Subject {
                name: self.name,
                role: "serve",
                handle: handle.clone(),
                tasks: self.tasks.clone(),
                probes: self.probes.clone(),
                metrics: self.metrics.clone(),
            };
            let listening = listen(self.settings.bind, site, &handle).and_then(|public| {
                self.metrics.attach_server(public.occupancy());
                let admin = Admin::start(self.settings.admin, &self.settings, subject)?;
                Ok((public, admin))
            });
            if listening.is_err() {
                self.resources.close().await;
            }
            listening
        });
        let (public, admin) = listening?;
        let worker = self
            .tasks
            .filter(|_| self.settings.tasks.worker)
            .map(|tasks| Worker::start(&tasks, self.name, &self.settings.tasks, &handle));
        Ok(Running {
            public,
            admin,
            worker,
            resources: self.resources,
            probes: self.probes,
            runtime: self.runtime,
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
        self.admin.as_ref().map(Admin::address)
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

    /// Stops: takes no more connections and tasks, answers what has been accepted, waits for background work and running
    /// tasks, closes the resources of its lifespan, and ends the runtime. `cut_short` ends the wait for what takes long; the
    /// drain limit, for tasks the stop limit, and for resources the close limit do so anyway.
    pub fn drain(self, cut_short: impl Future<Output = ()>) -> Drained {
        self.probes.drain();
        let (cut, told) = watch::channel(());
        let (told_to_work, told_to_close) = (told.clone(), told.clone());
        let resources = self.resources;
        let admin = self.admin;
        let ending = async {
            let working = async {
                if let Some(worker) = self.worker {
                    // What it was cut short of is safe: it is delivered again.
                    let _: Stopped = worker.stop(gone(told_to_work)).await;
                }
            };
            let (drained, ()) = tokio::join!(self.public.drain(gone(told)), working);
            let drained = tokio::select! {
                biased;
                unclosed = resources.close() => drained.with_unclosed(unclosed),
                () = gone(told_to_close) => drained.with_unclosed(resources.unclosed()),
            };
            // Last, so that all of this can be watched.
            if let Some(admin) = admin {
                admin.drain().await;
            }
            drained
        };
        let cutting = async {
            cut_short.await;
            drop(cut);
            std::future::pending().await
        };
        let drained = self.runtime.block_on(async {
            tokio::select! {
                drained = ending => drained,
                never = cutting => never,
            }
        });
        self.runtime.shut_down(LANES_SHUTDOWN);
        drained
    }
}

/// Completes when the sender is gone.
async fn gone(mut told: watch::Receiver<()>) {
    while told.changed().await.is_ok() {}
}

fn listen(address: SocketAddr, site: Site, handle: &Handle) -> Result<Server, StartError> {
    Server::start(address, site, handle).map_err(|source| StartError::Listen { address, source })
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::mpsc;

    use super::*;
    use crate::lifespan::{Lifespan, ResourceError};

    #[test]
    fn what_was_open_is_closed_when_it_is_told_to_stop_meanwhile() {
        let (close, closed) = mpsc::channel();
        let (reach, reached) = tokio::sync::oneshot::channel();
        let app = App::new("test").with_lifespan(async |lifespan: Lifespan| {
            let first = || Ok::<_, ResourceError>(close);
            let close = |close: mpsc::Sender<()>| close.send(());
            lifespan.open("first", first).close(close).await?;
            // Nobody is left to be told if the test has failed.
            let _ = reach.send(());
            lifespan
                .open("second", pending::<Result<(), ResourceError>>)
                .await
        });
        let told = async { reached.await.expect("the first is open") };
        let stopped = app.start_unless(told);
        assert!(matches!(stopped, Err(StartError::Interrupted)));
        assert_eq!(closed.try_recv(), Ok(()));
    }
}
