//! Tasks that do nothing, on Redis: how many a second one worker takes, Siding's and Celery's own.
//!
//! A client in Python fills the queue for all, before the worker starts; `peer/celery_tasks.py` measures all alike.

use std::ffi::OsString;

use super::{CaseError, beside_celery};
use crate::bench::Bench;
use crate::outcome::{CaseReport, Cell, Requirement, Unit};
use crate::peer::celery::{Celery, Pool};
use crate::server::Kind;

const WHAT: &str = "no-op tasks on Redis, one worker";

/// Tasks that add two numbers, sent by Python.
#[derive(Debug, Clone, Copy)]
pub struct CeleryTasks {
    /// How many there are for Celery; Siding, which is faster, gets four times as many.
    pub tasks: u64,
    /// The least that Siding's rate may be, over Celery's better pool.
    pub at_least: f64,
}

/// The rates of one run.
struct Rates {
    siding: f64,
    prefork: f64,
    threads: f64,
}

impl CeleryTasks {
    pub(super) async fn run(self, bench: &Bench, report: &mut CaseReport) {
        let Some((celery, worker)) = beside_celery(bench, report, WHAT) else {
            return;
        };
        let mut all = Vec::new();
        for run in 1..=bench.settings.runs {
            match self.run_once(bench, celery, &worker, run) {
                Ok(rates) => all.push(rates),
                Err(error) => return report.put(WHAT, None, Kind::Siding, error.cell()),
            }
        }
        let median =
            |rate: fn(&Rates) -> f64, unit| Cell::median_of(all.iter().map(rate).collect(), unit);
        report.put(
            WHAT,
            None,
            Kind::Siding,
            median(|rates| rates.siding, Unit::PerSecond),
        );
        report.put(
            WHAT,
            None,
            Kind::Celery,
            median(Rates::celery, Unit::PerSecond),
        );
        for (what, rate) in [
            (
                "with 2 processes (prefork)",
                (|rates| rates.prefork) as fn(&Rates) -> f64,
            ),
            ("with 2 threads", |rates| rates.threads),
        ] {
            report.put(what, None, Kind::Celery, median(rate, Unit::PerSecond));
        }
        report.put(
            "the same over Celery's better pool",
            Some(Requirement::AtLeast(Unit::Ratio.of(self.at_least))),
            Kind::Siding,
            median(|rates| rates.siding / rates.celery(), Unit::Ratio),
        );
    }

    /// It blocks a thread for as long as the workers work; the event loop has nothing else to do meanwhile.
    fn run_once(
        self,
        bench: &Bench,
        celery: &Celery,
        worker: &[OsString],
        run: usize,
    ) -> Result<Rates, CaseError> {
        let doing = |who: &str| {
            let runs = bench.settings.runs;
            bench.progress.doing(&format!("{who}, run {run} of {runs}"));
        };
        doing("siding");
        let siding = celery.tasks_per_second_of(self.tasks * 4, worker)?;
        doing("celery, prefork");
        let prefork = celery.tasks_per_second(self.tasks, Pool::Prefork)?;
        doing("celery, threads");
        let threads = celery.tasks_per_second(self.tasks, Pool::Threads)?;
        Ok(Rates {
            siding,
            prefork,
            threads,
        })
    }
}

impl Rates {
    fn celery(&self) -> f64 {
        self.prefork.max(self.threads)
    }
}
