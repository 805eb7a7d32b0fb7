//! What serving and working begin with.

use std::sync::Arc;

use axum::Router;
use siding_runtime::{Builder, Runtime};
use siding_tasks::Tasks;

use super::running::StartError;
use super::{App, Settings, child, journal, store};
use crate::server::Peer;

/// An application whose runtime is there, and whose tasks can be sent.
pub(super) struct Prepared {
    pub(super) name: &'static str,
    pub(super) runtime: Runtime,
    pub(super) settings: Settings,
    pub(super) router: Router,
    pub(super) peer: Peer,
    pub(super) tasks: Option<Tasks>,
}

impl App {
    /// Starts the runtime, and opens the task store.
    pub(super) fn prepare(self) -> Result<Prepared, StartError> {
        let mut settings = self.settings;
        child::admit_requests(&mut settings);
        let journal = journal::Journal::default();
        let mut builder = Builder::new().config(settings.runtime);
        builder = builder.observer(journal.observer());
        let errors = Arc::new(self.errors);
        let functions = child::functions(
            self.processes.functions,
            self.processes.router,
            self.tasks.as_ref(),
            &errors,
            &settings,
        );
        builder = builder.functions(functions).attachment(errors);
        if let Some(args) = self.processes.child_args {
            builder = builder.child_args(args);
        }
        for observer in self.observers {
            builder = builder.observer(observer);
        }
        let runtime = builder.build().map_err(StartError::Runtime)?;
        if let Some(tasks) = &self.tasks {
            tasks.connect(runtime.block_on(store::open(&settings.tasks))?);
            if settings.tasks.celery.task_events {
                tasks.send_events(true);
            }
        }
        let handle = runtime.handle();
        journal.attach(handle);
        for processes in &self.processes.handles {
            processes.bind(handle.processes());
        }
        for entry in &self.entries {
            entry.stop.bind(handle.routes(), &entry.path);
        }
        // axum makes its services once a state is there, and with every request before.
        let router = child::with_body_limit(self.router.with_state(()), &settings);
        Ok(Prepared {
            name: self.name,
            runtime,
            settings,
            router,
            peer: self.peer,
            tasks: self.tasks,
        })
    }
}
