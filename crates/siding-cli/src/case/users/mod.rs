//! Users in PostgreSQL, read by async functions and by plain ones: Siding's and FastAPI's.
//!
//! Every run is on a server of its own, which only has the connections to the database that this run needs; idle ones of four
//! sides together would be more than PostgreSQL allows. All servers read the same table, which is one of the demo's own making.

mod read;
mod report;
mod side;

pub use read::Read;

use self::side::{Form, Side};
use super::CaseError;
use crate::bench::Bench;
use crate::database::Scratch;
use crate::outcome::CaseReport;
use crate::server::{Capacity, Contender, Kind, Launch};

/// How many users the table has.
const USERS: i32 = 1_000;

/// Users that are read, by both forms of handlers.
#[derive(Debug, Clone, Copy)]
pub struct Users {
    /// What a request reads.
    pub read: Read,
    /// The least that Siding's rate may be over FastAPI's, in either form.
    pub over_fastapi: f64,
    /// The least that the rate of plain functions may be over that of async ones.
    pub plain_over_async: f64,
}

impl Users {
    pub(super) async fn run(self, bench: &Bench, report: &mut CaseReport) {
        match self.measure(bench, report).await {
            Ok(sides) => self.enter(&sides, report),
            Err(error) => {
                let what = self.read.rate(Form::Async);
                report.put(&what, None, Kind::Siding, error.cell());
            }
        }
    }

    async fn measure(self, bench: &Bench, report: &mut CaseReport) -> Result<Vec<Side>, CaseError> {
        let Contender::Launched { launch, .. } = bench.siding() else {
            return Err(CaseError::OwnDatabase);
        };
        bench.progress.doing("a database with users");
        let database = Scratch::create(&bench.database).await?;
        let siding = launched(Kind::Siding, launch.clone().with_database(&database.url()));
        // It brings the schema along.
        drop(siding.server(Capacity::AsConfigured).await?);
        let users = database.fill(USERS).await?;
        let requests = self.read.requests(&users);
        let mut sides = Side::both(&siding);
        if let Some(fastapi) = &bench.fastapi {
            let fastapi = launched(Kind::FastApi, fastapi.with_users(&database.url()));
            sides.extend(Side::both(&fastapi));
        }
        report.notes.push(format!(
            "{USERS} users in PostgreSQL {}; a fresh server for each run; FastAPI has one uvicorn worker and as many \
             connections to the database as the load has to it",
            database.version,
        ));
        // Whoever was first is last in the next run.
        for run in 0..bench.settings.runs {
            for index in 0..sides.len() {
                let count = sides.len();
                let side = &mut sides[(run + index) % count];
                let runs = bench.settings.runs;
                let doing = format!("{side}, run {} of {runs}", run + 1);
                bench.progress.doing(&doing);
                side.run(&requests, &bench.settings).await;
            }
        }
        Ok(sides)
    }
}

fn launched(kind: Kind, launch: Launch) -> Contender {
    Contender::Launched { kind, launch }
}
