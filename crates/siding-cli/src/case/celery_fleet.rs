//! Workers of Siding and of Celery on one queue, which are killed: what is lost.
//!
//! `peer/celery_fleet.py` starts, kills and counts. Python's transport takes a message off its list and notes it as claimed in two
//! steps; a worker of Celery's that is killed between them loses it. So the tasks of the mixed fleet are sent by Siding, which
//! looks after them (`resend_lost`).

use std::path::Path;

use std::ffi::OsString;

use siding_tasks::{RawJson, RedisSettings};

use super::celery_enqueue::connect;
use super::{CaseError, beside_celery};
use crate::bench::Bench;
use crate::outcome::{CaseReport, Cell, Requirement, Unit};
use crate::peer::celery::{Celery, Losses};
use crate::server::Kind;

/// How long a task takes.
const TASK_S: f64 = 0.02;

const LOST: &str = "tasks lost";
const LEFT: &str = "tasks claimed by workers that are gone";

/// Tasks of 20 ms on four workers, one of which is killed every two seconds.
#[derive(Debug, Clone, Copy)]
pub struct CeleryFleet;

impl CeleryFleet {
    pub(super) async fn run(self, bench: &Bench, report: &mut CaseReport) {
        let Some((celery, mut worker)) = beside_celery(bench, report, LOST) else {
            return;
        };
        // As many slots as Celery's workers have, and a few more.
        worker.extend(["--concurrency".into(), "4".into()]);
        let tasks = bench.settings.fleet_tasks;
        bench.progress.doing("2 workers of Siding and 2 of Celery");
        put(report, Kind::Siding, mixed(celery, tasks, &worker).await);
        bench.progress.doing("4 workers of Celery on its defaults");
        put(
            report,
            Kind::Celery,
            celery.fleet_alone(tasks).map_err(CaseError::from),
        );
        report.notes.push(format!(
            "{tasks} tasks; siding: 2 workers of Siding and 2 of Celery with acks_late, reject_on_worker_lost and a \
             visibility timeout of 5 s, tasks sent by Siding, which sends again after {} s what is nowhere to be found; celery: 4 workers of Celery on its defaults, where what a killed worker had claimed \
             waits for an hour",
            Celery::RESEND_LOST.as_secs()
        ));
    }
}

async fn mixed(celery: &Celery, count: u64, worker: &[OsString]) -> Result<Losses, CaseError> {
    let directory = tempfile::tempdir().map_err(CaseError::Directory)?;
    let sent = directory.path().join("sent.json");
    send(celery, count, &sent).await?;
    Ok(celery.fleet(count, &sent, worker)?)
}

/// Sends the tasks, and writes their ids.
async fn send(celery: &Celery, count: u64, file: &Path) -> Result<(), CaseError> {
    let look_after =
        |settings: &mut RedisSettings| settings.resend_lost = Some(Celery::RESEND_LOST);
    let tasks = connect(celery, look_after).await?;
    let seconds = RawJson::of(&TASK_S).expect("a number has a form in JSON");
    let mut ids = Vec::new();
    for _ in 0..count {
        let result = tasks
            .send_task::<f64>("sleep", vec![seconds.clone()], [])
            .await?;
        ids.push(result.id().to_string());
    }
    let text = serde_json::to_string(&ids).expect("strings have a form in JSON");
    std::fs::write(file, text).map_err(CaseError::Directory)
}

fn put(report: &mut CaseReport, kind: Kind, losses: Result<Losses, CaseError>) {
    let none = Some(Requirement::AtMost(Unit::Count.of(0.0)));
    match losses {
        Err(error) => report.put(LOST, none, kind, error.cell()),
        Ok(losses) => {
            let count = |count: u32| Cell::of(Unit::Count.of(count.into()));
            report.put(LOST, none, kind, count(losses.lost));
            report.put(LEFT, none, kind, count(losses.left));
            report.put("workers killed", None, kind, count(losses.kills));
            report.put(
                "time until the last result",
                None,
                kind,
                Cell::of(Unit::Seconds.of(losses.seconds)),
            );
        }
    }
}
