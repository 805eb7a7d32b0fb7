//! `tasks show`.

use std::io::{self, Write};

use clap::Args;
use siding_tasks::{Broker, TaskId};

use super::CommandError;
use crate::tasks::find;

/// Show all that is known of a task.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Show {
    /// The task's id
    #[arg(value_name = "ID")]
    id: String,
}

impl Show {
    pub(super) async fn run(self, broker: &dyn Broker) -> Result<(), CommandError> {
        let Some(task) = find(broker, TaskId::from(self.id.as_str())).await? else {
            return Err(CommandError::NotFound(format!(
                "no task has the id {}: it was never sent here, or its result is no longer kept",
                self.id
            )));
        };
        let mut out = io::stdout().lock();
        serde_json::to_writer_pretty(&mut out, &task).map_err(io::Error::from)?;
        Ok(writeln!(out)?)
    }
}
