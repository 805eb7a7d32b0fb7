//! `tasks retry`.

use std::io::{self, Write};

use clap::{ArgGroup, Args};
use siding_tasks::{Broker, ListFilter, State, TaskId};

use super::{CommandError, Which};
use crate::tasks::progress;

/// How many dead letters are looked up at a time.
const PAGE: usize = 500;

/// Send failed or revoked tasks once more, under their ids.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
#[command(group(ArgGroup::new("what").required(true).args(["ids", "failed"])))]
pub(crate) struct Retry {
    /// The tasks' ids
    #[arg(value_name = "ID", conflicts_with_all = ["task", "queue"])]
    ids: Vec<String>,
    /// Every task that failed
    #[arg(long)]
    failed: bool,
    #[command(flatten)]
    which: Which,
}

impl Retry {
    pub(super) async fn run(self, broker: &dyn Broker) -> Result<(), CommandError> {
        match self.failed {
            true => retry_failed(broker, self.which).await,
            false => retry_each(broker, &self.ids).await,
        }
    }
}

async fn retry_each(broker: &dyn Broker, ids: &[String]) -> Result<(), CommandError> {
    let mut not_sent = Vec::new();
    for id in ids {
        match broker.replay(TaskId::from(id.as_str())).await? {
            true => writeln!(io::stdout(), "{id} waits again")?,
            false => not_sent.push(id.as_str()),
        }
    }
    if not_sent.is_empty() {
        return Ok(());
    }
    Err(CommandError::NotFound(format!(
        "not sent, because no failed or revoked task has that id, or another with its unique key is under way: {}",
        not_sent.join(", ")
    )))
}

/// Goes from the newest to the oldest, so that what fails again meanwhile is not met a second time.
async fn retry_failed(broker: &dyn Broker, which: Which) -> Result<(), CommandError> {
    let mut filter = ListFilter {
        id: None,
        state: Some(State::Failure),
        task: which.task,
        queue: which.queue,
        before: None,
        limit: PAGE,
    };
    let progress = progress::counter("sent again");
    loop {
        let page = broker.list(filter.clone()).await?;
        let Some(oldest) = page.last() else {
            break;
        };
        filter.before = Some(oldest.position);
        for task in page {
            if broker.replay(task.meta.id).await? {
                progress.inc(1);
            }
        }
    }
    progress.finish();
    Ok(writeln!(
        io::stdout(),
        "sent again: {}",
        progress.position()
    )?)
}
