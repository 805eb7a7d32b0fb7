//! `tasks show`.

use std::io::{self, Write};

use clap::Args;
use siding_tasks::{Broker, BrokerError, Found, ListFilter, Listed, TaskId};

use super::CommandError;
use crate::tasks::wire;

/// Show all that is known of a task.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Show {
    /// The task's id
    #[arg(value_name = "ID")]
    id: String,
}

impl Show {
    pub(super) async fn run(self, broker: &dyn Broker) -> Result<(), CommandError> {
        let Some(task) = self.find(broker).await? else {
            return Err(CommandError::NotFound(format!(
                "no task has the id {}: it was never sent here, or its result is no longer kept",
                self.id
            )));
        };
        let mut out = io::stdout().lock();
        serde_json::to_writer_pretty(&mut out, &task).map_err(io::Error::from)?;
        Ok(writeln!(out)?)
    }

    /// The task as it is listed, and what became of it.
    async fn find(&self, broker: &dyn Broker) -> Result<Option<wire::Task>, CommandError> {
        let id = TaskId::from(self.id.as_str());
        let filter = ListFilter {
            id: Some(id.clone()),
            limit: 1,
            ..ListFilter::default()
        };
        let listed = match broker.list(filter).await {
            Ok(mut tasks) => tasks.pop(),
            Err(BrokerError::Unsupported(_)) => None,
            Err(error) => return Err(error.into()),
        };
        Ok(match (listed, broker.find(id).await?) {
            // A list may know the message alone.
            (Some(listed), Found::Known(meta)) => Some(wire::Task::from(Listed { meta, ..listed })),
            (Some(listed), Found::Unknown) => Some(wire::Task::from(listed)),
            (None, Found::Known(meta)) => Some(wire::Task::from(meta)),
            (None, Found::Unknown) => None,
        })
    }
}
