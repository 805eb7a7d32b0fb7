//! A server that takes part in a run, started or found running.

use super::{Capacity, Kind, Launch, ServerProcess, StartError};
use crate::load::{RequestError, Site, get_once, within};
use std::time::Duration;

/// The limit of the first answer of a server that runs already.
const ANSWER: Duration = Duration::from_secs(5);

/// Where a column's figures come from.
#[derive(Debug, Clone)]
pub enum Contender {
    /// A server that somebody else started; it is neither restarted nor stopped.
    Running(Site),
    /// A server that is started for each measurement, and stopped after it.
    Launched {
        /// What it is.
        kind: Kind,
        /// How to start it.
        launch: Launch,
    },
}

/// A server that answers. Dropping it stops it if it was started here.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub site: Site,
    /// Where its admin listener is, if it has one that is known.
    pub admin: Option<Site>,
    pub(super) process: Option<ServerProcess>,
}

impl Contender {
    /// What it is; a running server is taken for the service that the requirements are about.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Running(_) => Kind::Siding,
            Self::Launched { kind, .. } => *kind,
        }
    }

    /// A server that answers: a fresh one where that is possible.
    ///
    /// # Errors
    ///
    /// When it cannot be started, or does not answer.
    pub async fn server(&self, capacity: Capacity) -> Result<Server, StartError> {
        match self {
            Self::Running(site) => {
                within(ANSWER, get_once(site, "/health"))
                    .await
                    .map_err(|source| not_reachable(site, source))?;
                Ok(Server {
                    site: site.clone(),
                    admin: None,
                    process: None,
                })
            }
            Self::Launched { launch, .. } => launch.start(capacity).await,
        }
    }
}

impl Server {
    /// Its process, where it was started here.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(ServerProcess::id)
    }

    /// Whether it has answered nothing but `/health` so far.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.process.is_some()
    }
}

fn not_reachable(site: &Site, source: RequestError) -> StartError {
    StartError::NotReachable {
        site: site.clone(),
        source,
    }
}
