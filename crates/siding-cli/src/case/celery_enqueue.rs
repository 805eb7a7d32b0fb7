//! Calls of tasks on Redis: how many a second one process sends, in Rust and in Python.

use std::sync::Arc;
use std::time::Instant;

use siding_tasks::{BrokerUrl, RawJson, Redis, RedisSettings, SendError, Tasks};
use tokio::task::JoinSet;

use super::{CaseError, beside_celery, per_second};
use crate::bench::Bench;
use crate::outcome::{CaseReport, Cell, Requirement, Unit};
use crate::peer::celery::Celery;
use crate::server::Kind;

const SEQUENTIAL: &str = "calls sent, one after another";
const TOGETHER: &str = "calls sent, 64 under way";
/// How many calls are under way at the same time, where they are.
const UNDER_WAY: u64 = 64;

/// Calls of a task that adds two numbers.
#[derive(Debug, Clone, Copy)]
pub struct CeleryEnqueue {
    /// How many calls there are.
    pub calls: u64,
    /// The least that Siding's rate may be, over Celery's.
    pub at_least: f64,
}

#[derive(Default)]
struct Rates {
    sequential: Vec<f64>,
    together: Vec<f64>,
    celery: Vec<f64>,
}

impl CeleryEnqueue {
    pub(super) async fn run(self, bench: &Bench, report: &mut CaseReport) {
        let Some((celery, _)) = beside_celery(bench, report, TOGETHER) else {
            return;
        };
        let mut rates = Rates::default();
        for run in 1..=bench.settings.runs {
            let runs = bench.settings.runs;
            bench.progress.doing(&format!("run {run} of {runs}"));
            let measured = self.run_once(celery, &mut rates).await;
            if let Err(error) = measured.and(celery.clean().map_err(CaseError::from)) {
                return report.put(TOGETHER, None, Kind::Siding, error.cell());
            }
        }
        self.compare(rates, report);
    }

    async fn run_once(self, celery: &Celery, rates: &mut Rates) -> Result<(), CaseError> {
        let tasks = connect(celery, |_| {}).await?;
        // The connection and the script are there from now on, as in Python's producer.
        call(&tasks, 0).await?;
        let began = Instant::now();
        for number in 0..self.calls {
            call(&tasks, number).await?;
        }
        rates
            .sequential
            .push(per_second(self.calls, began.elapsed()));
        let began = Instant::now();
        let mut senders = JoinSet::new();
        for first in 0..UNDER_WAY {
            let (tasks, last) = (tasks.clone(), self.calls);
            senders.spawn(async move {
                for number in (first..last).step_by(UNDER_WAY as usize) {
                    call(&tasks, number).await?;
                }
                Ok::<_, SendError>(())
            });
        }
        while let Some(sent) = senders.join_next().await {
            sent.expect("a sender neither panics nor is cancelled")?;
        }
        rates.together.push(per_second(self.calls, began.elapsed()));
        rates.celery.push(celery.enqueued_per_second(self.calls)?);
        Ok(())
    }

    fn compare(self, rates: Rates, report: &mut CaseReport) {
        let over = |ours: &[f64]| {
            let ratios = ours
                .iter()
                .zip(&rates.celery)
                .map(|(ours, theirs)| ours / theirs);
            Cell::median_of(ratios.collect(), Unit::Ratio)
        };
        let (sequential, together) = (over(&rates.sequential), over(&rates.together));
        report.put(
            SEQUENTIAL,
            None,
            Kind::Siding,
            Cell::median_of(rates.sequential, Unit::PerSecond),
        );
        report.put(
            SEQUENTIAL,
            None,
            Kind::Celery,
            Cell::median_of(rates.celery, Unit::PerSecond),
        );
        report.put(
            "the same over Celery's `delay`",
            None,
            Kind::Siding,
            sequential,
        );
        report.put(
            TOGETHER,
            None,
            Kind::Siding,
            Cell::median_of(rates.together, Unit::PerSecond),
        );
        report.put(
            "that over Celery's `delay`, which has one",
            Some(Requirement::AtLeast(Unit::Ratio.of(self.at_least))),
            Kind::Siding,
            together,
        );
    }
}

/// Tasks on the Redis of Celery's application, changed by `change`.
pub(super) async fn connect(
    celery: &Celery,
    change: impl FnOnce(&mut RedisSettings),
) -> Result<Tasks, CaseError> {
    let url = Celery::URL.parse().expect("it is a URL of Redis");
    let BrokerUrl::Redis(url) = url else {
        unreachable!("it is a URL of Redis")
    };
    let mut settings = RedisSettings::new(url);
    settings.key_prefix = celery.prefix().to_owned();
    settings.result_key_prefix = celery.prefix().to_owned();
    change(&mut settings);
    let tasks = Tasks::new();
    tasks.connect(Arc::new(Redis::connect(settings).await?));
    Ok(tasks)
}

async fn call(tasks: &Tasks, number: u64) -> Result<(), SendError> {
    let argument = |number: u64| RawJson::of(&number).expect("a number has a form in JSON");
    let arguments = vec![argument(number), argument(1)];
    tasks.send_task::<u64>("add", arguments, []).await.map(drop)
}
