//! `tasks revoke`.

use std::io::{self, Write};

use clap::Args;
use siding_tasks::{Broker, Revocation, TaskId};

use super::CommandError;
use crate::tasks::became;

/// Tell tasks not to run.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Revoke {
    /// The tasks' ids; one that is not there yet will not run when it comes
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    /// End them if they run already, as far as their lane can
    #[arg(long)]
    terminate: bool,
}

impl Revoke {
    pub(super) async fn run(self, broker: &dyn Broker) -> Result<(), CommandError> {
        let revocation = match self.terminate {
            true => Revocation::Terminate,
            false => Revocation::Ignore,
        };
        for id in self.ids {
            let task = TaskId::from(id.as_str());
            broker.revoke(task.clone(), revocation).await?;
            let became = became(&broker.find(task).await?, revocation);
            writeln!(io::stdout(), "{id} {became}")?;
        }
        Ok(())
    }
}
