//! The sub-command `tasks`: what operators do with tasks from a terminal.

mod ask;
mod list;
mod purge;
mod retry;
mod revoke;
mod show;

use std::io;

use clap::{Args, Subcommand};
use siding_tasks::{Broker, BrokerError, State};

/// What to do with tasks.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub(crate) enum TaskCommand {
    /// List tasks, the newest first
    List(list::List),
    /// Show all that is known of a task
    Show(show::Show),
    /// Send failed or revoked tasks once more, under their ids
    Retry(retry::Retry),
    /// Tell tasks not to run
    Revoke(revoke::Revoke),
    /// Throw waiting tasks away
    Purge(purge::Purge),
}

/// Which tasks are meant.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
struct Which {
    /// Only tasks of this name
    #[arg(long, value_name = "NAME")]
    task: Option<String>,
    /// Only tasks of this queue
    #[arg(long, value_name = "QUEUE")]
    queue: Option<String>,
}

/// Why a command did not do what it was told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// The broker could not.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// There is nobody to print for.
    #[error("failed to write to the terminal")]
    Output(#[from] io::Error),
    /// There is nobody to ask.
    #[error(
        "this throws tasks away, and there is no terminal to ask at; add --yes to do it unasked"
    )]
    NobodyToAsk,
    /// Some of them are not there.
    #[error("{0}")]
    NotFound(String),
}

impl TaskCommand {
    /// Does it, and prints what came of it.
    ///
    /// # Errors
    /// When the broker cannot, or a task that was named is not there.
    pub(crate) async fn run(self, broker: &dyn Broker) -> Result<(), CommandError> {
        match self {
            Self::List(list) => list.run(broker).await,
            Self::Show(show) => show.run(broker).await,
            Self::Retry(retry) => retry.run(broker).await,
            Self::Revoke(revoke) => revoke.run(broker).await,
            Self::Purge(purge) => purge.run(broker).await,
        }
    }
}

/// Reads a state as people write it: `failure`, `FAILURE`.
fn state(text: &str) -> Result<State, String> {
    State::parse(&text.to_uppercase())
        .ok_or_else(|| "write pending, started, retry, success, failure or revoked".to_owned())
}
