//! `tasks purge`.

use std::io::{self, Write};

use clap::Args;
use siding_tasks::{Broker, State};

use super::{CommandError, ask};
use crate::tasks::progress;

/// How many are thrown away in one transaction, so that workers and applications are not held up.
const PAGE: usize = 1_000;

/// Throw waiting tasks away.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Purge {
    /// Only those of this queue
    #[arg(long, value_name = "QUEUE")]
    queue: Option<String>,
    /// Without asking
    #[arg(long)]
    yes: bool,
}

impl Purge {
    pub(super) async fn run(self, broker: &dyn Broker) -> Result<(), CommandError> {
        let waiting = self.waiting(broker).await?;
        let place = match &self.queue {
            Some(queue) => format!("in the queue {queue}"),
            None => "in all queues".to_owned(),
        };
        if waiting == 0 {
            return Ok(writeln!(io::stdout(), "no task waits {place}")?);
        }
        let question = format!("Throw away {waiting} waiting tasks {place}?");
        if !self.yes && !ask::confirm(&question)? {
            return Ok(writeln!(io::stdout(), "nothing was thrown away")?);
        }
        let progress = progress::bar(waiting);
        loop {
            let purged = broker.purge(self.queue.clone(), PAGE).await?;
            progress.inc(u64::try_from(purged).unwrap_or(u64::MAX));
            if purged < PAGE {
                break;
            }
        }
        progress.finish();
        Ok(writeln!(
            io::stdout(),
            "thrown away: {}",
            progress.position()
        )?)
    }

    async fn waiting(&self, broker: &dyn Broker) -> Result<u64, CommandError> {
        let overview = broker.overview().await?;
        let waiting = overview.iter().filter(|count| {
            matches!(count.state, State::Pending | State::Retry)
                && self
                    .queue
                    .as_ref()
                    .is_none_or(|queue| *queue == count.queue)
        });
        Ok(waiting.map(|count| count.tasks).sum())
    }
}
