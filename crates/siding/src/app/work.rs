//! The roles about tasks: `worker` and `tasks`.

use std::io::ErrorKind;

use siding_runtime::Builder;
use siding_tasks::Tasks;

use super::lifespan::WorkerLifespan;
use super::prepared::Prepared;
use super::run::{Signals, exit_code, log_start_error, raise_descriptor_limit, told_to_stop};
use super::running::StartError;
use super::worker::{Stopped, Worker};
use super::{App, exit, logging, store};
use crate::admin::{self, Admin, Subject};
use crate::tasks::{CommandError, TaskCommand};

/// What is said of an application to which `with_tasks` was never given any.
const NO_TASKS: &str = "this application has no tasks: `App::with_tasks` gives it some";

impl App {
    /// Runs tasks until it is told to stop.
    pub(super) fn work(self) -> u8 {
        logging::start(self.name, &self.settings);
        raise_descriptor_limit();
        let Some(tasks) = self.tasks.clone() else {
            tracing::error!("{NO_TASKS}");
            return exit::USAGE;
        };
        match self.prepare_to_work(told_to_stop()) {
            Ok(prepared) => work_until_told(prepared, &tasks),
            Err(error) => {
                log_start_error(&error);
                exit_code(&error)
            }
        }
    }

    /// Connects to the broker, and opens the lifespan where tasks need it.
    fn prepare_to_work(
        self,
        interrupted: impl Future<Output = ()>,
    ) -> Result<Prepared, StartError> {
        admin::check(self.settings.worker_admin, &self.settings)?;
        let mut prepared = self.prepare()?;
        if prepared.worker_lifespan == WorkerLifespan::Opened {
            prepared.open(interrupted)?;
        }
        Ok(prepared)
    }

    /// Does what an operator wants with tasks.
    pub(super) fn handle_tasks(self, command: TaskCommand) -> u8 {
        logging::start(self.name, &self.settings);
        if self.tasks.is_none() {
            tracing::error!("{NO_TASKS}");
            return exit::USAGE;
        }
        match handle(&self, command) {
            Ok(Ok(())) => exit::OK,
            // Whoever reads, `head` for one, has seen enough.
            Ok(Err(CommandError::Output(error))) if error.kind() == ErrorKind::BrokenPipe => {
                exit::OK
            }
            Ok(Err(error)) => {
                tracing::error!("{error}");
                exit::FAILURE
            }
            Err(error) => {
                log_start_error(&error);
                exit_code(&error)
            }
        }
    }
}

fn handle(app: &App, command: TaskCommand) -> Result<Result<(), CommandError>, StartError> {
    let mut runtime = Builder::new();
    runtime = runtime.event_loop_threads(1).relief_threads(0);
    let runtime = runtime.build().map_err(StartError::Runtime)?;
    runtime.block_on(async {
        let broker = store::open_existing(&app.settings.tasks).await?;
        Ok(command.run(&*broker).await)
    })
}

fn work_until_told(prepared: Prepared, tasks: &Tasks) -> u8 {
    let Prepared {
        name,
        runtime,
        settings,
        resources,
        probes,
        metrics,
        ..
    } = prepared;
    let working = async {
        let mut signals = match Signals::listen() {
            Ok(signals) => signals,
            Err(error) => {
                tracing::error!("failed to listen for signals: {error}");
                return exit::FAILURE;
            }
        };
        let subject = Subject {
            name,
            role: "worker",
            handle: runtime.handle().clone(),
            tasks: Some(tasks.clone()),
            probes,
            metrics,
        };
        let admin = match Admin::start(settings.worker_admin, &settings, subject) {
            Ok(admin) => admin,
            Err(error) => {
                log_start_error(&error);
                return exit_code(&error);
            }
        };
        if let Some(admin) = &admin {
            tracing::info!(
                "the worker's admin listener is on http://{}",
                admin.address()
            );
        }
        let mut worker = Worker::start(tasks, name, &settings.tasks, runtime.handle());
        tokio::select! {
            () = worker.failed() => return exit::STORE,
            () = signals.next() => {}
        }
        tracing::info!("finishing what runs; a second signal stops at once");
        match worker.stop(signals.next()).await {
            Stopped::Complete => exit::OK,
            Stopped::Cut => {
                tracing::warn!(
                    "what still ran was cut off; it runs again, once its lease has run out at the latest"
                );
                exit::CUT_OFF
            }
        }
    };
    let code = runtime.block_on(async {
        let code = working.await;
        match resources.close().await {
            0 => code,
            _ => exit::CUT_OFF,
        }
    });
    drop(runtime);
    code
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;
    use crate::app::args::{self, Role};

    #[test]
    fn an_application_without_tasks_has_no_roles_about_them() {
        assert_eq!(App::new("bare").work(), exit::USAGE);
        let line = ["bare", "tasks", "list"].map(Into::into);
        let role = args::read("bare", line, &mut crate::Settings::default());
        let Ok(Role::Tasks { command }) = role else {
            panic!("{role:?}");
        };
        assert_eq!(App::new("bare").handle_tasks(command), exit::USAGE);
    }

    #[test]
    fn a_worker_opens_the_lifespan_where_its_tasks_need_it() {
        let fails = || App::new("test").with_lifespan(async |_| Err::<(), _>("no luck"));
        let unneeded = fails().prepare_to_work(pending());
        assert!(unneeded.is_ok());
        let needed = fails().with_worker_lifespan().prepare_to_work(pending());
        assert!(matches!(needed, Err(StartError::Resource(_))));
    }
}
