//! Why a case has no figure.

use std::io;

use siding_tasks::{BrokerError, OpenError, SendError};

use crate::database::DatabaseError;
use crate::explain::explain;
use crate::load::RequestError;
use crate::outcome::Cell;
use crate::peer::VenvError;
use crate::probe::ProberError;
use crate::server::{ProgramError, StartError};

/// Why a case could not be measured on a server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaseError {
    /// The server did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A request that the measurement rests on failed.
    #[error("a request to {path} failed")]
    Request {
        /// What was asked for.
        path: String,
        /// What happened.
        #[source]
        source: RequestError,
    },
    /// Not all of several requests were answered.
    #[error("{answered} of {asked} requests to {path} were answered ({failures})")]
    Incomplete {
        /// What was asked for.
        path: String,
        /// How many good answers came.
        answered: usize,
        /// How many requests there were.
        asked: usize,
        /// What happened to the others, as far as it is known.
        failures: String,
    },
    /// A program that is measured beside the service is not to be had.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// The prober did not run.
    #[error(transparent)]
    Prober(#[from] ProberError),
    /// The platform does not say what a process costs.
    #[error("failed to read the server's CPU time")]
    Cpu(#[source] io::Error),
    /// Only a service that the bench starts can be measured.
    #[error("the worker of a server that was already running is not known")]
    Elsewhere,
    /// Only a service that the bench starts can be told which database to use.
    #[error("a server that was already running has a database of its own")]
    OwnDatabase,
    /// Only a service that the bench starts can be told where models are.
    #[error("a server that was already running has an inference service of its own")]
    OwnInference,
    /// A load of the case's own broke off.
    #[error("the load broke off")]
    Load(#[source] io::Error),
    /// There are no users to ask for.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// An answer says something else than the database.
    #[error("the answer to {path} was {answer}, not {expected}")]
    Answer {
        /// What was asked for.
        path: String,
        /// What came.
        answer: String,
        /// What should have come.
        expected: String,
    },
    /// There is no place for a store.
    #[error("failed to create a temporary directory")]
    Directory(#[source] io::Error),
    /// The store of the tasks failed.
    #[error("failed to use the task store")]
    Store(#[from] BrokerError),
    /// The store of the tasks cannot be opened.
    #[error("failed to open the task store")]
    OpenStore(#[from] OpenError),
    /// A call was not sent.
    #[error("failed to send a task")]
    Send(#[from] SendError),
    /// A peer, or what it measured, failed.
    #[error(transparent)]
    Peer(#[from] VenvError),
    /// The worker ended early, or does not come to an end.
    #[error("the worker did not finish its tasks; its log is in target/siding-bench")]
    Worker,
}

impl CaseError {
    /// For use with `map_err`: a failed request to `path`.
    pub fn request(path: &str) -> impl FnOnce(RequestError) -> Self {
        let path = path.to_owned();
        |source| Self::Request { path, source }
    }

    /// The cell that stands for the missing figure.
    #[must_use]
    pub fn cell(&self) -> Cell {
        match self {
            Self::Request { .. }
            | Self::Incomplete { .. }
            | Self::Answer { .. }
            | Self::Worker
            | Self::Load(_)
            | Self::Send(_)
            | Self::Peer(_) => Cell::Failed(explain(self)),
            Self::Cpu(_)
            | Self::Elsewhere
            | Self::OwnDatabase
            | Self::OwnInference
            | Self::Database(DatabaseError::Absent { .. }) => Cell::Skipped(explain(self)),
            Self::Start(_)
            | Self::Program(_)
            | Self::Database(DatabaseError::Refused { .. })
            | Self::Prober(_)
            | Self::Directory(_)
            | Self::Store(_)
            | Self::OpenStore(_) => Cell::NotMeasured(explain(self)),
        }
    }
}
