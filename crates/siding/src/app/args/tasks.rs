//! The flags of tasks and workers.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::flags::set;
use crate::app::duration;
use crate::app::settings::TaskSettings;

#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Tasks")]
pub(super) struct TaskFlags {
    /// Directory of the embedded task store, created when missing [default: data]
    #[arg(long, global = true, env = "SIDING_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    /// Serve without running tasks; `worker` runs them in a process of its own
    #[arg(long, global = true, env = "SIDING_NO_WORKER")]
    no_worker: bool,
    /// Queues that the worker serves [default: celery]
    #[arg(
        long,
        global = true,
        env = "SIDING_QUEUES",
        value_name = "QUEUES",
        value_delimiter = ',',
        value_parser = NonEmptyStringValueParser::new()
    )]
    queues: Vec<String>,
    /// Tasks that run at the same time [default: by the lanes]
    #[arg(long, global = true, env = "SIDING_CONCURRENCY", value_name = "N")]
    concurrency: Option<NonZeroUsize>,
    /// How long running tasks may take to finish after SIGTERM or Ctrl-C [default: 30s]
    #[arg(long, global = true, env = "SIDING_TASK_STOP_LIMIT", value_name = "TIME", value_parser = duration::parse)]
    task_stop_limit: Option<Duration>,
}

impl TaskFlags {
    pub(super) fn apply(self, settings: &mut TaskSettings) {
        set(&mut settings.data, self.data);
        settings.worker &= !self.no_worker;
        set(
            &mut settings.queues,
            (!self.queues.is_empty()).then_some(self.queues),
        );
        settings.concurrency = self.concurrency.map(usize::from).or(settings.concurrency);
        set(&mut settings.stop_limit, self.task_stop_limit);
    }
}
