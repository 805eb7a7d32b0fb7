//! The cases: what is measured, and what it must be.

mod computing;
mod crowd;
mod error;
mod health;
mod idle;
mod name;
mod pairing;
mod relief;
mod tasks;

pub use computing::Computing;
pub use crowd::{Connections, Crowd, Round};
pub use error::CaseError;
pub use idle::Idle;
pub use name::CaseName;
pub use pairing::{Pairing, Rival};
pub use relief::Relief;
pub use tasks::Tasks;

use crate::bench::Bench;
use crate::outcome::CaseReport;

/// What a case measures.
#[derive(Debug, Clone, Copy)]
pub enum Subject {
    /// Many requests at once.
    Crowd(Crowd),
    /// Requests that relief workers alone must carry.
    Relief(Relief),
    /// Requests that compute.
    Computing(Computing),
    /// One throughput over another.
    Pairing(Pairing),
    /// A server that nobody asks anything.
    Idle(Idle),
    /// Tasks of a worker process.
    Tasks(Tasks),
}

impl Subject {
    /// Measures it and enters the figures into `report`.
    pub async fn measure(self, bench: &Bench, report: &mut CaseReport) {
        match self {
            Self::Crowd(crowd) => crowd.run(bench, report).await,
            Self::Relief(relief) => relief.run(bench, report).await,
            Self::Computing(computing) => computing.run(bench, report).await,
            Self::Pairing(pairing) => pairing.run(bench, report).await,
            Self::Idle(idle) => idle.run(bench, report).await,
            Self::Tasks(tasks) => tasks.run(bench, report).await,
        }
    }
}
