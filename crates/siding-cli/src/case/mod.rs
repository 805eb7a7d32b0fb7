//! The cases: what is measured, and what it must be.

mod celery_enqueue;
mod celery_fleet;
mod celery_tasks;
mod computing;
mod crowd;
mod dashboard;
mod error;
mod health;
mod idle;
mod inference;
mod name;
mod pairing;
mod predict;
mod relief;
mod tasks;
mod users;

pub use celery_enqueue::CeleryEnqueue;
pub use celery_fleet::CeleryFleet;
pub use celery_tasks::CeleryTasks;
pub use computing::Computing;
pub use crowd::{Connections, Crowd, Round};
pub use dashboard::Dashboard;
pub use error::CaseError;
pub use idle::Idle;
pub use inference::Inference;
pub use name::CaseName;
pub use pairing::{Pairing, Rival};
pub use predict::{Predict, Service};
pub use relief::Relief;
pub use tasks::Tasks;
pub use users::{Read, Users};

use std::ffi::OsString;
use std::time::Duration;

use crate::bench::Bench;
use crate::outcome::{CaseReport, Cell};
use crate::peer::celery::Celery;
use crate::server::{Contender, Kind};

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
    /// Tasks on Redis, of a worker of Siding and of Celery.
    CeleryTasks(CeleryTasks),
    /// Calls that are sent over Redis.
    CeleryEnqueue(CeleryEnqueue),
    /// Workers that are killed.
    CeleryFleet(CeleryFleet),
    /// Users in PostgreSQL.
    Users(Users),
    /// A model's service that is saturated and killed.
    Predict(Predict),
    /// Models, in batches.
    Inference(Inference),
    /// A dashboard that somebody looks at.
    Dashboard(Dashboard),
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
            Self::CeleryTasks(tasks) => tasks.run(bench, report).await,
            Self::CeleryEnqueue(calls) => calls.run(bench, report).await,
            Self::CeleryFleet(fleet) => fleet.run(bench, report).await,
            Self::Users(users) => users.run(bench, report).await,
            Self::Predict(predict) => predict.run(bench, report).await,
            Self::Inference(inference) => inference.run(bench, report).await,
            Self::Dashboard(dashboard) => dashboard.run(bench, report).await,
        }
    }
}

/// Celery, and the command of Siding's worker. Where one of them is missing, the row `what` says so.
fn beside_celery<'a>(
    bench: &'a Bench,
    report: &mut CaseReport,
    what: &str,
) -> Option<(&'a Celery, Vec<OsString>)> {
    let skipped = match (&bench.celery, bench.siding()) {
        (Some(celery), Contender::Launched { launch, .. }) => {
            return Some((celery, launch.worker_command()));
        }
        (Some(_), Contender::Running(_)) => CaseError::Elsewhere.cell(),
        (None, _) => {
            Cell::Skipped("it takes --peer celery, and Redis on 127.0.0.1:6379".to_owned())
        }
    };
    report.put(what, None, Kind::Siding, skipped);
    None
}

fn per_second(count: u64, span: Duration) -> f64 {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    f64::from(count) / span.as_secs_f64()
}
