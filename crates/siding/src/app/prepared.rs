//! What serving and working begin with.

use std::future::Future;
use std::sync::Arc;

use siding_runtime::{Builder, RouteId, Runtime};
use siding_tasks::Tasks;

use super::late::{Late, LateRouters};
use super::lifespan::WorkerLifespan;
use super::running::StartError;
use super::{App, Settings, child, journal, store};
use crate::lifespan::{Check, Lifespan, Probes, ResourceError, Resources};
use crate::metrics::Metrics;
use crate::server::Peer;
use crate::traces;

/// An application whose runtime is there, and whose tasks can be sent.
pub(super) struct Prepared {
    pub(super) name: &'static str,
    pub(super) runtime: Runtime,
    pub(super) settings: Settings,
    /// The routes whose state is there.
    pub(super) routers: LateRouters,
    /// Those that wait for theirs.
    pub(super) late: Vec<Late>,
    pub(super) worker_lifespan: WorkerLifespan,
    pub(super) resources: Arc<Resources>,
    pub(super) probes: Probes,
    pub(super) peer: Peer,
    pub(super) tasks: Option<Tasks>,
    pub(super) metrics: Metrics,
}

impl App {
    /// Starts the runtime, and opens the task store; not the lifespan yet.
    pub(super) fn prepare(self) -> Result<Prepared, StartError> {
        #[cfg(feature = "openapi")]
        self.write_documents();
        let mut settings = self.settings;
        child::admit_requests(&mut settings);
        let journal = journal::Journal::default();
        let mut builder = Builder::new().config(settings.runtime);
        builder = builder.observer(journal.observer());
        let metrics = Metrics::default();
        builder = builder.observer(metrics.observer());
        let functions = child::functions(self.processes.functions, self.tasks.as_ref());
        builder = builder
            .functions(child::in_parent(functions))
            .attachment(Arc::new(self.errors));
        if let Some(args) = self.processes.child_args {
            builder = builder.child_args(args);
        }
        for observer in self.observers {
            builder = builder.observer(observer);
        }
        let runtime = builder.build().map_err(StartError::Runtime)?;
        if let Some(tasks) = &self.tasks {
            traces::trace_tasks(tasks, &settings.tasks);
            tasks.connect(runtime.block_on(store::open(&settings.tasks))?);
            if settings.tasks.celery.task_events {
                tasks.send_events(true);
            }
        }
        let handle = runtime.handle();
        journal.attach(handle);
        metrics.attach(self.name, handle, self.tasks.as_ref());
        metrics.attach_own(self.metrics);
        for processes in &self.processes.handles {
            processes.bind(handle.processes());
        }
        for entry in &self.entries {
            entry.stop.bind(handle.routes(), &entry.path);
        }
        let resources = Resources::new(settings.lifespan, Some(handle.clone()));
        if let Some(tasks) = self
            .tasks
            .as_ref()
            .filter(|_| settings.tasks.broker.is_some())
        {
            resources.watch(broker_check(tasks));
        }
        let resources = Arc::new(resources);
        self.probes.bind(&resources);
        #[cfg(feature = "inference")]
        metrics.attach_probes(&self.probes);
        Ok(Prepared {
            name: self.name,
            runtime,
            settings,
            routers: LateRouters {
                public: self.router,
                in_child: self.processes.router,
            },
            late: self.late,
            worker_lifespan: self.worker_lifespan,
            resources,
            probes: self.probes,
            peer: self.peer,
            tasks: self.tasks,
            metrics,
        })
    }
}

impl Prepared {
    /// Opens the lifespan, so that all routes have their state. What was open when it fails, or when `interrupted`, is closed.
    pub(super) fn open(&mut self, interrupted: impl Future<Output = ()>) -> Result<(), StartError> {
        let lifespan = Lifespan::new(Arc::clone(&self.resources), self.settings.clone());
        let routers = std::mem::take(&mut self.routers);
        let late = std::mem::take(&mut self.late);
        self.runtime.block_on(async {
            // As a task, so that a panic is told as every other failure.
            let opening = async move { routers.with_all(late, &lifespan).await };
            let mut opening = self.runtime.handle().spawn_as(RouteId::BACKGROUND, opening);
            let opened = tokio::select! {
                opened = &mut opening => match opened {
                    Ok(opened) => opened.map_err(StartError::Resource),
                    Err(panic) => Err(StartError::Resource(ResourceError::new(panic))),
                },
                () = interrupted => Err(StartError::Interrupted),
            };
            match opened {
                Ok(routers) => self.routers = routers,
                Err(error) => {
                    opening.abort();
                    self.resources.close().await;
                    return Err(error);
                }
            }
            Ok(())
        })
    }
}

/// Asks the broker how it is.
fn broker_check(tasks: &Tasks) -> Check {
    let tasks = tasks.clone();
    Check::new("broker", move || {
        let tasks = tasks.clone();
        Box::pin(async move {
            let broker = tasks.broker().map_err(|error| error.to_string())?;
            let asked = broker.overview().await;
            asked.map(drop).map_err(|error| error.to_string())
        })
    })
}
