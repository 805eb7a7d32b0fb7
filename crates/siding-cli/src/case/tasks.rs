//! Tasks that do nothing: how many a second one worker process takes.
//!
//! They are all sent before the worker starts, so that its start is not counted: the rate is taken from the first look
//! that finds some of them taken to the one that finds none left, for Siding and for Celery alike.

use std::path::Path;
use std::time::{Duration, Instant};

use siding_tasks::{Broker, Embedded, EmbeddedSettings, Enqueue, Message, RawJson, State};

use super::{CaseError, per_second};
use crate::bench::Bench;
use crate::explain::explain;
use crate::outcome::{CaseReport, Cell, Requirement, Unit};
use crate::peer::celery::Pool;
use crate::server::{Contender, Kind};

/// Between two looks at how many are left.
const LOOK: Duration = Duration::from_millis(20);
/// How long all of them may take.
const LIMIT: Duration = Duration::from_secs(300);
/// How many are sent in one request.
const BATCH: u64 = 1_000;

/// Tasks that add two numbers.
#[derive(Debug, Clone, Copy)]
pub struct Tasks {
    /// How many there are for Celery; Siding, which is faster, gets four times as many.
    pub tasks: u64,
    /// The least that Siding's rate may be, over Celery's.
    pub at_least: f64,
}

impl Tasks {
    pub(super) async fn run(self, bench: &Bench, report: &mut CaseReport) {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for run in 1..=bench.settings.runs {
            let runs = bench.settings.runs;
            bench
                .progress
                .doing(&format!("siding, run {run} of {runs}"));
            match siding(bench, self.tasks * 4).await {
                Ok(rate) => ours.push(rate),
                Err(error) => return put(report, Kind::Siding, error.cell()),
            }
            // Once it has failed, it is not asked again.
            let Some(celery) = bench.celery.as_ref().filter(|_| theirs.len() + 1 == run) else {
                continue;
            };
            bench
                .progress
                .doing(&format!("celery, run {run} of {runs}"));
            // It blocks a thread for as long as the worker works; the event loop has nothing else to do meanwhile.
            match celery.tasks_per_second(self.tasks, Pool::Prefork) {
                Ok(rate) => theirs.push(rate),
                Err(error) => put(report, Kind::Celery, Cell::Failed(explain(&error))),
            }
        }
        self.compare(ours, theirs, report);
    }

    fn compare(self, ours: Vec<f64>, theirs: Vec<f64>, report: &mut CaseReport) {
        let ratio = ours.iter().zip(&theirs).map(|(ours, theirs)| ours / theirs);
        let ratio: Vec<f64> = ratio.collect();
        put(report, Kind::Siding, Cell::median_of(ours, Unit::PerSecond));
        if ratio.is_empty() {
            return;
        }
        put(
            report,
            Kind::Celery,
            Cell::median_of(theirs, Unit::PerSecond),
        );
        report.put(
            "the same over Celery's",
            Some(Requirement::AtLeast(Unit::Ratio.of(self.at_least))),
            Kind::Siding,
            Cell::median_of(ratio, Unit::Ratio),
        );
    }
}

fn put(report: &mut CaseReport, kind: Kind, cell: Cell) {
    report.put("no-op tasks, one worker process", None, kind, cell);
}

/// The rate of `siding-demo worker`.
async fn siding(bench: &Bench, tasks: u64) -> Result<f64, CaseError> {
    let Contender::Launched { launch, .. } = bench.siding() else {
        return Err(CaseError::Elsewhere);
    };
    let directory = tempfile::tempdir().map_err(CaseError::Directory)?;
    let store = fill(directory.path(), tasks).await?;
    let mut worker = launch.start_worker(directory.path())?;
    let began = Instant::now();
    let mut first = None;
    loop {
        tokio::time::sleep(LOOK).await;
        if worker.ended().is_some() || began.elapsed() > LIMIT {
            return Err(CaseError::Worker);
        }
        let left = waiting(&store).await?;
        match first {
            None if left < tasks => first = Some((Instant::now(), left)),
            Some((since, before)) if left == 0 => {
                return Ok(per_second(before, since.elapsed()));
            }
            _ => {}
        }
    }
}

/// A store in which `tasks` tasks wait.
async fn fill(directory: &Path, tasks: u64) -> Result<Embedded, CaseError> {
    let store = Embedded::open(directory, EmbeddedSettings::default())?;
    let mut sent = 0;
    while sent < tasks {
        let next = tasks.min(sent + BATCH);
        let messages = (sent..next).map(add).collect();
        let enqueue = Enqueue {
            messages,
            chords: Vec::new(),
        };
        store.enqueue(enqueue).await?;
        sent = next;
    }
    Ok(store)
}

fn add(number: u64) -> Message {
    let argument = |number: u64| RawJson::of(&number).expect("a number has a form in JSON");
    Message {
        args: vec![argument(number), argument(1)],
        ..Message::new("add")
    }
}

async fn waiting(store: &Embedded) -> Result<u64, CaseError> {
    let counts = store.overview().await?;
    let waiting = counts.iter().filter(|count| count.state == State::Pending);
    Ok(waiting.map(|count| count.tasks).sum())
}
